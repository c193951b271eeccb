"""A service as the beginning of another one."""

from __future__ import annotations

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.models import Offering, Service
from clinic.models.base import Text


def duplicate(service: Service, *, by: Actor) -> Service:
    """A new service with all that this one has, and offered by the same people. Its name says that it is a copy, and
    patients do not find it until somebody opens it for online booking."""
    with transaction.atomic():
        source = Service.objects.get(pk=service.pk)
        left_out = {"id", "search", "name", "online", "active"}
        columns = [field for field in Service._meta.concrete_fields if field.name not in left_out]
        copy = Service(**{field.attname: getattr(source, field.attname) for field in columns}, online=False)
        copy.name = Text({language: _marked(language, name) for language, name in source.name.items()})
        copy.save()
        copy.room_kinds.set(source.room_kinds.all())
        copy.equipment_kinds.set(source.equipment_kinds.all())
        for offering in source.offerings.filter(practitioner__active=True).order_by("pk"):
            more = {"price": offering.price, "minutes": offering.minutes, "online": offering.online}
            Offering(service=copy, practitioner_id=offering.practitioner_id, **more).save()
    return copy


def _marked(language: str, name: str) -> str:
    with translation.override(language):
        return _("%(name)s (copy)") % {"name": name}
