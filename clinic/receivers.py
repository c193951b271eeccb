"""Two tables, no logic. RECORD: an event and the later domain's service that inserts rows in the same transaction.
FOLLOW: an event and the task that the queue runs after the commit (queued in the same transaction)."""

from django.utils.module_loading import import_string

from clinic.signals import EVENTS

RECORD: dict[str, tuple[str, ...]] = {}

FOLLOW: dict[str, tuple[str, ...]] = {}


def connect() -> None:
    """Wire both tables; called once, when the app is ready."""
    for name, paths in RECORD.items():
        for path in paths:
            EVENTS[name].connect(_recorder(path), weak=False, dispatch_uid=f"record:{name}:{path}")
    for name, paths in FOLLOW.items():
        for path in paths:
            EVENTS[name].connect(_follower(path), weak=False, dispatch_uid=f"follow:{name}:{path}")


def _recorder(path):
    def record(sender, subject, by, signal, **facts):
        import_string(path)(subject, by=by, **facts)

    return record


def _follower(path):
    def follow(sender, subject, by, signal, **facts):
        from django_q.tasks import async_task

        # The ORM broker writes in this transaction: rolled back means never queued.
        async_task(path, subject.pk)

    return follow
