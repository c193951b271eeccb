"""Which cards there are, in the order in which people see them: the narrow ones, then the wide."""

from __future__ import annotations

from clinic.admin.dashboard.card import Card
from clinic.admin.dashboard.desk import ActivityCard, NextFreeCard, WaitingCard
from clinic.admin.dashboard.used import PractitionersUsedCard, RoomsUsedCard
from clinic.admin.dashboard.visits import MissedCard, PatientsCard, VisitsCard

CARDS: list[type[Card]] = [
    WaitingCard,
    NextFreeCard,
    MissedCard,
    PatientsCard,
    ActivityCard,
    VisitsCard,
    PractitionersUsedCard,
    RoomsUsedCard,
]
