"""The statements behind the dashboard's figures. Each reads the visits of its days once, by their index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from clinic.database.scheduling import HOLDING

# What the statements want to know of a visit: the columns of the query that says which visits are meant.
COLUMNS = (
    "id",
    "day",
    "status",
    "late",
    "practitioner_id",
    "location_id",
    "room_id",
    "class_of_id",
    "holds",
    "busy_from",
    "busy_until",
    "patient_id",
)
# They came; whether the visit is over does not matter.
ATTENDED = "('arrived', 'in_session', 'completed')"

# Constraints keep what `holds` apart, so lengths can be added up; what overlaps on purpose is named, for OVERLAPS.
# Participants of a class take the patient's time alone.
_COUNTS = f"""
SELECT day >= %s AS now, grouping(status), grouping(practitioner_id), day, status, late,
       practitioner_id, room_id, location_id, count(*),
       coalesce(sum(date_part('epoch', busy_until - busy_from)) FILTER (
           WHERE holds AND class_of_id IS NULL), 0)::bigint,
       array_agg(id) FILTER (WHERE NOT holds AND status IN {HOLDING} AND class_of_id IS NULL)
FROM ({{visits}}) visit
GROUP BY GROUPING SETS ((1, day, status, late), (1, practitioner_id, location_id), (1, room_id, location_id))
"""

# The first visit of each is found by the patient's own index.
_PATIENTS = f"""
SELECT count(*) FILTER (WHERE now), count(*) FILTER (WHERE before),
       count(*) FILTER (WHERE now AND first_on >= %s), count(*) FILTER (WHERE before AND first_on >= %s)
FROM (
  SELECT now, before, (
      SELECT day FROM ({{known}}) earlier
      WHERE earlier.patient_id = came.patient_id AND earlier.status IN {ATTENDED} ORDER BY earlier.start_at LIMIT 1
  ) AS first_on
  FROM (SELECT patient_id, bool_or(day >= %s) AS now, bool_or(day < %s) AS before
        FROM ({{visits}}) visit WHERE status IN {ATTENDED} GROUP BY patient_id) came
) patient
"""


def _alone(what: str, who: str, place: str) -> str:
    """Seconds that visits which overlap on purpose take beside all others, of one practitioner or one place."""
    same_place = f"AND a.place = o.{place}" if place else ""
    return f"""
SELECT '{what}', o.who, o.now, (
  SELECT coalesce(sum(date_part('epoch', upper(left_over) - lower(left_over))), 0)::bigint
  FROM unnest(o.spans - coalesce((
    SELECT range_agg(tstzrange(a.busy_from, a.busy_until)) FROM clinic_appointment a
    WHERE a.{who} = o.who {same_place} AND a.holds AND a.class_of_id IS NULL
      AND a.busy_from >= lower(o.spans) - interval '24 hours' AND a.busy_from < upper(o.spans)
      AND a.day BETWEEN %(since)s AND %(last)s AND (a.day >= %(first)s) = o.now
      AND a.location_id = ANY (%(locations)s)
  ), '{{}}'::tstzmultirange)) left_over
)
FROM (
  SELECT {who} AS who, {place or 0} AS place, day >= %(first)s AS now,
         range_agg(tstzrange(busy_from, busy_until)) AS spans
  FROM clinic_appointment WHERE id = ANY (%(ids)s) AND {who} IS NOT NULL GROUP BY 1, 2, 3
) o
"""


_OVERLAPS = f"{_alone('practitioner', 'practitioner_id', '')} UNION ALL {_alone('room', 'room_id', 'place')}"


class Group(NamedTuple):
    """Visits that have something in common: day, status and lateness, or the practitioner, or the room at a location.
    `overlapping` names those that overlap on purpose; they are not in `seconds`."""

    now: bool
    by_status: bool
    by_practitioner: bool
    day: date | None
    status: str | None
    late: bool | None
    practitioner_id: int | None
    room_id: int | None
    location_id: int | None
    visits: int
    seconds: int
    overlapping: list[int]


def read_counts(visits: QuerySet, *, first: date) -> list[Group]:
    """Groups of these visits, those from `first` on apart from those before. One statement."""
    sql, params = visits.order_by().values(*COLUMNS).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS.format(visits=sql), [first, *params])
        return [
            Group(now, not no_status, not no_practitioner, *rest, overlapping or [])
            for now, no_status, no_practitioner, *rest, overlapping in cursor.fetchall()
        ]


def read_patients(visits: QuerySet, known: QuerySet, *, since: date, first: date) -> tuple[int, int, int, int]:
    """(came from `first` on, came between `since` and `first`, of the former for the first time, of the latter) of the
    patients of these visits; `known` are all visits that could have been earlier. One statement."""
    sql, params = visits.order_by().values(*COLUMNS).query.sql_with_params()
    earlier, more = known.order_by().values("patient_id", "status", "start_at", "day").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PATIENTS.format(visits=sql, known=earlier), [first, since, *more, first, first, *params])
        return cursor.fetchone()


def read_overlaps(
    ids: Iterable[int], *, since: date, first: date, last: date, locations: Iterable[int]
) -> list[tuple[str, int, bool, int]]:
    """Rows of ("practitioner" or "room", id, from `first` on?, seconds): what these visits take beside all that they
    overlap at these locations between `since` and `last`. One statement."""
    asked = {"ids": list(ids), "since": since, "first": first, "last": last, "locations": list(locations)}
    with connection.cursor() as cursor:
        cursor.execute(_OVERLAPS, asked)
        return cursor.fetchall()
