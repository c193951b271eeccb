"""Cards about time: how much of what could be booked is booked."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from clinic.admin.dashboard.card import Card
from clinic.admin.dashboard.content import Content, Fact, Table, hours, lying, percent, share, versus_share

# More bars than these nobody compares; the table has all.
_MOST_BARS = 12


class PractitionersUsedCard(Card):
    name = "practitioners"
    title = gettext_lazy("Utilisation of practitioners")
    icon = "stethoscope"
    management = True
    wide = True
    help = gettext_lazy(
        "Booked hours of available hours. Booked: the time that visits keep a practitioner busy, buffers included, "
        "requests and visits to come as well; not cancelled and not missed ones; what overlaps counts once. Available: "
        "weekly and extra hours while the location is open, less time off and public holidays. Visits outside those "
        "hours can take it above 100 %. Active practitioners and locations only."
    )

    def content(self) -> Content:
        time, figures = self.asked.time, self.asked.figures
        names = {id_: str(person) for id_, person in self.asked.people.items()}
        return _content(
            names,
            _("Practitioner"),
            (figures.now.practitioners, time.practitioners),
            (figures.before.practitioners, time.practitioners_before),
            empty=_("Nobody has working hours in these days. Utilisation is counted once there are some."),
        )


class RoomsUsedCard(Card):
    name = "rooms"
    title = gettext_lazy("Utilisation of rooms")
    icon = "meeting_room"
    management = True
    wide = True
    help = gettext_lazy(
        "Booked hours of available hours. Booked: the time that visits keep the room's places busy, buffers included, "
        "requests and visits to come as well; not cancelled and not missed ones; what overlaps counts once. Available: "
        "opening hours of the location less closures and public holidays, for each place of the room, less the room's "
        "time off. Active rooms and locations only."
    )

    def is_shown(self) -> bool:
        # Somebody's own visits say little about a room.
        return super().is_shown() and not self.asked.sees_own_only

    def content(self) -> Content:
        time, figures = self.asked.time, self.asked.figures
        several = len(self.asked.measured) > 1
        names = {id_: f"{room} · {room.location}" if several else str(room) for id_, room in self.asked.rooms.items()}
        return _content(
            names,
            _("Room"),
            (figures.now.rooms, time.rooms),
            (figures.before.rooms, time.rooms_before),
            empty=_("No room is open in these days. Add rooms and opening hours first."),
        )


def _content(names: dict[int, str], what: str, now: tuple[Mapping, Mapping], before: tuple[Mapping, Mapping], *, empty):
    """`now` and `before` are (booked, available) seconds by key."""

    def used(half, id_):
        booked, available = half
        return share(booked.get(id_, 0), available.get(id_, 0))

    def of_all(half):
        return share(*(sum(part.get(id_, 0) for id_ in names) for part in half))

    present = [id_ for id_ in names if any(part.get(id_) for part in (*now, *before))]
    if not any(now[1].get(id_) or before[1].get(id_) for id_ in present):
        return Content(empty=empty)
    charted = [id_ for id_ in present if used(now, id_) is not None][:_MOST_BARS]
    values = [round(100 * used(now, id_), 1) for id_ in charted]
    return Content(
        facts=[
            Fact(_("Utilisation"), percent(of_all(now)), versus_share(of_all(now), of_all(before))),
            Fact(_("Booked"), hours(sum(now[0].get(id_, 0) for id_ in names))),
            Fact(_("Available"), hours(sum(now[1].get(id_, 0) for id_ in names))),
        ],
        tables=[
            Table(
                _("In numbers"),
                [what, _("Booked"), _("Available"), _("Utilisation"), pgettext("period", "Before")],
                [
                    [
                        names[id_],
                        hours(now[0].get(id_, 0)),
                        hours(now[1].get(id_, 0)),
                        percent(used(now, id_)),
                        percent(used(before, id_)),
                    ]
                    for id_ in present
                ],
            )
        ],
        note=_("The chart shows the first %d; the table has all.") % _MOST_BARS if len(present) > _MOST_BARS else "",
        **(
            lying([names[id_] for id_ in charted], [(_("Utilisation in %"), "var(--color-primary-600)", values)])
            if len(charted) > 1
            else {}
        ),
    )
