"""A day at the desk: who waits, who is treated, who is expected, and what still wants an answer from somebody."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from clinic import permissions
from clinic.insights import calendar
from clinic.insights.calendar import Window
from clinic.models import Appointment

_S = Appointment.Status

# Nobody is late at the stroke of the clock.
LATE_AFTER = dt.timedelta(minutes=5)
# Of requests and of past visits; the lists have the rest.
SHOWN = 20

EXPECTED = (_S.SCHEDULED, _S.CONFIRMED)
_COLUMNS = (
    *("start_at", "end_at", "zone", "status", "location", "desk_note", "late", "overlap_reason", "accepted"),
    *("arrived_at", "started_at", "ended_at", "updated_at"),
    *("patient__family_name", "patient__given_name", "patient__mobile", "patient__phone"),
    *("practitioner__title", "practitioner__given_name", "practitioner__family_name"),
    *("service__name", "room__name"),
)


@dataclass(frozen=True)
class Pending:
    """Keys of what waits for an answer, at most SHOWN of each, and whether there is more."""

    requests: tuple[int, ...]
    unresolved: tuple[int, ...]
    more_requests: bool
    more_unresolved: bool
    # Changes with what is shown of them.
    tag: str


@dataclass(frozen=True)
class Board:
    """The visits of a day by where they stand, each in the order in which the desk deals with them."""

    waiting: list[Appointment]
    in_session: list[Appointment]
    expected: list[Appointment]
    done: list[Appointment]
    gone: list[Appointment]
    requests: list[Appointment]
    unresolved: list[Appointment]
    pending: Pending

    @property
    def of_the_day(self) -> list[Appointment]:
        return [*self.waiting, *self.in_session, *self.expected, *self.done, *self.gone]

    @property
    def visits(self) -> list[Appointment]:
        return [*self.of_the_day, *self.requests, *self.unresolved]


def board(user, window: Window, pending: Pending) -> Board:
    """The day of the window, as far as `user` may see it. Two queries, one where nothing is pending."""
    rows = list(_read(permissions.visible(user, of_day(window))))
    keys = [*pending.requests, *pending.unresolved]
    asked = list(_read(permissions.visible(user, Appointment.objects.filter(pk__in=keys))))
    today = [visit for visit in rows if visit.status == _S.REQUESTED and visit.pk not in pending.requests]
    return Board(
        waiting=sorted(_in(rows, _S.ARRIVED), key=lambda visit: (visit.arrived_at or visit.start_at, visit.pk)),
        in_session=sorted(_in(rows, _S.IN_SESSION), key=lambda visit: (visit.started_at or visit.start_at, visit.pk)),
        expected=_in(rows, *EXPECTED),
        done=_in(rows, _S.COMPLETED),
        gone=_in(rows, _S.CANCELLED, _S.NO_SHOW, _S.DECLINED, _S.EXPIRED),
        requests=[*today, *(visit for visit in asked if visit.pk in pending.requests)],
        unresolved=[visit for visit in reversed(asked) if visit.pk in pending.unresolved],
        pending=pending,
    )


def of_day(window: Window) -> QuerySet[Appointment]:
    """The visits that begin on the window's days, each by its location's clock; everybody's."""
    return Appointment.objects.filter(window.where()).on_days(window.first_on, window.last_on)


def sheets(user, window: Window) -> list[tuple[str, list[Appointment]]]:
    """(practitioner, visits) of the window's days that take place or took place, by name. One query."""
    found: dict[int, list[Appointment]] = {}
    for visit in _read(permissions.visible(user, of_day(window).holding_time())):
        found.setdefault(visit.practitioner_id, []).append(visit)
    return sorted(((str(visits[0].practitioner), visits) for visits in found.values()), key=lambda sheet: sheet[0])


def pending(user, window: Window, *, at: dt.datetime) -> Pending:
    """What waits for an answer at the window's locations: requests, the soonest first, and visits of days before it of
    which nobody has said what became of them, the latest first. One query.

    Each part reads no further than it shows, by an index of its own.
    """
    rows = permissions.visible(user, Appointment.objects.filter(location__in=window.locations)).order_by()
    requests = rows.requests().filter(start_at__gte=at).order_by("start_at", "pk")
    past = rows.unresolved(min(at, window.since)).exclude(status=_S.REQUESTED).order_by("-start_at", "-pk")
    shown = ("pk", "status", "updated_at")
    found = list(requests.values_list(*shown)[: SHOWN + 1].union(past.values_list(*shown)[: SHOWN + 1], all=True))
    asked = [pk for pk, status, _changed in found if status == _S.REQUESTED]
    open_ = [pk for pk, status, _changed in found if status != _S.REQUESTED]
    return Pending(
        requests=tuple(asked[:SHOWN]),
        unresolved=tuple(open_[:SHOWN]),
        more_requests=len(asked) > SHOWN,
        more_unresolved=len(open_) > SHOWN,
        tag=hashlib.sha256(repr(found).encode()).hexdigest()[:16],
    )


NOTHING_PENDING = Pending((), (), more_requests=False, more_unresolved=False, tag="")


def fingerprint(window: Window, pending: Pending, *, at: dt.datetime) -> str:
    """Changes whenever the board would look different but for minutes that count on. One query."""
    expected = Q(status__in=EXPECTED)
    day = calendar.fingerprint(
        window,
        late=Count("pk", filter=expected & Q(start_at__lte=at - LATE_AFTER)),
        begun=Count("pk", filter=expected & Q(start_at__lte=at)),
        over=Count("pk", filter=Q(status__in=(*EXPECTED, _S.ARRIVED), end_at__lte=at)),
    )
    return f"{day}-{pending.tag}"


def minutes_late(visit: Appointment, at: dt.datetime) -> int:
    """How late an expected patient is; 0 as long as that is nobody's business, and once the time is over."""
    if visit.status not in EXPECTED or at - visit.start_at < LATE_AFTER or visit.end_at <= at:
        return 0
    return int((at - visit.start_at).total_seconds() // 60)


def _in(rows: Iterable[Appointment], *statuses: str) -> list[Appointment]:
    return [visit for visit in rows if visit.status in statuses]


def _read(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """With the names that are shown beside a visit, and nothing else of them."""
    named = rows.select_related("patient", "service", "practitioner", "room").only(*_COLUMNS)
    return named.order_by("start_at", "pk")
