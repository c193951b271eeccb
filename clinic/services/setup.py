"""The start of a real clinic: what must be there before anybody can sign in."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from clinic.actor import Actor, acting
from clinic.exceptions import RuleBroken
from clinic.models import ClinicSettings, Location, OpeningHours, Organization, User, Weekday
from clinic.services import reference, team

WORKDAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)


def is_done() -> bool:
    """There is a legal entity already, or somebody who works here."""
    return Organization.objects.exists() or User.objects.exists()


def refuse_if_done() -> None:
    if is_done():
        raise RuleBroken("set_up", _("This clinic is set up already. Sign in as an administrator to change it."))


def open_clinic(
    organization: Organization,
    *,
    location: Location,
    hours: tuple[dt.time, dt.time],
    administrator: User,
    password: str,
    language: str,
    by: Actor,
) -> User:
    """Save the legal entity, its first location, open Monday to Friday in `hours`, and the first administrator.

    Usual kinds of rooms, equipment and specialisations come along in `language`. Refused: a second time, values
    that their forms would refuse, a weak password. All or nothing.
    """
    refuse_if_done()
    location.organization = organization
    administrator.language = language
    for row in (organization, location, administrator):
        check(row)
    with acting(by), transaction.atomic():
        # The one row goes first: of two who set up at once, the second waits for it and is refused by its key.
        ClinicSettings(pk=1, language=language).save(force_insert=True)
        organization.save()
        location.save()
        starts, ends = hours
        opening = [OpeningHours(location=location, weekday=day, starts=starts, ends=ends) for day in WORKDAYS]
        bulk_create_with_history(opening, OpeningHours)
        reference.load(language)
        invitation = team.invite(administrator, roles=[team.ADMINISTRATOR], by=by)
        return team.accept_invitation(invitation, password=password, by=by)


def check(row: models.Model) -> None:
    """Refuse what the row's own form would refuse; what it points to and its password have checks of their own."""
    unchecked = {field.name for field in row._meta.fields if field.is_relation} | {"password"}
    try:
        row.full_clean(exclude=unchecked, validate_unique=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise RuleBroken("invalid", f"{field}: {messages[0]}", field=field) from error
