"""Reception at the desk: signing in through the door, and what the booking form posts."""

from __future__ import annotations

import datetime as dt
import uuid

from bench import driver, workload
from bench.driver import Answer

ADD = "/admin/clinic/appointment/add/"


class RefusedError(Exception):
    """A page of the product did not answer as it should."""


def expect(answer: Answer, status: int, what: str) -> Answer:
    if answer.status != status:
        raise RefusedError(f"{what}: {answer.status} instead of {status}. {answer.body[:300]!r}")
    return answer


def sign_in(port: int, number: int) -> dict[str, str]:
    """The cookies of a receptionist who has just come in."""
    page = expect(driver.ask(port, driver.get("/accounts/login/")), 200, "sign-in page")
    cookies = dict(page.cookies)
    data = {
        "csrfmiddlewaretoken": cookies["csrftoken"],
        "login": workload.address(number),
        "password": workload.PASSWORD,
    }
    answer = expect(driver.ask(port, driver.post("/accounts/login/", data, cookies)), 302, "sign-in")
    cookies.update(answer.cookies)
    page = expect(driver.ask(port, driver.get(ADD, cookies)), 200, "booking form")
    # The greeting has been shown: its cookie is taken back.
    cookies.update(page.cookies)
    return {name: value for name, value in cookies.items() if value.strip('"')}


def form(wish: tuple, *, service: int, location: int, token: str) -> dict[str, str]:
    """Everything that the booking form posts when an offered time was clicked."""
    practitioner, start, patient = wish
    return {
        "csrfmiddlewaretoken": token,
        "key": str(uuid.uuid4()),
        "patient": str(patient),
        "service": str(service),
        "practitioner": str(practitioner),
        "location": str(location),
        "on": f"{start.astimezone(dt.UTC):%Y-%m-%d}",
        "part": "",
        "slot": f"{start.isoformat()}/{practitioner}",
        "starts": "",
        "ends": "",
        "room": "",
        "reason": "Back pain since Monday",
        "desk_note": "",
        "referring_doctor": "",
        "referral_reason": "",
        "referral_received_on": "",
        "_save": "Save",
    }
