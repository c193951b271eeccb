"""How large a demo clinic is: by name, or by numbers with the rest in proportion. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic.exceptions import RuleBroken

# A chain's practitioners work in half hours, eight hours a day, five days a week.
HALF_HOURS_A_WEEK = 80
DAYS_AHEAD = 60
# Half of the time ahead is booked.
AHEAD_EACH = HALF_HOURS_A_WEEK * DAYS_AHEAD // 7 // 2
# Beyond this the oldest visits would be before anybody kept books on a computer.
MOST_YEARS = 50


@dataclass(frozen=True)
class Size:
    """Either a family clinic, `weeks` back and ahead with `fill` of the working time kept busy, or a chain, which
    reaches back as far as its number of `appointments` takes."""

    patients: int
    weeks: int = 0
    fill: float = 0
    practitioners: int = 0
    locations: int = 0
    appointments: int = 0


NAMED = {
    "small": Size(patients=40, weeks=2, fill=0.15),
    "clinic": Size(patients=400, weeks=5, fill=0.72),
    "chain": Size(practitioners=40, locations=4, patients=200_000, appointments=1_000_000),
}
NUMBERS = ("practitioners", "locations", "patients", "appointments")


def parse(text: str) -> Size:
    """`small`, `clinic`, `chain`, `500000` (appointments) or `practitioners=40,locations=4,patients=…,appointments=…`.

    What is not said is in proportion to the chain. Refused with code "size".
    """
    if text in NAMED:
        return NAMED[text]
    if re.fullmatch(r"[0-9_]+", text):
        text = f"appointments={text}"
    given = {}
    for part in text.split(","):
        name, _equals, number = part.partition("=")
        if name not in NUMBERS or not re.fullmatch(r"[0-9_]{1,12}", number) or int(number) < 1:
            raise RuleBroken(
                "size",
                f"Size “{part}” is not understood: {', '.join(NAMED)}, a number of appointments, or {NUMBERS[0]}=40,…",
            )
        given[name] = int(number)
    return _in_proportion(given)


def _in_proportion(given: dict[str, int]) -> Size:
    practitioners = given.get("practitioners") or -(-given.get("appointments", 1_000_000) // 25_000)
    appointments = given.get("appointments") or practitioners * 25_000
    size = Size(
        practitioners=practitioners,
        locations=given.get("locations") or -(-practitioners // 10),
        patients=given.get("patients") or max(20, appointments // 5),
        appointments=appointments,
    )
    if size.locations > practitioners:
        raise RuleBroken("size", "Each location wants a practitioner at least.")
    if appointments > practitioners * HALF_HOURS_A_WEEK * 52 * MOST_YEARS * 0.8:
        raise RuleBroken("size", f"So many appointments in {MOST_YEARS} years want more practitioners.")
    return size
