"""What a change would do to booked visits, said before it is done: saving asks once more, with the visits by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import permissions
from clinic.exceptions import RuleBroken
from clinic.models import Appointment

SEEN = "_seen"
# A longer list nobody reads; the worklist has them all.
NAMED = 10


@dataclass(frozen=True)
class Effect:
    """Visits that a change leaves behind. `named` are the first that the person may see, `others` how many more there
    are; `mark` stands for exactly these visits: whoever sends it back has seen them."""

    sentence: str
    named: list[Appointment]
    others: int
    mark: str = ""
    name: str = SEEN

    @classmethod
    def of(cls, request, keys: Iterable[int], about: str = "") -> Effect | None:
        """What happens to the visits of `keys`; None where there are none, or the person has seen just these.

        With `about`, what else the page shows, even nothing is shown once.
        """
        found = sorted(keys)
        mark = hashlib.sha256(repr((found, about)).encode()).hexdigest()[:16]
        if not (found or about) or request.POST.get(SEEN) == mark:
            return None
        if not found:
            return cls(_("No booked visit loses its time."), [], 0, mark)
        sentence = ngettext(
            "%d booked visit loses its time. It stays booked and waits on the rebooking worklist.",
            "%d booked visits lose their time. They stay booked and wait on the rebooking worklist.",
            len(found),
        )
        named = _named(request, Appointment.objects.filter(pk__in=found))
        return cls(sentence % len(found), named, len(found) - len(named), mark)

    @classmethod
    def read(cls, request, visits: QuerySet[Appointment]) -> Effect | None:
        """The same for a page that asks anyway: told, and nothing to send back."""
        count = visits.count()
        named = _named(request, visits) if count else []
        sentence = ngettext("%d visit is still to come:", "%d visits are still to come:", count) % count
        return cls(sentence, named, count - len(named)) if count else None


def _named(request, visits: QuerySet[Appointment]) -> list[Appointment]:
    rows = permissions.visible(request.user, visits)
    return list(rows.select_related("patient", "service", "practitioner").order_by("start_at", "pk")[:NAMED])


def show_before(request, keys: Iterable[int]) -> None:
    """For `store` of a screen: refuse until the person has seen what happens to these visits."""
    effect = Effect.of(request, keys)
    if effect is not None:
        request._effect = effect
        raise RuleBroken("visits_hit", effect.sentence)
