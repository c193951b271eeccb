"""What stands in a wish's way, in sentences: what is busy and when, never with whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils import formats
from django.utils.translation import gettext as _

from clinic.models import Equipment, Room
from clinic.services.scheduling import clock
from clinic.services.scheduling.intervals import Stretch
from clinic.services.scheduling.wishes import Plan, Wish

# The person who is asked for comes first, what could be exchanged last.
_ORDER = ("practitioner", "patient", "room", "equipment")


class Obstacle(NamedTuple):
    """A sentence, and the input that it belongs beside."""

    field: str
    sentence: str


class Clash(NamedTuple):
    """Something that is busy from one moment to another, in seconds since 1970."""

    what: str
    id: int
    since: int
    until: int


def of_plan(wish: Wish, plan: Plan, rows: Iterable[tuple[str, int, int, int, int]]) -> list[Clash]:
    """Those of the busy rows that the plan runs into. What was left open counts only where nothing else clashes."""
    start, end = plan.start_at.timestamp(), plan.end_at.timestamp()
    found = []
    for what, id_, place, since, until in rows:
        if what == "room" and place != plan.place:
            continue
        # The patient's busy time is bare: the window asked for had the buffers.
        if what == "patient" and (since >= end or until <= start):
            continue
        found.append(Clash(what, id_, since, until))
    return [clash for clash in found if clash.what not in wish.left_open] or found


def of_people(
    wish: Wish, busy: Mapping[tuple, list[Stretch]], *, busy_from: datetime, end_at: datetime, busy_until: datetime
) -> list[Clash]:
    """Where practitioner and patient are busy then, among what was read for the whole day."""
    windows = (
        ("practitioner", wish.practitioner.pk, busy_from.timestamp(), busy_until.timestamp()),
        ("patient", wish.patient.pk, wish.start_at.timestamp(), end_at.timestamp()),
    )
    return [
        Clash(what, id_, since, until)
        for what, id_, start, end in windows
        for since, until in busy.get((what, id_, 0), ())
        if since < end and until > start
    ]


def named(wish: Wish, clashes: Iterable[Clash]) -> list[Obstacle]:
    """One obstacle for each person and thing, the first of its clashes, in the order in which people ask."""
    first: dict[tuple[str, int], Clash] = {}
    for clash in sorted(clashes, key=lambda clash: (_ORDER.index(clash.what), clash.id, clash.since)):
        first.setdefault((clash.what, clash.id), clash)
    return [_named(wish, clash) for clash in first.values()]


def _named(wish: Wish, clash: Clash) -> Obstacle:
    zone = wish.location.zone
    names = {
        "from": formats.time_format(clock.as_datetime(clash.since).astimezone(zone), "H:i"),
        "until": formats.time_format(clock.as_datetime(clash.until).astimezone(zone), "H:i"),
    }
    if clash.what == "practitioner":
        sentence = _("%(who)s is busy from %(from)s to %(until)s.") % {"who": wish.practitioner, **names}
        return Obstacle("start_at", sentence)
    if clash.what == "patient":
        sentence = _("%(who)s has another visit from %(from)s to %(until)s.") % {"who": wish.patient, **names}
        return Obstacle("patient", sentence)
    if clash.what == "room":
        room = wish.room or Room.objects.get(pk=clash.id)
        return Obstacle("room", _("%(room)s is taken from %(from)s to %(until)s.") % {"room": room, **names})
    unit = Equipment.objects.get(pk=clash.id)
    return Obstacle("start_at", _("%(unit)s is in use from %(from)s to %(until)s.") % {"unit": unit, **names})
