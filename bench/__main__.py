"""`python -m bench`: load what is missing, measure every line, print one table."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
import traceback
from pathlib import Path

from bench import environment

GROUPS = ("slots", "first-free", "lists", "pages", "bookings")
CLIENTS = 16


def main() -> int:
    options = _options()
    environment.enter()
    # Django is loaded from here on.
    from django.core.management import call_command

    from bench import report
    from bench.databases import server
    from clinic.management.commands.run import collect_static

    _say("Preparing.")
    busy = _used_by_others()
    call_command("compilemessages", verbosity=0)
    collect_static()
    with server() as connection:
        lines, facts = _run(connection, options)
    about = report.head(facts, busy)
    print(report.as_text(lines, about))
    if options.json:
        options.json.write_text(report.as_json(lines, about, facts), encoding="utf-8")
    if options.markdown:
        report.replace_block(options.markdown, report.as_markdown(lines, about))
    return 1 if any(line.error for line in lines) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", type=_sizes, default=[1_000, 200_000, 1_000_000], help="appointments, by commas")
    parser.add_argument("--seconds", type=float, default=4, help="how long each side of a line is measured")
    parser.add_argument("--only", choices=GROUPS, action="append", help="one group of lines; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines there, too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="replace the marked block of this document")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return sorted({int(part.replace("_", "")) for part in text.split(",")})


def _run(connection, options: argparse.Namespace) -> tuple[list, dict[str, str]]:
    from bench.clinics import Clinic, database_facts
    from bench.databases import Databases
    from bench.workload import forty, ten

    wanted = set(options.only or GROUPS)
    databases = Databases(connection, clients=CLIENTS, say=_say)
    clinics: list[Clinic] = []
    try:
        smallest, largest = options.size[0], options.size[-1]
        tens = [Clinic(ten(size), databases.copy(ten(size))) for size in options.size]
        clinics += tens
        forties = []
        if "first-free" in wanted:
            # The horizon alone fills 40,320 rows; smaller there is not.
            sizes = sorted({max(size, forty(size).least) for size in (smallest, largest)})
            forties = [Clinic(forty(size), databases.copy(forty(size))) for size in sizes]
            clinics += forties
        with tens[0].here():
            facts = database_facts()
        began = time.monotonic()
        lines = list(_measure(wanted, tens, forties, options.seconds))
        _say(f"Measured in {time.monotonic() - began:.0f} s, loading apart.")
        return lines, facts
    finally:
        for clinic in clinics:
            clinic.close()
        databases.drop_copies()


def _measure(wanted: set[str], tens: list, forties: list, seconds: float):
    from bench import pages, reading

    work = []
    if "slots" in wanted:
        work += [
            ("practitioner-day", lambda: reading.measure([reading.Day(clinic) for clinic in tens], seconds=seconds)),
            (
                "practitioner-month",
                lambda: reading.measure([reading.Month(clinic) for clinic in tens], seconds=seconds),
            ),
        ]
    for team in ("half full", "full") if forties else ():
        sides = [reading.FirstFree(clinic, team) for clinic in forties]
        work.append((f"first free, {team}", lambda sides=sides: reading.measure(sides, seconds=seconds)))
    if "lists" in wanted:
        work.append(("lists in process", lambda: pages.in_process(tens, seconds=seconds)))
    yield from _attempt(work)
    if wanted & {"pages", "bookings"}:
        yield from _attempt([("web servers", lambda: list(_over_http(wanted, tens, seconds)))])


def _over_http(wanted: set[str], tens: list, seconds: float):
    from bench import booking, pages

    with _servers(tens) as webs:
        work = []
        if "pages" in wanted:
            work.append(("pages", lambda: pages.over_http(tens, webs, seconds=seconds)))
        for clinic in tens if "bookings" in wanted else ():
            ours, floor = webs[clinic.work.size]

            def bookings(clinic=clinic, ours=ours, floor=floor):
                return booking.measure(clinic, ours=ours, floor=floor, seconds=seconds / 2)

            work.append((f"bookings at {clinic.work.size:,}", bookings))
        yield from _attempt(work)


def _attempt(work: list):
    """Lines of each piece of work; one that fails is a line that says so."""
    from bench.lines import Line

    for name, measure in work:
        _say(f"Measuring {name}.")
        try:
            yield from measure()
        except Exception as error:
            traceback.print_exc()
            yield Line(name, 0, error=f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def _servers(tens: list):
    from bench.servers import serving

    with contextlib.ExitStack() as stack:
        webs = {}
        for clinic in tens:
            ours = stack.enter_context(serving("bench.served:application", clinic.database, health="/accounts/login/"))
            floor = stack.enter_context(
                serving("bench.floor.wsgi", clinic.database, health="/", conf="bench/floor/gunicorn.py")
            )
            webs[clinic.work.size] = (ours, floor)
        yield webs


def _used_by_others() -> float:
    """Cores that everybody else keeps busy, over a second."""
    import psutil

    before = psutil.cpu_times()
    time.sleep(1)
    after = psutil.cpu_times()
    idle = (after.idle - before.idle) + (after.iowait - before.iowait if hasattr(after, "iowait") else 0)
    return max(0.0, psutil.cpu_count() - idle)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
