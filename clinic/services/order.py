"""Records that are listed and offered in an order of the clinic's own: moved up or down among their neighbours."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from clinic.actor import Actor
from clinic.models import Room, Service, ServiceCategory

Placed = Room | Service | ServiceCategory
# Among whom a record has its place: those with the same value here.
_GROUP: dict[type, tuple[str, ...]] = {
    Room: ("location_id", "active"),
    Service: ("category_id", "active"),
    ServiceCategory: (),
}


def up(record: Placed, *, by: Actor) -> Placed:
    """One place earlier; the first stays first."""
    return _move(record, -1)


def down(record: Placed, *, by: Actor) -> Placed:
    """One place later; the last stays last."""
    return _move(record, +1)


def _move(record: Placed, steps: int) -> Placed:
    same: QuerySet[Any] = type(record)._default_manager.filter(
        **{name: getattr(record, name) for name in _GROUP[type(record)]}
    )
    with transaction.atomic():
        rows = {row.pk: row for row in same.order_by("pk").select_for_update()}
        # In the order of the lists, which the database alone knows.
        keys = list(same.values_list("pk", flat=True))
        at = keys.index(record.pk)
        to = min(max(at + steps, 0), len(keys) - 1)
        keys.insert(to, keys.pop(at))
        for position, key in enumerate(keys, 1):
            row = rows[key]
            if to != at and row.position != position:
                row.position = position
                row.save(update_fields=["position"])
    return rows[record.pk]
