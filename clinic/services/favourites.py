"""Favourites: kept and dropped by the person whose they are, and by nobody else."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clinic.exceptions import RuleBroken
from clinic.models import Favourite, User

AT_MOST = 20


def of(user: User) -> list[str]:
    """The addresses that `user` keeps, the oldest first. One query."""
    return list(user.favourites.values_list("address", flat=True))


def keep(user: User, *, address: str) -> None:
    """Keep a page of the desk at hand; one that is kept already stays. Refused: more than twenty."""
    if user.favourites.exclude(address=address).count() >= AT_MOST:
        raise RuleBroken("too_many", _("You keep %d pages already: take one away first.") % AT_MOST)
    Favourite.objects.get_or_create(user=user, address=address)


def drop(user: User, *, address: str) -> None:
    """Take it away; one that is not kept is no mistake."""
    user.favourites.filter(address=address).delete()
