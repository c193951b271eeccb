"""What somebody opened last, as the audit trail has it: nothing is kept a second time."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Model

from clinic.models import AuditEntry

# So many entries back; who changed that much since then will not look for what was before.
LOOKED_THROUGH = 100


def lately(user, *, at_most: int) -> list[tuple[type[Model], int]]:
    """Records that `user` looked at, the latest first: model and key. One query.

    Who may still see them, and whether they are still there, is for the caller to ask.
    """
    entries = AuditEntry.objects.filter(user=user).order_by("-id").values_list("verb", "model", "row_id")
    looks = [(model, key) for verb, model, key in entries[:LOOKED_THROUGH] if verb == AuditEntry.Verb.VIEW and key]
    known = {model._meta.model_name: model for model in apps.get_app_config("clinic").get_models()}
    return [(known[model], key) for model, key in dict.fromkeys(looks) if model in known][:at_most]
