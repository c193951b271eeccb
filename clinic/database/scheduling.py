"""The two statements behind every free time: what the clinic has, and what is busy.

Planned once per connection: planning them takes ten times as long as running them.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

HOLDING = "('requested', 'scheduled', 'confirmed', 'arrived', 'in_session', 'completed')"

_MINUTES = "(extract(epoch FROM {0}) / 60)::int"
# Not extract(), which computes in arbitrary precision: with thousands of visits that is most of the time.
_EPOCH = "date_part('epoch', {0})::bigint"


def _rows(columns: str, source: str) -> str:
    return f"(SELECT coalesce(json_agg(json_build_array({columns})), '[]') FROM {source})"


_S, _E = _MINUTES.format("starts"), _MINUTES.format("ends")

# When the locations of `place` are open and the practitioners of `offer` work there, and what is off.
HOURS = f"""
'locations', {
    _rows(
        "id, time_zone, slot_step, notice_minutes, horizon_days, "
        "CASE WHEN close_on_holidays THEN country END, subdivision",
        "place",
    )
},
  'opening', {
    _rows(
        f"location_id, weekday, {_S}, {_E}, valid_from, valid_until",
        "clinic_openinghours WHERE location_id IN (SELECT id FROM place)",
    )
},
  'exceptions', {
    _rows(
        f'location_id, "on", open, {_S}, {_E}',
        '''clinic_dayexception WHERE location_id IN (SELECT id FROM place)
                          AND "on" BETWEEN %(first)s AND %(last)s''',
    )
},
  'working', {
    _rows(
        f"practitioner_id, location_id, weekday, {_S}, {_E}, valid_from, valid_until, every_weeks, anchor_on",
        '''clinic_workinghours WHERE practitioner_id IN (SELECT id FROM offer)
                       AND location_id IN (SELECT id FROM place)''',
    )
},
  'extra', {
    _rows(
        f'practitioner_id, location_id, "on", {_S}, {_E}',
        '''clinic_extrahours WHERE practitioner_id IN (SELECT id FROM offer)
                     AND location_id IN (SELECT id FROM place) AND "on" BETWEEN %(first)s AND %(last)s''',
    )
},
  'off', {
    _rows(
        f"practitioner_id, room_id, equipment_id, location_id, {_EPOCH.format('start_at')}, {_EPOCH.format('end_at')}",
        "clinic_timeoff WHERE end_at > %(from)s AND start_at < %(until)s",
    )
}
"""

# Everything that decides about hours and resources of one service, as one JSON document.
FACTS = f"""
WITH place AS (
  SELECT * FROM clinic_location l
  WHERE l.active AND (%(locations)s::bigint[] IS NULL OR l.id = ANY (%(locations)s::bigint[]))
), offer AS (
  SELECT o.practitioner_id AS id, o.minutes, o.price, o.online AND p.online AS online
  FROM clinic_offering o JOIN clinic_practitioner p ON p.id = o.practitioner_id
  WHERE o.service_id = %(service)s::bigint AND p.active
    AND (%(practitioners)s::bigint[] IS NULL OR p.id = ANY (%(practitioners)s::bigint[]))
)
SELECT json_build_object(
  'service', (SELECT json_build_object('id', s.id, 'active', s.active, 'minutes', s.minutes, 'before', s.buffer_before,
      'after', s.buffer_after, 'price', s.price::text, 'online', s.online, 'notice', s.notice_minutes,
      'horizon', s.horizon_days,
      'room_kinds', (SELECT coalesce(json_agg(roomkind_id), '[]') FROM clinic_service_room_kinds
          WHERE service_id = s.id),
      'equipment_kinds', (SELECT coalesce(json_agg(equipmentkind_id ORDER BY equipmentkind_id), '[]')
          FROM clinic_service_equipment_kinds WHERE service_id = s.id))
    FROM clinic_service s WHERE s.id = %(service)s::bigint),
  'clinic', (SELECT json_build_array(notice_minutes, horizon_days) FROM clinic_clinicsettings WHERE id = 1),
  'shortest', (SELECT min(coalesce(o.minutes, s.minutes)) FROM clinic_offering o
    JOIN clinic_service s ON s.id = o.service_id WHERE s.active AND o.practitioner_id IN (SELECT id FROM offer)),
  'offers', {_rows("id, minutes, price::text, online", "offer")},
  {HOURS},
  'rooms', {
    _rows(
        "id, location_id, kind_id, places",
        '''(SELECT r.* FROM clinic_room r WHERE r.active AND r.location_id IN (SELECT id FROM place)
                     AND r.kind_id IN (SELECT roomkind_id FROM clinic_service_room_kinds
                                   WHERE service_id = %(service)s::bigint)
                     ORDER BY r.position, r.name, r.id) r''',
    )
},
  'equipment', {
    _rows(
        "id, location_id, kind_id",
        '''(SELECT e.* FROM clinic_equipment e WHERE e.active AND e.location_id IN (SELECT id FROM place)
                         AND e.kind_id IN (SELECT equipmentkind_id FROM clinic_service_equipment_kinds
                                           WHERE service_id = %(service)s::bigint) ORDER BY e.name, e.id) e''',
    )
}
)
"""

# An appointment is busy for at most 24 hours (a check constraint), so a plain index on busy_from suffices; the same
# question through the exclusion constraint's own index is hundreds of times slower.
_WINDOW = "busy_from >= %(from)s - interval '24 hours' AND busy_from < %(until)s AND busy_until > %(from)s"


def _busy(span: str) -> str:
    """What keeps practitioners, rooms, equipment and the patient busy; `span` writes the two moments of a row."""
    appointment, use, bare = (
        span.format(since, until)
        for since, until in (("busy_from", "busy_until"), ("u.busy_from", "u.busy_until"), ("start_at", "end_at"))
    )
    return f"""
SELECT 'practitioner', practitioner_id, 0, {appointment} FROM clinic_appointment
WHERE practitioner_id = ANY (%(practitioners)s::bigint[]) AND {_WINDOW}
  AND status IN {HOLDING} AND class_of_id IS NULL AND id <> %(exclude)s::bigint
UNION ALL
SELECT 'room', room_id, place, {appointment} FROM clinic_appointment
WHERE room_id = ANY (%(rooms)s::bigint[]) AND {_WINDOW}
  AND status IN {HOLDING} AND class_of_id IS NULL AND id <> %(exclude)s::bigint
UNION ALL
SELECT 'equipment', u.equipment_id, 0, {use}
FROM clinic_equipmentuse u JOIN clinic_appointment a ON a.id = u.appointment_id
WHERE u.equipment_id = ANY (%(equipment)s::bigint[]) AND u.{_WINDOW.replace("AND busy", "AND u.busy")}
  AND a.status IN {HOLDING} AND a.id <> %(exclude)s::bigint
UNION ALL
SELECT 'patient', patient_id, 0, {bare} FROM clinic_appointment
WHERE patient_id = %(patient)s::bigint AND start_at >= %(from)s - interval '24 hours' AND start_at < %(until)s
  AND end_at > %(from)s AND status IN {HOLDING} AND id <> %(exclude)s::bigint
UNION ALL
SELECT 'practitioner', practitioner_id, 0, {appointment} FROM clinic_hold
WHERE expires_at > %(now)s AND practitioner_id = ANY (%(practitioners)s::bigint[]) AND {_WINDOW}
UNION ALL
SELECT 'room', room_id, place, {appointment} FROM clinic_hold
WHERE expires_at > %(now)s AND room_id = ANY (%(rooms)s::bigint[]) AND {_WINDOW}
"""


# Neighbours joined, one row for each of whom or what: a full month of forty people fits into forty rows.
TAKEN = f"""
SELECT what, id, place, ARRAY(SELECT {_EPOCH.format("lower(span)")} FROM unnest(spans) span),
       ARRAY(SELECT {_EPOCH.format("upper(span)")} FROM unnest(spans) span)
FROM (
  SELECT what, id, place, range_agg(span) AS spans
  FROM ({_busy("tstzrange({0}, {1})")}) taken (what, id, place, span) GROUP BY what, id, place
) joined
"""

# When and with whom a patient came lately: enough to know a habit by.
_HABITS = """
SELECT practitioner_id, (extract(hour FROM start_at AT TIME ZONE zone) * 60
                         + extract(minute FROM start_at AT TIME ZONE zone))::int
FROM clinic_appointment
WHERE patient_id = %(patient)s::bigint AND start_at < %(before)s
  AND status IN ('scheduled', 'confirmed', 'arrived', 'in_session', 'completed')
ORDER BY start_at DESC LIMIT 24
"""

# Under the locks, which whoever deactivates one of these takes too: see services/retirement.py.
INACTIVE = "inactive "
_RETIRED = " UNION ALL ".join(
    f"SELECT '{INACTIVE}{what}', id, 0, 0, 0 FROM clinic_{what} WHERE id {chosen} AND NOT active"
    for what, chosen in {
        "patient": "= %(patient)s::bigint",
        "practitioner": "= ANY (%(practitioners)s::bigint[])",
        "service": "= %(service)s::bigint",
        "location": "= %(location)s::bigint",
        "room": "= ANY (%(rooms)s::bigint[])",
        "equipment": "= ANY (%(equipment)s::bigint[])",
    }.items()
)
UNDER_LOCKS = f"{_busy(_EPOCH.format('{0}') + ', ' + _EPOCH.format('{1}'))} UNION ALL {_RETIRED}"


def numbers(ids: Iterable[int] | None) -> str | None:
    """An array in PostgreSQL's own writing: lists would be typed by their largest number and planned anew for it."""
    return None if ids is None else f"{{{','.join(map(str, ids))}}}"


def _bound(
    *,
    practitioners: Iterable[int],
    rooms: Iterable[int],
    equipment: Iterable[int],
    patient: int | None = None,
    exclude: int = 0,
    **moments,
) -> dict:
    return {
        "practitioners": numbers(practitioners),
        "rooms": numbers(rooms),
        "equipment": numbers(equipment),
        "patient": None if patient is None else str(patient),
        "exclude": str(exclude),
        **moments,
    }


def read_facts(*, service: int, practitioners: Iterable[int] | None, locations: Iterable[int] | None, **days) -> dict:
    with connection.prepared_cursor() as cursor:
        cursor.execute(
            FACTS,
            {
                "service": str(service),
                "practitioners": numbers(practitioners),
                "locations": numbers(locations),
                **days,
            },
        )
        (document,) = cursor.fetchone()
    return json.loads(document) if isinstance(document, str) else document


def read_taken(**asked) -> dict[tuple[str, int, int], list[tuple[int, int]]]:
    """(what, id, place) -> when it is busy, visits that touch joined; moments in whole seconds since 1970."""
    with connection.prepared_cursor() as cursor:
        cursor.execute(TAKEN, _bound(**asked))
        return {
            (what, id_, place): list(zip(since, until, strict=True))
            for what, id_, place, since, until in cursor.fetchall()
        }


def read_habits(patient: int, *, before: datetime) -> list[tuple[int, int]]:
    """(practitioner, minutes after local midnight) of the last visits, the latest first."""
    with connection.prepared_cursor() as cursor:
        cursor.execute(_HABITS, {"patient": str(patient), "before": before})
        return cursor.fetchall()


def read_under_locks(*, service: int, location: int, **asked) -> list[tuple[str, int, int, int, int]]:
    """Rows of (what, id, place, from, until), one per visit, and of ("inactive room", id, …) for what was deactivated
    meanwhile."""
    with connection.prepared_cursor() as cursor:
        cursor.execute(UNDER_LOCKS, {"service": str(service), "location": str(location), **_bound(**asked)})
        return cursor.fetchall()


def read_request_key(scope: str, key: str) -> tuple[str, int] | None:
    """(fingerprint, id of the answer) of a request that was answered; every booking asks while others wait for its
    locks."""
    with connection.prepared_cursor() as cursor:
        cursor.execute(
            "SELECT fingerprint, subject_id FROM clinic_requestkey WHERE scope = %s AND key = %s", [scope, key]
        )
        return cursor.fetchone()
