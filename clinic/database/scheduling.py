"""The two statements behind every free time: what the clinic has, and what is busy."""

import json

from django.db import connection

HOLDING = "('requested', 'scheduled', 'confirmed', 'arrived', 'in_session', 'completed')"

_MINUTES = "(extract(epoch FROM {0}) / 60)::int"
_EPOCH = "extract(epoch FROM {0})::bigint"


def _rows(columns: str, source: str) -> str:
    return f"(SELECT coalesce(json_agg(json_build_array({columns})), '[]') FROM {source})"


_S, _E = _MINUTES.format("starts"), _MINUTES.format("ends")

# Everything that decides about hours and resources of one service, as one JSON document.
FACTS = f"""
WITH place AS (
  SELECT * FROM clinic_location l
  WHERE l.active AND (%(locations)s::bigint[] IS NULL OR l.id = ANY (%(locations)s::bigint[]))
), offer AS (
  SELECT o.practitioner_id AS id, o.minutes, o.price, o.online AND p.online AS online
  FROM clinic_offering o JOIN clinic_practitioner p ON p.id = o.practitioner_id
  WHERE o.service_id = %(service)s AND p.active
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
    FROM clinic_service s WHERE s.id = %(service)s),
  'clinic', (SELECT json_build_array(notice_minutes, horizon_days) FROM clinic_clinicsettings WHERE id = 1),
  'offers', {_rows("id, minutes, price::text, online", "offer")},
  'locations', {_rows("id, time_zone, slot_step, notice_minutes, horizon_days", "place")},
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
},
  'rooms', {
    _rows(
        "id, location_id, kind_id, places",
        '''(SELECT r.* FROM clinic_room r WHERE r.active AND r.location_id IN (SELECT id FROM place)
                     AND r.kind_id IN (SELECT roomkind_id FROM clinic_service_room_kinds WHERE service_id = %(service)s)
                     ORDER BY r.name, r.id) r''',
    )
},
  'equipment', {
    _rows(
        "id, location_id, kind_id",
        '''(SELECT e.* FROM clinic_equipment e WHERE e.active AND e.location_id IN (SELECT id FROM place)
                         AND e.kind_id IN (SELECT equipmentkind_id FROM clinic_service_equipment_kinds
                                           WHERE service_id = %(service)s) ORDER BY e.name, e.id) e''',
    )
}
)
"""

# An appointment is busy for at most 24 hours (a check constraint), so a plain index on busy_from suffices; the same
# question through the exclusion constraint's own index is hundreds of times slower.
_WINDOW = "busy_from >= %(from)s - interval '24 hours' AND busy_from < %(until)s AND busy_until > %(from)s"
_SPAN = f"{_EPOCH.format('busy_from')}, {_EPOCH.format('busy_until')}"

BUSY = f"""
SELECT 'practitioner', practitioner_id, 0, {_SPAN} FROM clinic_appointment
WHERE practitioner_id = ANY (%(practitioners)s::bigint[]) AND {_WINDOW}
  AND status IN {HOLDING} AND class_of_id IS NULL AND id <> %(exclude)s
UNION ALL
SELECT 'room', room_id, place, {_SPAN} FROM clinic_appointment
WHERE room_id = ANY (%(rooms)s::bigint[]) AND {_WINDOW}
  AND status IN {HOLDING} AND class_of_id IS NULL AND id <> %(exclude)s
UNION ALL
SELECT 'equipment', u.equipment_id, 0, {_EPOCH.format("u.busy_from")}, {_EPOCH.format("u.busy_until")}
FROM clinic_equipmentuse u JOIN clinic_appointment a ON a.id = u.appointment_id
WHERE u.equipment_id = ANY (%(equipment)s::bigint[]) AND u.{_WINDOW.replace("AND busy", "AND u.busy")}
  AND a.status IN {HOLDING} AND a.id <> %(exclude)s
UNION ALL
SELECT 'patient', patient_id, 0, {_EPOCH.format("start_at")}, {_EPOCH.format("end_at")} FROM clinic_appointment
WHERE patient_id = %(patient)s AND start_at >= %(from)s - interval '24 hours' AND start_at < %(until)s
  AND end_at > %(from)s AND status IN {HOLDING} AND id <> %(exclude)s
UNION ALL
SELECT 'practitioner', practitioner_id, 0, {_SPAN} FROM clinic_hold
WHERE expires_at > %(now)s AND practitioner_id = ANY (%(practitioners)s::bigint[]) AND {_WINDOW}
UNION ALL
SELECT 'room', room_id, place, {_SPAN} FROM clinic_hold
WHERE expires_at > %(now)s AND room_id = ANY (%(rooms)s::bigint[]) AND {_WINDOW}
UNION ALL
SELECT 'inactive', id, 0, 0, 0 FROM clinic_patient WHERE id = %(patient)s AND NOT active
"""


def read_facts(**params) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(FACTS, params)
        (document,) = cursor.fetchone()
    return json.loads(document) if isinstance(document, str) else document


def read_busy(**params) -> list[tuple[str, int, int, int, int]]:
    """Rows of (what, id, place, from, until); moments in whole seconds since 1970."""
    with connection.cursor() as cursor:
        cursor.execute(BUSY, {"patient": None, "exclude": 0, **params})
        return cursor.fetchall()
