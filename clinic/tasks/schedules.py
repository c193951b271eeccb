"""What the queue runs by the clock. The table is the only source: rows are written from it after every migrate."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connections
from django_q.models import Schedule


@dataclass(frozen=True)
class Every:
    """`task`, by its dotted path, each so many `minutes`."""

    task: str
    minutes: int


# By name. All of ours begin with "clinic.": what else there is in the queue's table is left alone.
SCHEDULES = {
    "clinic.seal_audit": Every("clinic.tasks.audit.seal", minutes=1),
    "clinic.expire_requests": Every("clinic.tasks.scheduling.expire_requests", minutes=10),
    "clinic.forget_claims": Every("clinic.tasks.scheduling.forget_claims", minutes=60),
    "clinic.clear_sessions": Every("clinic.tasks.team.clear_sessions", minutes=24 * 60),
}


def sync_schedules(sender=None, using="default", **kwargs) -> None:
    """Bring the queue's table in line; idempotent, and a run that is due stays due."""
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        # Only some apps were migrated so far.
        return
    schedules = Schedule.objects.using(using)
    for name, every in SCHEDULES.items():
        schedules.update_or_create(
            name=name,
            defaults={
                "func": every.task,
                "schedule_type": Schedule.MINUTES,
                "minutes": every.minutes,
                "repeats": -1,
            },
        )
    schedules.filter(name__startswith="clinic.").exclude(name__in=SCHEDULES).delete()
