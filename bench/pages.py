"""Pages of the desk at size: in this process, and through the web server against the smallest Django view."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from bench import desk, driver
from bench.booking import browser
from bench.clinics import Clinic
from bench.lines import Line, compared, grown
from bench.measure import in_turns
from bench.reading import Day, opens_at
from bench.served import ROWS, lengthen_pages
from bench.servers import Web
from clinic.admin.base.paging import CAP
from clinic.models import Location

LIST = "/admin/clinic/appointment/?show=all"
# A family name, as reception types it.
TERM = "rossi"


def last_page(clinic: Clinic) -> str:
    return f"{LIST}&p=last" if clinic.work.size > CAP else f"{LIST}&p={-(-clinic.work.size // ROWS)}"


def in_process(clinics: list[Clinic], *, seconds: float) -> list[Line]:
    """The list of 100 appointments, first and last page: the whole stack but the web server, against its raw SQL."""
    lengthen_pages()
    lines = []
    for name, statement, page in (
        ("list of 100, first page", "list_first", lambda clinic: LIST),
        ("list of 100, last page", "list_last", last_page),
    ):
        turns = {}
        for clinic in clinics:
            turns["floor", clinic.work.size] = _raw(clinic, statement)
            turns["ours", clinic.work.size] = _rendered(clinic, page(clinic))
        lines += _lines(f"{name}, in process", clinics, turns, seconds, "floor = its SQL alone")
    return lines


def over_http(clinics: list[Clinic], webs: dict[int, tuple[Web, Web]], *, seconds: float) -> list[Line]:
    """Pages through the web server, one client; `webs` are the product's and the floor's, by size."""
    cookies = {clinic.work.size: desk.sign_in(webs[clinic.work.size][0].port, 0) for clinic in clinics}
    pages: tuple[tuple[str, Callable, Callable], ...] = (
        ("free slots, practitioner-day, HTTP", _times, _floor_day),
        (
            "list of 100, first page, HTTP",
            lambda clinic: itertools.repeat(LIST),
            lambda clinic: itertools.repeat("/list/"),
        ),
        (
            "list of 100, last page, HTTP",
            lambda clinic: itertools.repeat(last_page(clinic)),
            lambda clinic: itertools.repeat("/list/?last"),
        ),
        (
            "patient search, HTTP",
            lambda clinic: itertools.repeat(f"/admin/clinic/patient/?q={TERM}"),
            lambda clinic: itertools.repeat(f"/patients/?q={TERM}"),
        ),
        (
            "patient page, HTTP",
            lambda clinic: (f"/admin/clinic/patient/{pk}/change/" for pk in itertools.cycle(clinic.patients[:100])),
            lambda clinic: (f"/record/patient/?id={pk}" for pk in itertools.cycle(clinic.patients[:100])),
        ),
        (
            "visit page, HTTP",
            lambda clinic: (f"/admin/clinic/appointment/{pk}/change/" for pk in itertools.cycle(clinic.visits)),
            lambda clinic: (f"/record/visit/?id={pk}" for pk in itertools.cycle(clinic.visits)),
        ),
    )
    lines = []
    for name, ours, floor in pages:
        turns = {}
        for clinic in clinics:
            size = clinic.work.size
            turns["floor", size] = _asked(webs[size][1].port, floor(clinic), None)
            turns["ours", size] = _asked(webs[size][0].port, ours(clinic), cookies[size])
        lines += _lines(name, clinics, turns, seconds, "floor = the smallest Django view")
    return lines


def _lines(name: str, clinics: list[Clinic], turns: dict, seconds: float, note: str) -> list[Line]:
    timed = in_turns(turns, itertools.repeat(None), seconds=seconds * len(clinics))
    sizes = [clinic.work.size for clinic in clinics]
    lines = [compared(name, size, timed["floor", size], timed["ours", size], note=note) for size in sizes]
    if len(sizes) > 1:
        lines.append(grown(name, sizes[-1], timed["ours", sizes[0]], timed["ours", sizes[-1]], base=sizes[0]))
    return lines


def _raw(clinic: Clinic, statement: str) -> Callable:
    def ask(_case):
        return clinic.floor(statement)

    return ask


def _rendered(clinic: Clinic, address: str) -> Callable:
    page = browser(clinic)

    def ask(_case):
        clinic.enter()
        answer = page.get(address)
        if answer.status_code != 200:
            raise desk.RefusedError(f"{address}: {answer.status_code}")

    return ask


def _asked(port: int, addresses: Iterator[str], cookies: dict | None) -> Callable:
    # One connection for the whole line, as a browser keeps it.
    connection = driver.Single(port)

    def ask(_case):
        desk.expect(connection.ask(driver.get(next(addresses), cookies)), 200, "a measured page")

    return ask


def _times(clinic: Clinic) -> Iterator[str]:
    side = Day(clinic)
    with clinic.here():
        location = Location.objects.get().pk
    for number, day in side.cases():
        yield (
            f"/admin/clinic/appointment/times/?service={side.service}&practitioner={side.members[number]}"
            f"&location={location}&on={day}"
        )


def _floor_day(clinic: Clinic) -> Iterator[str]:
    side = Day(clinic)
    for number, day in side.cases():
        opens = opens_at(day).isoformat().replace("+", "%2B")
        yield f"/day/?practitioner={side.members[number]}&opens={opens}"
