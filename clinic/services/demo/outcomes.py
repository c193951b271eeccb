"""What a visit of the diary has come to by a moment: status, times, and the moves that led there. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from clinic.models import MOVES, Appointment
from clinic.services.demo.diary import Visit

S = Appointment.Status

WHY_CANCELLED = ("Influenza", "Impegno di lavoro", "Imprevisto familiare", "Non riesce a venire", "Neve", "")
WHY_DECLINED = ("Agenda completa", "Serve prima una valutazione", "")
REASONS = (
    "Mal di schiena", "Dolore alla spalla", "Recupero dopo distorsione", "Cervicale", "Dolore al ginocchio",
    "Controllo", "Ripresa dello sport", "Rigidità mattutina", "Postura", "Tendine d’Achille",
)  # fmt: skip
DESK_NOTES = ("Porta la risonanza", "Arriva in treno, può tardare", "Preferisce la stanza al piano terra")

_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class Move:
    """One change of status; `who` is staff (the desk), practitioner, patient or system."""

    old: str
    new: str
    verb: str
    at: dt.datetime
    who: str
    reason: str = ""


@dataclass(slots=True)
class Outcome:
    created_at: dt.datetime
    source: str
    status: str = ""
    cancelled_by: str = ""
    late: bool = False
    arrived_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    reason: str = ""
    desk_note: str = ""
    moves: list[Move] = field(default_factory=list)

    def move(self, new, at, who, reason="") -> None:
        verb = MOVES[S(self.status), S(new)] if self.status else "book"
        self.moves.append(Move(self.status, new, verb, at, who, reason))
        self.status = new


def of(visit: Visit, rng: Random, at: dt.datetime, registered_at: dt.datetime) -> Outcome:
    """Nothing happens after `at`, nothing before the patient was registered."""
    outcome = _booked(visit, rng, at, registered_at)
    known = _approved(outcome, visit, rng, at)
    if outcome.status == S.SCHEDULED:
        known = _confirmed(outcome, visit, rng, known, at)
    if visit.fate == "cancelled":
        _cancelled(outcome, visit, rng, known, at)
    elif outcome.status not in (S.SCHEDULED, S.CONFIRMED):
        return outcome
    elif visit.fate == "no_show":
        outcome.move(S.NO_SHOW, min(at, visit.start_at + rng.uniform(0.3, 3) * _HOUR), "staff")
    elif visit.fate == "kept":
        _attended(outcome, visit, rng, known, at)
    return outcome


def _booked(visit, rng, at, registered_at) -> Outcome:
    online = visit.treatment.online and rng.random() < 0.2
    source = "portal" if online or visit.treatment.approval else rng.choice(("desk", "desk", "phone"))
    # Booked between an hour and seven weeks ahead, mostly a week or two; one that lies ahead was booked by now.
    latest = min(at, visit.start_at - _HOUR)
    lead = min(rng.expovariate(1 / 9), 49) * _DAY
    if visit.fate == "kept" and visit.treatment.approval and visit.start_at > at + 2 * _DAY and rng.random() < 0.5:
        lead = rng.uniform(0.5, 40) * _HOUR
    created = _whole(max(registered_at, latest - lead))
    outcome = Outcome(created_at=min(created, latest), source=source)
    if rng.random() < 0.35:
        outcome.reason = rng.choice(REASONS)
    if rng.random() < 0.05:
        outcome.desk_note = rng.choice(DESK_NOTES)
    requested = visit.treatment.approval
    outcome.move(
        S.REQUESTED if requested else S.SCHEDULED, outcome.created_at, "patient" if source == "portal" else "staff"
    )
    return outcome


def _approved(outcome, visit, rng, at) -> dt.datetime:
    """Answer a request, if anybody has; requests of the last two days may still wait. Returns when that was."""
    asked = outcome.created_at
    if outcome.status != S.REQUESTED:
        return asked
    latest = min(at, visit.start_at)
    if visit.fate == "declined":
        outcome.move(
            S.DECLINED, min(latest, asked + rng.uniform(1, 30) * _HOUR), "practitioner", rng.choice(WHY_DECLINED)
        )
    elif visit.fate == "expired":
        outcome.move(S.EXPIRED, min(latest, asked + 48 * _HOUR), "system")
    elif visit.start_at < at or at - asked > 40 * _HOUR:
        answered = min(latest, asked + rng.uniform(0.5, 30) * _HOUR)
        outcome.move(S.SCHEDULED, answered, rng.choice(("staff", "practitioner")))
        return answered
    return asked


def _confirmed(outcome, visit, rng, known, at) -> dt.datetime:
    """Two in three say yes, four days to three hours before."""
    answer = max(known, visit.start_at - rng.uniform(3, 96) * _HOUR)
    if rng.random() < 0.65 and answer <= at:
        outcome.move(S.CONFIRMED, answer, rng.choice(("patient", "staff")))
        return answer
    return known


def _cancelled(outcome, visit, rng, known, at) -> None:
    latest = min(at, visit.start_at)
    when = known + rng.random() ** 0.5 * (latest - known) if latest > known else known
    outcome.cancelled_by = "patient" if rng.random() < 0.75 else "clinic"
    outcome.late = outcome.cancelled_by == "patient" and visit.start_at - when < _DAY
    by_hand = outcome.source != "portal" or outcome.cancelled_by == "clinic"
    outcome.move(S.CANCELLED, _whole(when), "staff" if by_hand else "patient", rng.choice(WHY_CANCELLED))


def _attended(outcome, visit, rng, known, at) -> None:
    """As far through the visit as the clock is; people come up to twenty minutes early."""
    minutes = dt.timedelta(minutes=1)
    arrived = max(known, visit.start_at - rng.randrange(21) * minutes)
    started = max(arrived, visit.start_at + rng.randrange(6) * minutes)
    ended = max(started, visit.end_at - rng.randrange(4) * minutes)
    if arrived <= at:
        outcome.arrived_at = arrived
        outcome.move(S.ARRIVED, arrived, "staff")
    if started <= at:
        outcome.started_at = started
        outcome.move(S.IN_SESSION, started, "practitioner")
    if ended <= at:
        outcome.ended_at = ended
        outcome.move(S.COMPLETED, ended, "practitioner")


def _whole(moment: dt.datetime) -> dt.datetime:
    return moment.replace(second=0, microsecond=0)
