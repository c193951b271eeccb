"""Afterwards: what the database holds against what the clients were told. Trusts neither `holds` nor a constraint."""

from __future__ import annotations

import psycopg

from tests.storm.clients import Tally

_BUSY = "tstzrange({0}.busy_from, {0}.busy_until)"
_BOTH = "FROM clinic_appointment a JOIN clinic_appointment b ON a.id < b.id AND {}"
_OVER = "('cancelled', 'declined', 'expired', 'no_show')"
_LIVING = f"a.status NOT IN {_OVER} AND b.status NOT IN {_OVER}"
_MEET = f"{_BUSY.format('a')} && {_BUSY.format('b')}"
PAIRS = {
    "practitioner": _BOTH.format(f"a.practitioner_id = b.practitioner_id AND {_MEET}"),
    "room": _BOTH.format(f"a.room_id = b.room_id AND a.place = b.place AND {_MEET}"),
    "patient": _BOTH.format(
        "a.patient_id = b.patient_id AND tstzrange(a.start_at, a.end_at) && tstzrange(b.start_at, b.end_at)"
    ),
    # By the visits' own times: those copied beside the machine might be wrong.
    "equipment": f"""FROM clinic_equipmentuse u
        JOIN clinic_equipmentuse v ON u.id < v.id AND u.equipment_id = v.equipment_id
        JOIN clinic_appointment a ON a.id = u.appointment_id
        JOIN clinic_appointment b ON b.id = v.appointment_id AND {_MEET}""",
}
# Every visit has its version, its business fact and its machine, or none of them.
HALF_WRITTEN = """
SELECT count(*) FROM clinic_appointment a JOIN clinic_service s ON s.id = a.service_id WHERE
  (SELECT count(*) FROM clinic_statuschange c WHERE c.appointment_id = a.id AND c.verb = 'book') <> 1
  OR (SELECT count(*) FROM clinic_historicalappointment h WHERE h.id = a.id) <> 1
  OR (SELECT count(*) FROM clinic_auditentry e
      WHERE e.model = 'appointment' AND e.row_id = a.id AND e.verb = 'create') <> 1
  OR (SELECT count(*) FROM clinic_equipmentuse u WHERE u.appointment_id = a.id)
     <> (SELECT count(*) FROM clinic_service_equipment_kinds k WHERE k.service_id = s.id)
"""
ROWS = """
SELECT a.id, k.key, a.patient_id, a.practitioner_id, a.service_id, a.room_id, a.start_at
FROM clinic_appointment a FULL JOIN clinic_requestkey k ON k.subject_id = a.id
"""


def overlapping_pairs(connection: psycopg.Connection) -> dict[str, int]:
    return {
        name: connection.execute(f"SELECT count(*) {source} WHERE {_LIVING}").fetchone()[0]
        for name, source in PAIRS.items()
    }


def verdict(connection: psycopg.Connection, tally: Tally) -> dict[str, int]:
    """How often the database and the clients disagree; all zeros when they do not."""
    rows = connection.execute(ROWS).fetchall()
    wishes = {wish.key: wish for wish in tally.wishes}
    kept = {key: (id_, *content) for id_, key, *content in rows}

    def as_asked(wish):
        found = kept.get(wish.key)
        if found is None:
            return False
        id_, patient, practitioner, service, room, start_at = found
        return (
            id_ is not None
            and (patient, practitioner, service) == (wish.patient, wish.practitioner, wish.service)
            and room in ((wish.room,) if wish.room else (room,))
            and start_at == wish.start_at
        )

    return {
        "missing": sum(not (as_asked(wish) and kept[wish.key][0] == wish.answer) for wish in tally.accepted),
        "unasked": sum(key not in wishes or not as_asked(wishes[key]) for _id, key, *_content in rows),
        "twice": len(rows) - len(kept),
        "refused_but_booked": sum(wish.key in kept for wish in tally.refused),
        "half_written": connection.execute(HALF_WRITTEN).fetchone()[0],
    }
