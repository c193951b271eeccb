"""What somebody asks for, and everything that it would keep busy. Nothing here reads or refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from clinic.database import locks
from clinic.models import Location, Patient, Practitioner, Room, Service


@dataclass(frozen=True)
class Wish:
    """What somebody asks for. `end_at`, `room` and `equipment` None: as the service says, chosen by planning."""

    service: Service
    practitioner: Practitioner
    location: Location
    patient: Patient
    start_at: datetime
    end_at: datetime | None = None
    room: Room | None = None
    place: int | None = None
    equipment: tuple[int, ...] | None = None
    prefer_room: int | None = None
    exclude: int = 0

    def __post_init__(self):
        # In a local zone Python adds on the wall clock: over a change of clocks half an hour would last ninety minutes.
        for name in ("start_at", "end_at"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, getattr(self, name).astimezone(UTC))

    @property
    def left_open(self) -> set[str]:
        """What planning chooses, so that another choice may do."""
        left = set()
        if self.room is None or not self.place:
            left.add("room")
        if self.equipment is None:
            left.add("equipment")
        return left


@dataclass(frozen=True)
class Plan:
    """Everything that the visit will keep busy."""

    start_at: datetime
    end_at: datetime
    busy_from: datetime
    busy_until: datetime
    room_id: int | None
    place: int
    equipment_ids: tuple[int, ...]
    price: Decimal
    accepted: tuple[str, ...]

    def lock(self, wish: Wish, *more: int) -> None:
        """Wait for everybody who wants any of it (and the keys in `more`), and for who retires what it relies on."""
        keys = [
            locks.key(locks.PRACTITIONER, wish.practitioner.pk),
            locks.key(locks.PATIENT, wish.patient.pk),
            *(locks.key(locks.EQUIPMENT, id_) for id_ in self.equipment_ids),
            *more,
        ]
        if self.room_id:
            keys.append(locks.key(locks.ROOM, self.room_id))
        relied_on = [locks.key(locks.SERVICE, wish.service.pk), locks.key(locks.LOCATION, wish.location.pk)]
        locks.take(keys, shared=relied_on)
