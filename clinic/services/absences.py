"""Time off: days and times as somebody says them on a location's wall clock, made into moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, Location, Practitioner, TimeOff


def moments(
    zone: str, *, first_on: date, last_on: date | None = None, starts: time | None = None, ends: time | None = None
) -> tuple[datetime, datetime]:
    """From when until when, in UTC. Without times whole days, both included; without a last day the first alone.

    A time that the clock shows twice takes both passes in. Refused: `skipped_time` where the clock jumps over it,
    `end_before_start`.
    """
    last_on = last_on or first_on
    start = _moment(zone, first_on, starts, "starts", fold=0) if starts else _midnight(zone, first_on)
    # An end at 00:00 is the last day's midnight, as in opening hours.
    ends = None if ends == time() else ends
    end = _moment(zone, last_on, ends, "ends", fold=1) if ends else _midnight(zone, last_on + timedelta(days=1))
    if end <= start:
        field = "last_on" if last_on < first_on else "ends"
        raise RuleBroken("end_before_start", _("The end must come after the start."), field=field)
    return start, end


def said(time_off: TimeOff) -> dict[str, date | time | None]:
    """The days and times that `moments` makes such a time off from."""
    start, end = time_off.local_start, time_off.local_end
    last_on = (end - timedelta(microseconds=1)).date() if end.time() == time() else end.date()
    return {
        "first_on": start.date(),
        "last_on": last_on,
        "starts": start.time() if start.time() != time() else None,
        "ends": end.time() if end.time() != time() else None,
    }


def zones(practitioner: Practitioner) -> list[str]:
    """The zones in which somebody works, by the names of the locations."""
    places = Location.objects.filter(
        Q(practitioners=practitioner) | Q(working_hours__practitioner=practitioner)
    ).order_by("name")
    return list(dict.fromkeys(place.time_zone for place in places))


def take_off(time_off: TimeOff, *, by: Actor) -> TimeOff:
    """Save time off. What is booked in it stays and waits on the rebooking worklist."""
    with transaction.atomic():
        time_off.save()
    return time_off


def come_back(time_off: TimeOff, *, by: Actor) -> TimeOff:
    """Take time off back."""
    with transaction.atomic():
        time_off.delete()
    return time_off


def visits_hit(time_off: TimeOff) -> QuerySet[Appointment]:
    """Visits to come that touch an absence."""
    use = {
        "practitioner": Q(practitioner=time_off.practitioner_id),
        "room": Q(room=time_off.room_id),
        "equipment": Q(equipment_uses__equipment=time_off.equipment_id),
        "location": Q(location=time_off.location_id),
    }
    name = next(name for name in TimeOff.SUBJECTS if getattr(time_off, f"{name}_id"))
    touching = Appointment.objects.upcoming().filter(start_at__lt=time_off.end_at, end_at__gt=time_off.start_at)
    return touching.filter(use[name]).exclude(accepted__contains=["outside_hours"])


def newly_hit(time_off: TimeOff) -> QuerySet[Appointment]:
    """Those of `visits_hit` that what is saved so far does not hit: all, for an absence that is new."""
    stored = TimeOff.objects.filter(pk=time_off.pk).first()
    found = visits_hit(time_off)
    return found if stored is None else found.exclude(pk__in=visits_hit(stored).values("pk"))


def _midnight(zone: str, day: date) -> datetime:
    # Where the clock jumps over midnight, the jump is when the day begins.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _moment(zone: str, day: date, clock: time, field: str, *, fold: int) -> datetime:
    local = datetime.combine(day, clock, ZoneInfo(zone)).replace(fold=fold)
    moment = local.astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise RuleBroken("skipped_time", _("The clock skips this time on that day."), field=field)
    return moment
