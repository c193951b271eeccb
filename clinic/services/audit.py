"""What the application itself tells the audit trail: looks, and what happens around the sign-in.

Changes are not told: the database's triggers see them, whoever writes. See docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Model

from clinic import actor
from clinic.actor import Actor
from clinic.models import Patient

_NOTE = "SELECT audit_note(%s, %s::jsonb, %s, %s, %s, %s)"
_NOTE_ALL = """SELECT audit_note(%s, %s::jsonb, %s, key, patient, %s)
FROM unnest(%s::bigint[], %s::bigint[]) AS seen(key, patient)"""


def looked(subject: Model, *, by: Actor, verb: str = "view", purpose: str = "") -> None:
    """Record that `by` saw `subject`: viewed, printed, exported. One statement.

    Call it inside the transaction that shows the record: no entry, no page.
    """
    patient_id = subject.pk if isinstance(subject, Patient) else getattr(subject, "patient_id", None)
    noted(verb, by=by, model=subject._meta.model_name or "", row_id=subject.pk, patient_id=patient_id, purpose=purpose)


def looked_at_all(subjects: Sequence[Model], *, by: Actor, verb: str = "view", purpose: str = "") -> None:
    """Record that `by` saw these records of one kind together, as on a printed list: an entry each. One statement."""
    if not subjects:
        return
    keys = [subject.pk for subject in subjects]
    patients = [getattr(subject, "patient_id", None) for subject in subjects]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_ALL, [verb, by.as_json(), subjects[0]._meta.model_name or "", purpose, keys, patients])


def searched(model: type[Model], term: str, *, by: Actor) -> None:
    """Record that `by` searched records of `model`; one entry for the search, none for what it found."""
    term = " ".join(term.replace("\x00", "").split())[:60]
    noted("search", by=by, model=model._meta.model_name or "", purpose=term)


def noted(
    verb: str,
    *,
    by: Actor | None,
    model: str = "",
    row_id: int | None = None,
    patient_id: int | None = None,
    purpose: str = "",
) -> None:
    """Record something that is no change of a row: a search, a list exported, a sign-in, a refusal. One statement.

    `by` is None where nobody is known yet, as after a failed sign-in: then whoever acts in this request, or the
    system. The database refuses the verbs of changes (create, update, delete): those only triggers write.
    """
    who = by or actor.current() or actor.SYSTEM
    purpose = purpose or who.purpose
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [verb, who.as_json(), model, row_id, patient_id, purpose])


def seal() -> int:
    """Close what was written since the last seal into the chain; how many entries that were.

    Called by the queue every minute, never inside a request. Two that run at once wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_seal()")
        return cursor.fetchone()[0]
