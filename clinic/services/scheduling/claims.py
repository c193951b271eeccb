"""Request keys: the same question asked twice gets the first answer, never a second appointment."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken
from clinic.models import Hold, RequestKey

SCOPE = "booking"
# Nobody sends a form again after that; payments will keep theirs for ever.
KEPT = timedelta(days=30)


def fingerprint(**content) -> str:
    """Equal for equal requests; stored beside the key."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def answered(key: str | None, print_: str, *, scope: str = SCOPE) -> int | None:
    """The id of what this key was answered with, or None. Refuses a key that came with another request."""
    if not key:
        return None
    found = RequestKey.objects.filter(scope=scope, key=key).values_list("fingerprint", "subject_id").first()
    if found is None:
        return None
    if found[0] != print_:
        raise RuleBroken("key_reused", _("This form was sent before with other content. Please start again."))
    return found[1]


def remember(key: str | None, print_: str, subject_id: int, *, scope: str = SCOPE) -> None:
    """Keep the answer, in the transaction that made it."""
    if key:
        RequestKey.objects.create(scope=scope, key=key, fingerprint=print_, subject_id=subject_id)


def forget_claims(*, at: datetime | None = None) -> int:
    """Delete booking keys older than KEPT and holds that ran out; how many rows went."""
    at = at or timezone.now()
    keys, _by_model = RequestKey.objects.filter(scope=SCOPE, created_at__lt=at - KEPT).delete()
    holds, _by_model = Hold.objects.filter(expires_at__lt=at).delete()
    return keys + holds
