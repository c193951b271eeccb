"""Bookings per second through the web server: the form of the desk against the smallest safe Django form."""

from __future__ import annotations

import gzip
import re
import statistics
import uuid
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from bench import desk, driver
from bench.clinics import Clinic
from bench.driver import Outcome
from bench.environment import HOST
from bench.lines import Line, counted
from bench.servers import Web
from bench.workload import address, horizon
from clinic import actor
from clinic.models import Appointment, Location, Patient, Practitioner, Service, User
from clinic.services import scheduling

CLIENTS = 16
LEAST = 0.25
STATEMENTS_MOST = 14
ROUNDS = 3

FREE = """
SELECT m.id, t.start_at,
    ((d.day - date '2000-01-01') * 16 + slot)::bigint * cardinality(%(members)s::bigint[]) + m.number - 1
FROM unnest(%(days)s::date[]) AS d(day)
CROSS JOIN generate_series(0, 15) slot
CROSS JOIN unnest(%(members)s::bigint[]) WITH ORDINALITY AS m(id, number)
CROSS JOIN LATERAL (
    SELECT (d.day + time '09:00' + slot * interval '30 minutes') AT TIME ZONE 'Europe/Rome' AS start_at
) t
WHERE NOT EXISTS (
    SELECT FROM clinic_appointment a WHERE a.practitioner_id = m.id AND a.busy_from = t.start_at AND a.holds
)
ORDER BY md5(d.day::text || slot || m.id)
"""


class Wishes:
    """Free times of the horizon, each given out once, with a patient who has no other visit then."""

    def __init__(self, clinic: Clinic) -> None:
        self.service, members = clinic.team("ten")
        with clinic.here(), connection.cursor() as cursor:
            cursor.execute(FREE, {"members": members, "days": horizon()})
            patients = clinic.patients
            self.left = [(who, start, patients[turn % len(patients)]) for who, start, turn in cursor.fetchall()]
            self.location = Location.objects.get().pk

    def form(self, token: str) -> dict[str, str] | None:
        """The next booking form, or None when everything is taken."""
        if not self.left:
            return None
        return desk.form(self.left.pop(), service=self.service, location=self.location, token=token)


class Round:
    """One kind of booking: who sends what where, and what became of it."""

    def __init__(self, name: str, web: Web, requests: Callable[[int], Iterator[bytes]]) -> None:
        self.name, self.web, self.requests = name, web, requests
        self.outcomes: list[Outcome] = []
        self.spent: list[tuple[float, float]] = []

    def run(self, seconds: float) -> None:
        before = self.web.cpu_seconds()
        outcome = driver.drive(self.web.port, CLIENTS, self.requests, seconds=seconds)
        after = self.web.cpu_seconds()
        self.outcomes.append(outcome)
        self.spent.append(((after[0] - before[0]) / outcome.done, (after[1] - before[1]) / outcome.done))

    def forget(self) -> None:
        """The round just run was a warm-up."""
        self.outcomes.clear()
        self.spent.clear()

    @property
    def cost(self) -> str:
        """Milliseconds of a core that one booking takes of web server and database."""
        web, database = (statistics.median(each) * 1000 for each in zip(*self.spent, strict=True))
        return f"{web:.1f} + {database:.1f} ms of a core"

    @property
    def rates(self) -> list[float]:
        return [outcome.rate for outcome in self.outcomes]

    @property
    def booked(self) -> int:
        return sum(answer.status == 302 for outcome in self.outcomes for answer in outcome.answers)

    @property
    def refused(self) -> list:
        return [answer for outcome in self.outcomes for answer in outcome.answers if answer.status != 302]

    @property
    def p95(self) -> float:
        waits = sorted(wait for outcome in self.outcomes for wait in outcome.latencies)
        return waits[int(len(waits) * 0.95)] * 1000

    @property
    def driver_share(self) -> float:
        return max(outcome.driver_share for outcome in self.outcomes)


def measure(clinic: Clinic, *, ours: Web, floor: Web, seconds: float) -> list[Line]:
    """Lines of one clinic, whose product answers at `ours` and whose floor at `floor`."""
    wishes = Wishes(clinic)
    lines = _statements(clinic, wishes)
    free = list(wishes.left)
    with clinic.here():
        before = Appointment.objects.count()
    sessions = [desk.sign_in(ours.port, number) for number in range(CLIENTS)]
    floor_sessions = [
        driver.ask(floor.port, driver.get(f"/sign-in/?email={address(number)}")).cookies for number in range(CLIENTS)
    ]
    kinds = [
        Round("smallest safe form", floor, _floor_requests("/book/", free, [None] * CLIENTS)),
        Round("the same with session", floor, _floor_requests("/book-signed-in/", free, floor_sessions)),
        Round("the same in an admin", floor, _floor_requests("/book-in-admin/", free, floor_sessions, _ADMIN_NAMES)),
        Round("the desk's form", ours, _our_requests(wishes, sessions)),
    ]
    for turn in range(-1, ROUNDS):
        for kind in kinds:
            # The first turn warms up: workers load their templates, connections open.
            kind.run(seconds if turn >= 0 else min(1.0, seconds))
            if turn < 0:
                warm = kind.booked if kind.web is ours else 0
                _check(kind)
                kind.forget()
            if kind.web is floor:
                _forget(clinic)
    with clinic.here():
        stored = Appointment.objects.count() - before
    return [*_lines(clinic, kinds, stored - warm), *lines]


def _lines(clinic: Clinic, kinds: list[Round], stored: int) -> list[Line]:
    smallest, with_session, in_admin, desk_form = kinds
    size, name = clinic.work.size, f"bookings, {CLIENTS} clients"
    for kind in kinds[:-1]:
        _check(kind)
    lines = []
    for kind, behind, target in (
        (smallest, "", LEAST),
        (with_session, ", floor with session and user", None),
        (in_admin, ", floor a bare admin form", None),
    ):
        share = statistics.median(ours / theirs for ours, theirs in zip(desk_form.rates, kind.rates, strict=True))
        lines.append(
            Line(
                name + behind,
                size,
                unit="per second",
                floor=statistics.median(kind.rates),
                floor_p95=None,
                ours=statistics.median(desk_form.rates),
                ratio=share,
                target=f"≥ {target:g}" if target else "",
                met=share >= target if target else None,
                note=f"each {kind.cost} / {desk_form.cost}; 95 % within {kind.p95:.0f} / {desk_form.p95:.0f} ms; "
                f"driver busy {kind.driver_share:.0%} / {desk_form.driver_share:.0%} of a core",
            )
        )
    refused = len(desk_form.refused)
    valid = counted(f"{name}: valid requests refused", size, refused, note=f"{desk_form.booked:,} booked")
    valid.target, valid.met = "0", refused == 0
    if refused:
        valid.note += f"; the first: {_reason(desk_form.refused[0])}"
    if stored != desk_form.booked:
        valid.error = f"{desk_form.booked} were told yes, {stored} are stored"
    return [*lines, valid]


def _check(kind: Round) -> None:
    if kind.refused:
        raise desk.RefusedError(f"{kind.name}: {kind.refused[0].status}, {_reason(kind.refused[0])}")


def _reason(answer) -> str:
    body = answer.body
    if answer.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    text = body.decode(errors="replace")
    found = re.search(r'(?s)class="[^"]*(?:errorlist|desk-refusal)[^"]*".*?</(?:ul|div)>', text)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0] if found else text[:300]).split())[:200]


# What the bare admin form calls what the smallest one calls otherwise.
_ADMIN_NAMES = {"practitioner": "practitioner_id", "patient": "patient_id", "start": "start_at", "key": "request_key"}


def _floor_requests(
    path: str, free: list, sessions: list, names: Mapping[str, str] = MappingProxyType({})
) -> Callable[[int], Iterator[bytes]]:
    def requests(number):
        cookies = sessions[number] and {**sessions[number], "csrftoken": "a" * 32}
        for practitioner, start, patient in free[number::CLIENTS]:
            data = {"practitioner": practitioner, "patient": patient, "start": start.isoformat(), "key": uuid.uuid4()}
            data = {names.get(name, name): value for name, value in data.items()}
            if cookies:
                data["csrfmiddlewaretoken"] = cookies["csrftoken"]
            yield driver.post(path, data, cookies)

    return requests


def _our_requests(wishes: Wishes, sessions: list) -> Callable[[int], Iterator[bytes]]:
    def requests(number):
        cookies = sessions[number]
        while (data := wishes.form(cookies["csrftoken"])) is not None:
            yield driver.post(desk.ADD, data, cookies)

    return requests


def _forget(clinic: Clinic) -> None:
    with clinic.here(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM bench_visit WHERE request_key IS NOT NULL")


def browser(clinic: Clinic) -> Browser:
    """A signed-in receptionist in this process: the whole stack but the web server."""
    with clinic.here():
        made = Browser(headers={"host": HOST, "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1"})
        made.force_login(User.objects.get(email=address(0)), "clinic.permissions.RoleBackend")
    return made


def _statements(clinic: Clinic, wishes: Wishes) -> list[Line]:
    """How many statements a booking takes: the service alone, and the whole request around it."""
    with clinic.here():
        practitioner, start, patient = wishes.left.pop()
        wanted = Appointment(
            service=Service.objects.get(pk=wishes.service),
            practitioner=Practitioner.objects.get(pk=practitioner),
            location=Location.objects.get(pk=wishes.location),
            patient=Patient.objects.get(pk=patient),
            start_at=start,
        )
        by = actor.staff(User.objects.get(email=address(0)))
        with CaptureQueriesContext(clinic.wrapper) as asked, actor.acting(by):
            scheduling.book(wanted, by=by, key=str(uuid.uuid4()))
        service = _without_brackets(asked)
        page = browser(clinic)
        page.get(desk.ADD)
        for _twice in range(2):
            data = wishes.form("")
            with CaptureQueriesContext(clinic.wrapper) as asked:
                answer = page.post(desk.ADD, data)
        if answer.status_code != 302:
            raise desk.RefusedError(f"booking in this process: {answer.status_code}")
        whole = _without_brackets(asked)
    size = clinic.work.size
    note = "without BEGIN and COMMIT"
    return [
        counted("statements of a booking, service", size, service, most=STATEMENTS_MOST, note=note),
        counted("statements of a booking, whole request", size, whole, note=note),
    ]


def _without_brackets(asked: CaptureQueriesContext) -> int:
    return sum(query["sql"] not in ("BEGIN", "COMMIT") for query in asked.captured_queries)
