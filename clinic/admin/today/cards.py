"""A visit as the page of today shows it: how long somebody waits or is late, and the buttons that fit the moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import admin
from django.urls import reverse

from clinic import permissions
from clinic.admin.scheduling.appointment import steps
from clinic.admin.scheduling.columns import ICONS, is_today
from clinic.insights import today
from clinic.insights.today import Board
from clinic.models import Appointment
from clinic.services.scheduling import clock

_S = Appointment.Status
# What is offered at all, in the order of the menu; the page of the visit has the rest.
OFFERED = ("check_in", "start", "complete", "mark_no_show", "confirm", "move", "undo", "cancel", "approve", "decline")
OVER = ("take_back", "reopen")


@dataclass(frozen=True)
class Step:
    """A button. `way`: "post" acts at once, "dialog" asks in one, "page" leads to a page."""

    name: str
    label: str
    icon: str
    url: str
    way: str


@dataclass(frozen=True)
class Card:
    visit: Appointment
    page: str
    icon: str
    # Local wall clocks.
    start: str
    end: str
    phone: str
    # The same as machines dial it.
    dial: str
    where: str
    # Minutes late, 0 where nobody waits for the patient.
    late: int
    # Since when the patient waits or is treated, and the minutes of it.
    since: dt.datetime | None
    minutes: int
    # Nobody came, or nobody said so.
    over: bool
    loud: tuple[Step, ...]
    more: tuple[Step, ...]


class Cards:
    """Makes cards for one person. Rights are asked for all visits together: at most one query."""

    def __init__(self, user, board: Board, *, locations: dict[int, str], at: dt.datetime):
        self.at, self.locations = at, locations
        self.actions = admin.site.get_model_admin(Appointment).record_actions
        self.list = reverse("admin:clinic_appointment_changelist")
        self.may = _rights(user, [self.actions[name].verb for name in (*OFFERED, *OVER)], board.visits)

    def of(self, visits: list[Appointment]) -> list[Card]:
        return [self._card(visit) for visit in visits]

    def _card(self, visit: Appointment) -> Card:
        since = {_S.ARRIVED: visit.arrived_at, _S.IN_SESSION: visit.started_at}.get(visit.status)
        late = today.minutes_late(visit, self.at)
        loud, more = self._steps(visit, late)
        phone = visit.patient.mobile or visit.patient.phone
        where = (self.locations.get(visit.location_id, ""), str(visit.room or ""))
        return Card(
            visit=visit,
            page=f"{self.list}{visit.pk}/change/",
            icon=ICONS[visit.status],
            start=clock.wall(visit.local_start),
            end=clock.wall(visit.local_end),
            phone=phone,
            dial="".join(sign for sign in phone if sign.isdigit() or sign == "+"),
            where=" · ".join(filter(None, where)),
            late=late,
            since=since,
            minutes=int((self.at - since).total_seconds() // 60) if since else 0,
            over=visit.status in today.EXPECTED and visit.end_at <= self.at,
            loud=loud,
            more=more,
        )

    def _steps(self, visit: Appointment, late: int) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The likely buttons, and the others."""
        closed = visit.status not in Appointment.OPEN
        names = [
            name
            for name in (OVER if closed else OFFERED)
            if self._may(name, visit) and self.actions[name].available(visit)
        ]
        # Who still sits in the waiting room is to be treated, however late it has become.
        likely = ["start"] if visit.status == _S.ARRIVED and is_today(visit) else steps(visit)
        likely += ["decline"] if visit.status == _S.REQUESTED else []
        likely += ["mark_no_show"] if late and "mark_no_show" not in likely else []
        loud = [name for name in likely if name in names]
        return (
            tuple(self._step(name, visit) for name in loud),
            tuple(self._step(name, visit) for name in names if name not in loud),
        )

    def _may(self, name: str, visit: Appointment) -> bool:
        allowed = self.may[self.actions[name].verb]
        return allowed is None or visit.pk in allowed

    def _step(self, name: str, visit: Appointment) -> Step:
        action = self.actions[name]
        # A form wants to be filled in; a mere "are you sure?" is what taking back is for.
        way = "post" if action.form is None else "dialog" if action.dialog else "page"
        return Step(name, str(action.label), action.icon, f"{self.list}{visit.pk}/do/{name}/", way)


def _rights(user, verbs: list[str], visits: list[Appointment]) -> dict[str, frozenset[int] | None]:
    """For each verb the visits on which it holds; None: all of them. One query where some hold on own visits only."""
    scopes = {verb: permissions.scope(user, verb, Appointment) for verb in verbs}
    own: frozenset[int] | None = frozenset()
    if permissions.scope(user, "view", Appointment) == permissions.OWN_ONLY:
        own = None
    elif limited := [verb for verb, scope in scopes.items() if scope == permissions.OWN_ONLY]:
        shown = Appointment.objects.filter(pk__in=[visit.pk for visit in visits])
        own = frozenset(permissions.visible(user, shown, limited[0]).values_list("pk", flat=True))
    found = {permissions.ANY: None, permissions.OWN_ONLY: own, None: frozenset[int]()}
    return {verb: found[scope] for verb, scope in scopes.items()}
