"""What a card is. Its figures come from an insight or a service, never from a query of its own."""

from __future__ import annotations

from django.db.models import Model
from django.utils.functional import Promise

from clinic import permissions
from clinic.admin.dashboard.asked import Asked
from clinic.admin.dashboard.content import Content
from clinic.models import Appointment


class Card:
    """`name` is its anchor and its place in addresses, `help` says exactly what is counted."""

    name: str
    title: str | Promise
    help: str | Promise
    icon: str = "bar_chart"
    # Who may `verb` this model sees the card, rows within their scope.
    model: type[Model] = Appointment
    verb: str = "view"
    # For who runs the clinic, and for practitioners about themselves; not for the desk.
    management: bool = False
    # In the wide column, for what has a chart.
    wide: bool = False

    def __init__(self, asked: Asked):
        self.asked = asked

    def is_shown(self) -> bool:
        if not permissions.can(self.asked.user, self.verb, self.model):
            return False
        return not self.management or self.asked.manages or self.asked.sees_own_only

    def content(self) -> Content:
        raise NotImplementedError
