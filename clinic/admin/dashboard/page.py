"""The context of the front page: the cards of this person, and the bar with period and location."""

from __future__ import annotations

from clinic import permissions
from clinic.admin.dashboard.asked import ALL, OWN, PERIODS, Asked
from clinic.admin.dashboard.cards import CARDS
from clinic.models import Appointment


def context(request) -> dict:
    """Everything that the template wants. A fixed number of statements for each role, whatever there is."""
    asked = Asked(request)
    cards = [card for card in (kind(asked) for kind in CARDS) if card.is_shown()]
    shown = [(card, card.content()) for card in cards]
    return {
        "asked": asked,
        "cards": shown,
        # Last, when the cards have said what they took from where.
        "as_of": asked.as_of and asked.as_of.astimezone(asked.zone),
        "periods": [
            (label, asked.query(period=name, **{"from": "", "to": ""}), name == asked.period) for name, label in PERIODS
        ],
        "may_export": permissions.can(asked.user, "export", Appointment),
        "address": asked.query(),
        "own_dates": asked.period == OWN,
        "places": [(ALL, None), *((str(place.pk), place) for place in asked.locations)],
    }
