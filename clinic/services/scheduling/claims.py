"""Request keys: the same question asked twice gets the first answer, never a second appointment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.database import locks
from clinic.database import scheduling as sql
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Hold, RequestKey

SCOPE = "booking"
WALK_IN = "walk_in"
# Nobody sends a form again after that; payments will keep theirs for ever.
KEPT = timedelta(days=30)


def fingerprint(**content) -> str:
    """Equal for equal requests; stored beside the key."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Claim:
    """A client's key (or none) and the fingerprint of what came with it."""

    key: str | None
    fingerprint: str
    scope: str = SCOPE

    def lock_keys(self) -> list[int]:
        return [locks.key_of_text(locks.REQUEST, f"{self.scope}:{self.key}")] if self.key else []

    def answered(self) -> Appointment | None:
        """What this key was answered with, as it is now, marked `repeated`; or None. Refuses a key that came with
        another request."""
        if not self.key:
            return None
        found = sql.read_request_key(self.scope, self.key)
        if found is None:
            return None
        if found[0] != self.fingerprint:
            raise RuleBroken("key_reused", _("This form was sent before with other content. Please start again."))
        first = Appointment.objects.get(pk=found[1])
        first.repeated = True
        return first

    def remember(self, subject_id: int) -> None:
        """Keep the answer, in the transaction that made it."""
        if self.key:
            RequestKey.objects.create(
                scope=self.scope, key=self.key, fingerprint=self.fingerprint, subject_id=subject_id
            )


def forget_claims(*, at: datetime | None = None) -> int:
    """Delete booking keys older than KEPT and holds that ran out; how many rows went."""
    at = at or timezone.now()
    keys, _by_model = RequestKey.objects.filter(scope__in=(SCOPE, WALK_IN), created_at__lt=at - KEPT).delete()
    holds, _by_model = Hold.objects.filter(expires_at__lt=at).delete()
    return keys + holds
