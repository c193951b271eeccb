"""Who may do what. ROLES is the only source of rights: groups are written from it, screens ask `can` and `visible`.

A grant reads `model: "verb verb:own"`. `verb:own` holds on own rows only; OWN says what a person's own rows are.
A person's locations are a default filter, never a wall: patients move between sites.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allauth.account.auth_backends import AuthenticationBackend
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

APP = "clinic"
DEMO_DOMAIN = "@demo.test"
ANY, OWN_ONLY = "any", "own"

# A visit's way through the day, as far as the person who treats goes it.
_TREAT = "approve:own decline:own confirm:own check_in:own start:own complete:own mark_no_show:own undo:own"
_DESK = "approve decline confirm check_in start complete mark_no_show undo book walk_in move cancel"


@dataclass(frozen=True)
class Role:
    """`label` and `description` are what people read; `grants` is model name -> verbs."""

    label: StrOrPromise
    description: StrOrPromise
    grants: dict[str, str] = field(default_factory=dict)

    def scope(self, model: str, verb: str) -> str | None:
        """ANY, OWN_ONLY or None."""
        verbs = self.grants.get(model, "").split()
        if verb in verbs:
            return ANY
        return OWN_ONLY if f"{verb}:own" in verbs else None


_KEEP = "view add change export"
_KEEP_DELETE = "view add change delete export"
_READ = "view export"

ROLES: dict[str, Role] = {
    "administrator": Role(
        _("Administrator"),
        _("Sets the clinic up, invites staff, sees the audit trail; may correct a visit afterwards."),
        {
            "organization": _KEEP,
            "location": _KEEP,
            "clinicsettings": "view change",
            "roomkind": _KEEP_DELETE,
            "equipmentkind": _KEEP_DELETE,
            "room": _KEEP,
            "equipment": _KEEP,
            "openinghours": _KEEP_DELETE,
            "dayexception": _KEEP_DELETE,
            "user": _KEEP,
            "specialisation": _KEEP_DELETE,
            "practitioner": _KEEP,
            "practitionerspecialisation": _KEEP_DELETE,
            "workinghours": _KEEP_DELETE,
            "extrahours": _KEEP_DELETE,
            "timeoff": _KEEP_DELETE,
            "servicecategory": _KEEP_DELETE,
            "service": _KEEP,
            "offering": _KEEP_DELETE,
            "patient": _KEEP,
            "appointment": f"view change export {_DESK} reopen overlap outside_hours past",
            "equipmentuse": "view",
            "statuschange": "view",
            "auditentry": _READ,
        },
    ),
    "manager": Role(
        _("Manager"),
        _("Keeps services, rooms, people and their hours; reads and exports everything else."),
        {
            "organization": "view",
            "location": "view change export",
            "clinicsettings": "view",
            "roomkind": _KEEP,
            "equipmentkind": _KEEP,
            "room": _KEEP,
            "equipment": _KEEP,
            "openinghours": _KEEP_DELETE,
            "dayexception": _KEEP_DELETE,
            "user": "view",
            "specialisation": _KEEP,
            "practitioner": _KEEP,
            "practitionerspecialisation": _KEEP_DELETE,
            "workinghours": _KEEP_DELETE,
            "extrahours": _KEEP_DELETE,
            "timeoff": _KEEP_DELETE,
            "servicecategory": _KEEP,
            "service": _KEEP,
            "offering": _KEEP_DELETE,
            "patient": _READ,
            "appointment": f"{_READ} approve decline cancel reopen",
            "equipmentuse": "view",
            "statuschange": "view",
            "auditentry": "view",
        },
    ),
    "receptionist": Role(
        _("Receptionist"),
        _("Registers patients, books, moves and cancels, checks in; sees no clinical content."),
        {
            "location": "view",
            "room": "view",
            "equipment": "view",
            "openinghours": "view",
            "dayexception": "view",
            "specialisation": "view",
            "practitioner": "view",
            "practitionerspecialisation": "view",
            "workinghours": "view",
            "extrahours": "view",
            "timeoff": "view add change",
            "servicecategory": "view",
            "service": "view",
            "offering": "view",
            "patient": "view add change",
            "appointment": f"view change {_DESK} overlap outside_hours past",
            "equipmentuse": "view",
            "statuschange": "view",
        },
    ),
    "practitioner": Role(
        _("Practitioner"),
        _("Sees and treats the patients booked with them or registered by them; colleagues' time is only “busy”."),
        {
            "location": "view",
            "room": "view",
            "equipment": "view",
            "openinghours": "view",
            "dayexception": "view",
            "specialisation": "view",
            "practitioner": "view",
            "practitionerspecialisation": "view",
            "workinghours": "view:own",
            "extrahours": "view:own",
            "timeoff": "view:own",
            "servicecategory": "view",
            "service": "view",
            "offering": "view",
            "patient": "view:own add change:own",
            "appointment": f"view:own change:own book:own move:own cancel:own {_TREAT}",
            "equipmentuse": "view:own",
            "statuschange": "view:own",
        },
    ),
}


def _own_patients(user):
    # Booked with them or registered by them. One IN over two indexes, whatever the size of the clinic: with OR the
    # planner would read all patients. Care teams join it here.
    booked = apps.get_model(APP, "Appointment").objects.filter(practitioner__user=user).order_by()
    registered = apps.get_model(APP, "Patient").objects.filter(registered_by=user).order_by()
    return Q(pk__in=booked.values("patient_id").union(registered.values("pk"), all=True))


OWN: dict[str, Callable] = {
    "appointment": lambda user: Q(practitioner__user=user),
    "equipmentuse": lambda user: Q(appointment__practitioner__user=user),
    "statuschange": lambda user: Q(appointment__practitioner__user=user),
    "patient": _own_patients,
    "workinghours": lambda user: Q(practitioner__user=user),
    "extrahours": lambda user: Q(practitioner__user=user),
    "timeoff": lambda user: Q(practitioner__user=user),
}


def scope(user, verb: str, model: type[Model] | str) -> str | None:
    """The widest scope in which `user` may do `verb` to rows of `model`: ANY, OWN_ONLY or None."""
    name = model if isinstance(model, str) else str(model._meta.model_name)
    if not user.is_active:
        return None
    if user.is_superuser:
        return ANY
    scopes = {ROLES[role].scope(name, verb) for role in user.roles if role in ROLES}
    return ANY if ANY in scopes else OWN_ONLY if OWN_ONLY in scopes else None


def visible(user, queryset: QuerySet, verb: str = "view") -> QuerySet:
    """The rows of `queryset` on which `user` may do `verb`; none where the function is not granted at all."""
    model = queryset.model
    granted = scope(user, verb, model)
    if granted == ANY:
        return queryset
    if granted == OWN_ONLY:
        return queryset.filter(OWN[model._meta.model_name](user))
    return queryset.none()


def can(user, verb: str, subject: Model | type[Model]) -> bool:
    """May `user` do `verb` to this object (or, given a class or an unsaved object, at all)?"""
    model = subject if isinstance(subject, type) else type(subject)
    granted = scope(user, verb, model)
    if granted != OWN_ONLY or isinstance(subject, type) or subject.pk is None:
        return granted is not None
    return visible(user, model._default_manager.filter(pk=subject.pk), verb).exists()


def codename(verb: str, model: str) -> str:
    return f"{APP}.{verb}_{model}"


def granted_codenames(roles) -> set[str]:
    """What Django's own has_perm() answers for holders of these roles; scopes are asked with `can`."""
    return {
        codename(verb.removesuffix(":own"), model)
        for role in roles
        if role in ROLES
        for model, verbs in ROLES[role].grants.items()
        for verb in verbs.split()
    }


def may_sign_in(user) -> bool:
    """Active staff. In production neither superusers (roles are enough) nor the demo's public passwords."""
    if not (user.is_active and user.is_staff):
        return False
    return not (settings.PRODUCTION and (user.is_superuser or user.email.endswith(DEMO_DOMAIN)))


class RoleBackend(AuthenticationBackend):
    """Signs in by e-mail (allauth) and answers has_perm() from ROLES, without a query of its own."""

    def user_can_authenticate(self, user):
        # Asked at the sign-in and again for every request: who may no longer come in is out at once.
        return may_sign_in(user)

    def get_user(self, user_id):
        model = apps.get_model(APP, "User")
        user = (
            model._default_manager.filter(pk=user_id)
            .annotate(role_list=ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=[]))
            .first()
        )
        if user is None or not self.user_can_authenticate(user):
            return None
        user.roles = tuple(sorted(user.role_list))
        return user

    def get_all_permissions(self, user_obj, obj=None):
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        cached = getattr(user_obj, "_granted", None)
        if cached is None:
            cached = user_obj._granted = granted_codenames(user_obj.roles)
        return cached

    def get_user_permissions(self, user_obj, obj=None):
        return set()

    def get_group_permissions(self, user_obj, obj=None):
        return self.get_all_permissions(user_obj, obj)


def sync_groups(sender=None, using="default", **kwargs) -> None:
    """Write one group per role with exactly its permissions. Idempotent; runs after every migrate."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    known = {
        codename_: pk
        for pk, codename_ in Permission.objects.using(using)
        .filter(content_type__app_label=APP)
        .values_list("pk", "codename")
    }
    for name in ROLES:
        group, _created = Group.objects.using(using).get_or_create(name=name)
        wanted = {known[full.split(".", 1)[1]] for full in granted_codenames([name])}
        if set(group.permissions.using(using).values_list("pk", flat=True)) != wanted:
            group.permissions.set(wanted)
