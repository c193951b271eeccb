"""The peers' workload: practitioners who work weekdays 09:00-17:00 in half hours, the next 42 weekdays half full, the
rest of the rows history. Loaded by INSERT ... SELECT as the owner: rows as the services write them, but without the
history and audit rows of each, which none of the measured pages of other records reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from clinic.models import (
    ClinicSettings,
    Location,
    Offering,
    OpeningHours,
    Organization,
    Practitioner,
    Service,
    ServiceCategory,
    User,
    WorkingHours,
)
from clinic.services.demo.people import FAMILIES, MEN, WOMEN

ZONE = "Europe/Rome"
HORIZON_DAYS, HORIZON_WEEKDAYS, SLOTS_A_DAY, MINUTES = 60, 42, 16, 30
OPENS, CLOSES = dt.time(9), dt.time(17)
PASSWORD = "never outside the bench"  # noqa: S105  (of accounts in a database that the bench drops)
# Raised when what is loaded changes: it is part of the templates' names.
VERSION = 1


@dataclass(frozen=True)
class Team:
    """Practitioners who all offer one service, and how much of their horizon is taken."""

    name: str
    practitioners: int
    fill: float

    @property
    def future(self) -> int:
        return int(self.practitioners * HORIZON_WEEKDAYS * SLOTS_A_DAY * self.fill)


@dataclass(frozen=True)
class Workload:
    """`size` appointments: first the future of each team, the rest history, spread over all practitioners."""

    name: str
    size: int
    teams: tuple[Team, ...]

    @property
    def practitioners(self) -> int:
        return sum(team.practitioners for team in self.teams)

    @property
    def patients(self) -> int:
        return max(500, self.size // 25)

    @property
    def least(self) -> int:
        """The rows of the horizon alone."""
        return sum(team.future for team in self.teams)

    @property
    def future(self) -> int:
        return min(self.size, self.least)


def ten(size: int) -> Workload:
    return Workload("ten", size, (Team("ten", 10, 0.5),))


def forty(size: int) -> Workload:
    """Two teams of 40 in one clinic: one half full, one without a single free time."""
    return Workload("forty", size, (Team("half", 40, 0.5), Team("full", 40, 1.0)))


def weekdays(first: dt.date) -> Iterator[dt.date]:
    while True:
        if first.weekday() < 5:
            yield first
        first += dt.timedelta(days=1)


def horizon() -> list[dt.date]:
    """The 42 weekdays that follow today; at most 60 days reach over them."""
    days = weekdays(timezone.localdate() + dt.timedelta(days=1))
    return [next(days) for _ in range(HORIZON_WEEKDAYS)]


def load(workload: Workload, *, clients: int) -> None:
    """Fill the database of the current connection, which is the owner's."""
    location = _clinic()
    _staff(location, clients)
    with connection.cursor() as cursor:
        cursor.execute(PATIENTS, [list(FAMILIES), [*WOMEN, *MEN], workload.patients])
        place = 0
        for team in workload.teams:
            members = _team(team, location, place)
            cursor.execute(
                FUTURE,
                {
                    **_common(workload, location, place, members),
                    "days": horizon(),
                    "rows": min(team.future, workload.size),
                },
            )
            place += team.practitioners
        everybody = list(Practitioner.objects.order_by("pk").values_list("pk", flat=True))
        rows = max(0, workload.size - workload.future)
        days = -(-rows // (workload.practitioners * SLOTS_A_DAY))
        cursor.execute(
            HISTORY,
            {
                **_common(workload, location, 0, everybody),
                "today": timezone.localdate(),
                "reach": days * 7 // 5 + 7,
                "rows": rows,
            },
        )
        cursor.execute(FLOOR)
        # Not inside a transaction; what a clinic's own autovacuum does overnight.
        for table in ("clinic_appointment", "clinic_patient", "bench_visit"):
            cursor.execute(f"VACUUM (FREEZE, ANALYZE) {table}")
        cursor.execute("ANALYZE")


def _clinic() -> Location:
    organization = Organization.objects.create(name="Bench srl")
    # Half hours, as the peers' slots are.
    location = Location.objects.create(
        organization=organization, name="Bench", time_zone=ZONE, slot_step=MINUTES, close_on_holidays=False
    )
    for day in range(5):
        OpeningHours.objects.create(location=location, weekday=day, starts=OPENS, ends=CLOSES)
    ClinicSettings(pk=1).save(force_insert=True)
    return location


def _staff(location: Location, clients: int) -> None:
    password, role = make_password(PASSWORD), Group.objects.get(name="receptionist")
    for number in range(clients):
        user = User.objects.create(
            email=address(number), given_name="Reception", family_name=str(number), password=password
        )
        user.groups.add(role)
        user.locations.add(location)


def address(number: int) -> str:
    return f"reception{number}@clinic.bench"


def _team(team: Team, location: Location, place: int) -> list[int]:
    category, _new = ServiceCategory.objects.get_or_create(name={"en": "Treatments"})
    service = Service.objects.create(
        name={"en": f"Visit {team.name}"}, category=category, minutes=MINUTES, price=Decimal(40)
    )
    members = []
    for number in range(place, place + team.practitioners):
        practitioner = Practitioner.objects.create(
            given_name=WOMEN[number % len(WOMEN)],
            family_name=FAMILIES[number % len(FAMILIES)],
            profession="Physiotherapist",
        )
        practitioner.locations.add(location)
        Offering.objects.create(practitioner=practitioner, service=service)
        for day in range(5):
            WorkingHours.objects.create(
                practitioner=practitioner, location=location, weekday=day, starts=OPENS, ends=CLOSES
            )
        members.append(practitioner.pk)
    return members


def _common(workload: Workload, location: Location, place: int, members: list[int]) -> dict:
    return {
        "zone": ZONE,
        "location": location.pk,
        "place": place,
        "everybody": workload.practitioners,
        "patients": workload.patients,
        "members": members,
        "opens": OPENS,
    }


PATIENTS = """
INSERT INTO clinic_patient (active, uid, family_name, given_name, birth_on, sex, gender, email, mobile, phone, address,
    postal_code, city, province, country, language, emergency_name, emergency_phone, emergency_relation, family_doctor,
    employer, desk_note, created_at)
SELECT true, gen_random_uuid(), families[1 + n %% cardinality(families)], given[1 + n / 7 %% cardinality(given)],
    date '1940-01-01' + (n::bigint * 7919 %% 29000)::int, 'unknown', '', 'patient' || n || '@example.test',
    '+39333' || lpad(n::text, 7, '0'), '', 'Via Roma ' || n %% 200, '62032', 'Camerino', 'MC', 'IT', 'it', '', '', '',
    '', '', '', now() - n %% 1000 * interval '1 day'
FROM (SELECT %s::text[] AS families, %s::text[] AS given) names, generate_series(1, %s) n
"""

# A half hour's patients follow from its number: no two practitioners see the same one at once.
_APPOINTMENTS = """
INSERT INTO clinic_appointment (uid, service_id, practitioner_id, location_id, place, patient_id, start_at, end_at,
    busy_from, busy_until, zone, status, overlap_reason, accepted, source, reason, desk_note, referring_doctor,
    referral_reason, price_quoted, version, cancelled_by, late, created_at, updated_at, arrived_at, started_at,
    ended_at)
SELECT gen_random_uuid(), o.service_id, v.practitioner, %(location)s, 1, p.first + v.patient, v.start_at,
    v.start_at + interval '30 minutes', v.start_at, v.start_at + interval '30 minutes', %(zone)s, {status}, '', '{{}}',
    'desk', '', '', '', '', 40, 0, '', false, {created}, {created}, {arrived}, {arrived}, {arrived}
FROM (
    SELECT members.id AS practitioner,
        (d.day + %(opens)s::time + slot * interval '30 minutes') AT TIME ZONE %(zone)s AS start_at,
        ((d.day - date '2000-01-01') * 16 + slot)::bigint * %(everybody)s + %(place)s + members.number - 1 AS turn
    FROM {days} d, generate_series(0, 15) slot,
        unnest(%(members)s::bigint[]) WITH ORDINALITY AS members(id, number)
    ORDER BY {order} LIMIT %(rows)s
) w
CROSS JOIN (SELECT min(id) AS first FROM clinic_patient) p
CROSS JOIN LATERAL (SELECT w.practitioner, w.start_at, w.turn %% %(patients)s AS patient) v
CROSS JOIN LATERAL (SELECT min(service_id) AS service_id FROM clinic_offering WHERE practitioner_id = v.practitioner) o
ORDER BY v.start_at, v.practitioner
"""

FUTURE = _APPOINTMENTS.format(
    days="(SELECT unnest(%(days)s::date[]) AS day)",
    # Random, and the same on every machine.
    order="md5(d.day::text || slot || members.number)",
    status="'scheduled'",
    created="now()",
    arrived="NULL::timestamptz",
)

HISTORY = _APPOINTMENTS.format(
    days="(SELECT %(today)s::date - n AS day FROM generate_series(1, %(reach)s) n"
    " WHERE extract(isodow FROM %(today)s::date - n) < 6)",
    order="d.day DESC, slot, members.number",
    status="'completed'",
    created="v.start_at - interval '7 days'",
    arrived="v.start_at",
)

# What the smallest safe booking needs, and nothing else.
FLOOR = """
CREATE TABLE bench_visit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    practitioner_id bigint NOT NULL,
    patient_id bigint NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    request_key text UNIQUE,
    EXCLUDE USING gist (practitioner_id WITH =, tstzrange(start_at, end_at) WITH &&)
);
INSERT INTO bench_visit (practitioner_id, patient_id, start_at, end_at)
SELECT practitioner_id, patient_id, start_at, end_at FROM clinic_appointment ORDER BY start_at
"""
