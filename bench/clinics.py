"""The loaded clinics of a run, each behind a database connection of its own: turns go from one to the next."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import psycopg
from django.conf import settings
from django.db import connection, connections

from bench.statements import statement
from bench.workload import Workload, horizon
from clinic.models import Appointment, Offering, Patient, Service


@dataclass
class Clinic:
    """One copy of one workload. Inside `here()` Django's connection leads there."""

    work: Workload
    database: str

    @cached_property
    def wrapper(self):
        made = connections.create_connection("default")
        made.settings_dict = {**settings.DATABASES["default"], "NAME": self.database}
        return made

    @contextlib.contextmanager
    def here(self) -> Iterator[None]:
        before = connections["default"]
        connections["default"] = self.wrapper
        try:
            yield
        finally:
            connections["default"] = before

    def enter(self) -> None:
        connections["default"] = self.wrapper

    @cached_property
    def raw(self) -> psycopg.Connection:
        """Django's own connection, for the floor: its statements are prepared once, as the peers' floor was."""
        self.wrapper.ensure_connection()
        self.wrapper.connection.prepare_threshold = 0
        return self.wrapper.connection

    def floor(self, name: str, **params) -> list[tuple]:
        with psycopg.Cursor(self.raw) as cursor:
            return cursor.execute(statement(name), params).fetchall()

    def team(self, name: str) -> tuple[int, list[int]]:
        """The service of a team and its practitioners."""
        with self.here():
            service = Service.objects.get(name__en=f"Visit {name}")
            members = Offering.objects.filter(service=service).order_by("practitioner_id")
            return service.pk, list(members.values_list("practitioner_id", flat=True))

    @cached_property
    def patients(self) -> list[int]:
        with self.here():
            return list(Patient.objects.order_by("pk").values_list("pk", flat=True))

    @cached_property
    def visits(self) -> list[int]:
        """Some visits of the horizon, for pages of one record."""
        with self.here():
            found = Appointment.objects.filter(day__gte=horizon()[0]).order_by("pk")
            return random.Random(1).sample(list(found.values_list("pk", flat=True)), 100)

    def close(self) -> None:
        self.wrapper.close()


def database_facts() -> dict[str, str]:
    """What the server is and how it is set, for the head of the table."""
    found = {}
    with connection.cursor() as cursor:
        for name in ("server_version", "shared_buffers", "fsync", "synchronous_commit"):
            cursor.execute("SELECT current_setting(%s)", [name])
            found[name] = cursor.fetchone()[0]
    return found
