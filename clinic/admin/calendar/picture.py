"""The data of one picture of the calendar, as compact lists: what is drawn, in which columns, and what is shaded.

Moments are naive wall clocks of the location shown, and a visit's length is told apart: on the night when an hour
comes twice, clocks alone would lie.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import permissions
from clinic.admin.calendar.asked import BY_ROOM, DAY, MONTH, Asked
from clinic.admin.calendar.shading import Shade, clock_of
from clinic.insights import calendar
from clinic.models import Appointment, Location, Practitioner, Room, Service

# As the browser reads them; see calendar_feed.js.
FIELDS = (
    "id",
    "version",
    "start",
    "minutes",
    "again",
    "practitioner",
    "location",
    "room",
    "place",
    "status",
    "service",
    "patient",
    "name",
    "phone",
    "note",
    "overlap",
    "online",
    "late",
)
_NOTE = 160


def picture(asked: Asked) -> dict:
    """Everything that the page draws for this address."""
    if not asked.locations:
        return {
            "fields": FIELDS,
            "visits": [],
            "columns": [],
            "shade": [],
            "closed": [],
            "hours": [7, 20],
            "zone": "+00:00",
        }
    window = asked.window
    rows = calendar.visits(asked.user, window)
    crowded = len(rows) > calendar.MOST
    rows = [] if crowded else rows
    others = [] if crowded else calendar.busy(asked.user, window)
    people = _people(asked, {row[4] for row in rows} | {block[2] for block in others})
    first_on, last_on = asked.days
    shade = Shade(asked.locations, first_on, last_on, practitioners=people)
    columns = _columns(asked, people, rows, others, shade)
    from_hour, until_hour = shade.span()
    return {
        "fields": FIELDS,
        "visits": [_visit(row, asked.zone) for row in rows],
        "busy": [[*_span(start, end, asked.zone), *whose] for start, end, *whose in others],
        "elsewhere": _elsewhere(asked, columns),
        "totals": [[day.isoformat(), count] for day, count in calendar.totals(asked.user, window)] if crowded else [],
        "columns": columns,
        "shade": _shaded(asked, columns, shade),
        "days": [first_on.isoformat(), last_on.isoformat()],
        "closed": [day.isoformat() for day in shade.closed_days()],
        "hours": [from_hour, until_hour],
        "rooms": _named_rooms(rows),
        "people": {str(person.pk): [str(person), person.colour] for person in people.values()},
        "services": _services({row[9] for row in rows}),
        "zone": _offset(asked.zone),
    }


def _visit(row: tuple, zone) -> list:
    (pk, version, start, end, practitioner, location, room, place, status, service, patient, family, given, mobile,
     phone, note, overlap, source, late) = row  # fmt: skip
    local = start.astimezone(zone)
    return [
        pk,
        version,
        local.strftime("%Y-%m-%dT%H:%M"),
        int((end - start).total_seconds() // 60),
        _again(local),
        practitioner,
        location,
        room,
        place,
        status,
        service,
        patient,
        f"{family} {given}".strip(),
        mobile or phone,
        note if len(note) <= _NOTE else f"{note[: _NOTE - 1]}…",
        overlap,
        int(source in (Appointment.Source.PORTAL, Appointment.Source.API)),
        int(late),
    ]


def _again(local: dt.datetime) -> int:
    """Is it the second time that the clock shows this?"""
    return int(local.fold == 1)


def _span(start, end, zone) -> list:
    return [clock_of(start, zone), int((end - start).total_seconds() // 60)]


def _people(asked: Asked, found: set[int]) -> dict[int, Practitioner]:
    """Who may have a column: those asked for, else who belongs to the locations, and whoever has something there."""
    if asked.practitioners:
        rows = Practitioner.objects.filter(pk__in={*asked.practitioners, *found})
    else:
        here = Practitioner.objects.filter(active=True, locations__in=[place.pk for place in asked.locations])
        rows = Practitioner.objects.filter(pk__in={*here.values_list("pk", flat=True), *found})
    return {person.pk: person for person in rows}


def _columns(asked: Asked, people, rows, others, shade) -> list[list]:
    """(key, title, colour or detail): who treats in this picture, or every place of every room."""
    if asked.view != DAY:
        return []
    if asked.by == BY_ROOM:
        return _rooms(asked, rows)
    seen = {row[4] for row in rows} | {block[2] for block in others} | set(asked.practitioners)
    shown = [person for person in people.values() if person.pk in seen or shade.works(person.pk)]
    return [[f"p{person.pk}", str(person), person.colour] for person in shown]


def _rooms(asked: Asked, rows) -> list[list]:
    rooms = Room.objects.filter(location__in=[place.pk for place in asked.locations]).select_related("location")
    used = {(row[6], row[8]) for row in rows}
    several = len(asked.locations) > 1
    columns = []
    for room in rooms.order_by("location__name", "position", "name", "pk"):
        if asked.rooms and room.pk not in asked.rooms:
            continue
        for place in range(1, room.places + 1):
            if room.active or (room.pk, place) in used:
                name = f"{room} · {room.location}" if several else str(room)
                title = f"{name} · {place}" if room.places > 1 else name
                columns.append([f"r{room.pk}-{place}", title, "", room.location_id])
    if any(row[6] is None for row in rows) and not asked.rooms:
        columns.append(["r0-1", _("No room"), "", 0])
    return columns


def _shaded(asked: Asked, columns, shade: Shade) -> list[list]:
    """(column or "", kind, from, until)."""
    if asked.view == MONTH:
        return []
    if asked.view != DAY:
        one = asked.practitioners[0] if len(asked.practitioners) == 1 else None
        return [["", *part] for part in (shade.of_practitioner(one) if one else shade.closed())]
    if asked.by == BY_ROOM:
        rooms = [(key, int(key[1:].split("-")[0]), location) for key, _title, _colour, location in columns]
        return [[key, *part] for key, room, place in rooms if room for part in shade.of_room(room, place)]
    return [[key, *part] for key, *_rest in columns for part in shade.of_practitioner(int(key[1:]))]


def _elsewhere(asked: Asked, columns) -> list[list]:
    """Who is shown here and busy at another location: (from, minutes, practitioner, where)."""
    shown = [int(key[1:]) for key, *_rest in columns if key.startswith("p")]
    if not shown or asked.all_locations:
        return []
    rows = calendar.elsewhere(asked.window, shown)
    names = dict(Location.objects.filter(pk__in={row[3] for row in rows}).values_list("pk", "name")) if rows else {}
    return [[*_span(start, end, asked.zone), who, names[where]] for start, end, who, where in rows]


def _named_rooms(rows) -> dict[str, list]:
    ids = {row[6] for row in rows if row[6]}
    return {
        str(pk): [name, places]
        for pk, name, places in Room.objects.filter(pk__in=ids).values_list("pk", "name", "places")
    }


def _services(ids: set[int]) -> dict[str, list]:
    return {str(row.pk): [str(row), row.colour] for row in Service.objects.filter(pk__in=ids)}


def _offset(zone) -> str:
    """The clock's distance from UTC at present, for the line that says now."""
    minutes = int(timezone.now().astimezone(zone).utcoffset().total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def may(user) -> dict[str, bool]:
    """What the page lets this person do by hand; the services ask again."""
    return {
        verb: permissions.scope(user, verb, Appointment) is not None for verb in ("book", "move", "walk_in", "overlap")
    }
