"""Which visits to come lie where nobody would be: in time off, on a closed day, outside hours."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from clinic.database.scheduling import HOURS, numbers

_STATUSES = ("requested", "scheduled", "confirmed")
_MOVABLE = f"({', '.join(repr(status) for status in _STATUSES)})"

# The last visit to come, status by status from the far end of the index of open visits.
_LAST = " UNION ALL ".join(
    f"(SELECT start_at FROM clinic_appointment WHERE status = '{status}' ORDER BY start_at DESC LIMIT 1)"
    for status in _STATUSES
)

TIMETABLE = f"""
WITH place AS (SELECT * FROM clinic_location WHERE active), offer AS (SELECT id FROM clinic_practitioner WHERE active)
SELECT json_build_object('last', (SELECT date_part('epoch', max(start_at))::bigint FROM ({_LAST}) ends), {HOURS})
"""

# Visits to come by the index of open visits; each is looked up in its practitioner's hours there, which hold neither
# closures nor time off. What is broken, room or equipment, is found by the few rows of time off.
DISPLACED = f"""
WITH hours AS MATERIALIZED (
  SELECT who, place, stretches::int8multirange AS stretches
  FROM unnest(%(who)s::bigint[], %(where)s::bigint[], %(stretches)s::text[]) AS given (who, place, stretches)
), broken AS (
  SELECT a.id FROM clinic_timeoff t JOIN clinic_appointment a ON a.room_id = t.room_id
    AND a.busy_from >= t.start_at - interval '24 hours' AND a.start_at < t.end_at AND a.end_at > t.start_at
  WHERE t.end_at > %(now)s
  UNION
  SELECT a.id FROM clinic_timeoff t JOIN clinic_equipmentuse u ON u.equipment_id = t.equipment_id
    AND u.busy_from >= t.start_at - interval '24 hours' AND u.busy_from < t.end_at
  JOIN clinic_appointment a ON a.id = u.appointment_id AND a.start_at < t.end_at AND a.end_at > t.start_at
  WHERE t.end_at > %(now)s
)
SELECT a.id, count(*) OVER ()
FROM clinic_appointment a LEFT JOIN hours h ON h.who = a.practitioner_id AND h.place = a.location_id
WHERE a.status IN {_MOVABLE} AND a.start_at > %(now)s AND NOT 'outside_hours' = ANY (a.accepted)
  AND (%(practitioners)s::bigint[] IS NULL OR a.practitioner_id = ANY (%(practitioners)s::bigint[]))
  AND (%(locations)s::bigint[] IS NULL OR a.location_id = ANY (%(locations)s::bigint[]))
  AND (h.stretches IS NULL
    OR NOT h.stretches @> int8range(date_part('epoch', a.start_at)::bigint, date_part('epoch', a.end_at)::bigint)
    OR a.id IN (SELECT id FROM broken))
ORDER BY a.start_at, a.id LIMIT %(count)s OFFSET %(first)s
"""


class Asked(NamedTuple):
    """Whose visits, where, and which of them; None: everybody's, everywhere."""

    practitioners: Iterable[int] | None
    locations: Iterable[int] | None
    first: int
    count: int


def read_timetable(*, now: datetime, first: date) -> dict:
    """Hours of everybody everywhere from `first` on, as facts.Facts reads them, and the last visit to come."""
    far = date(2199, 12, 30)
    params = {"first": first, "last": far, "from": now, "until": far}
    with connection.cursor() as cursor:
        cursor.execute(TIMETABLE, params)
        (document,) = cursor.fetchone()
    return json.loads(document) if isinstance(document, str) else document


def read_displaced(
    hours: dict[tuple[int, int], list[tuple[int, int]]], asked: Asked, *, now: datetime
) -> tuple[list[int], int]:
    """Keys of the visits, by their start, and how many there are in all. `hours` is (practitioner, location) ->
    merged stretches."""
    with connection.cursor() as cursor:
        cursor.execute(
            DISPLACED,
            {
                "who": [who for who, _place in hours],
                "where": [place for _who, place in hours],
                "stretches": [
                    f"{{{','.join(f'[{since},{until})' for since, until in found)}}}" for found in hours.values()
                ],
                "practitioners": numbers(asked.practitioners),
                "locations": numbers(asked.locations),
                "first": asked.first,
                "count": asked.count,
                "now": now,
            },
        )
        rows = cursor.fetchall()
    return [id_ for id_, _total in rows], rows[0][1] if rows else 0
