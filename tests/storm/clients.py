"""The bookers: browsers without pictures, who send a request with its key again until somebody answers."""

from __future__ import annotations

import datetime as dt
import http.client
import random
import re
import statistics
import threading
import time
import uuid
import zoneinfo
from collections import Counter
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.storm.cast import FIRST_HOUR, LAST_HOUR
from tests.storm.product import HOST

ADD = "/admin/clinic/appointment/add/"
# Longer than any restart: who waits so long has given up.
PATIENCE = 120.0
# Answers that are none: something is broken for good, and the storm is called off.
ENOUGH_ODD = 20
_SENTENCE = re.compile(r'<p class="desk-refusal-sentence">(.*?)</p>', re.DOTALL)
_TAKEN = re.compile(
    "is busy from|has another visit|is taken from|is in use|is not free then|No room for|just been taken"
)
_BUSY = "Too many people are booking right now"


@dataclass
class Wish:
    """One request, what it asked for, and how it was answered: the id of a visit, 0 for a refusal, None for never."""

    key: str
    patient: int
    practitioner: int
    service: int
    room: int | None
    start_at: dt.datetime
    answer: int | None = None
    tries: int = 0


@dataclass
class Tally:
    """What all clients together have seen."""

    wishes: list[Wish] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    seen: Counter = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.answer]

    @property
    def refused(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.answer == 0]

    @property
    def gave_up(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.answer is None]

    def percentile(self, part: int) -> float:
        """Milliseconds of a request that was answered at its first try."""
        return 1000 * statistics.quantiles(self.seconds, n=100)[part - 1] if len(self.seconds) > 1 else 0.0


class Browser:
    """One connection, kept while it lasts, and a person's cookies."""

    def __init__(self, port: int, number: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.cookies: dict[str, str] = {}
        # As the proxy in front of a clinic's server says it.
        self.headers = {
            "Host": HOST,
            "Origin": f"https://{HOST}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": f"10.9.{number // 250}.{number % 250 + 1}",
            "Accept-Language": "en",
        }

    def ask(self, method: str, path: str, data: dict | None = None) -> tuple[int, http.client.HTTPMessage, str]:
        headers = self.headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if data is not None:
            body = urlencode(data | {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                # Messages wait in a cookie for the next page, which nobody looks at here.
                if name in ("csrftoken", "sessionid"):
                    self.cookies[name] = morsel.value
        return answer.status, answer.headers, text

    def sign_in(self, email: str, password: str) -> None:
        self.ask("GET", "/accounts/login/")
        status, headers, _text = self.ask("POST", "/accounts/login/", {"login": email, "password": password})
        assert (status, headers["Location"]) == (302, "/admin/"), (status, headers["Location"])
        status, _headers, text = self.ask("GET", ADD)
        assert (status, 'name="key"' in text) == (200, True), status


class Bookers:
    """So many browsers in step: each round all of them want something on the same day, at once."""

    def __init__(self, port: int, cast: dict, clients: int, *, seed: int, rounds: int, seconds: float | None = None):
        self.cast, self.seed, self.rounds = cast, seed, rounds
        self.until = None if seconds is None else time.monotonic() + seconds
        self.seconds = seconds
        self.round = 0
        self.over = False
        self.tally = Tally()
        self._lock = threading.Lock()
        self._step = threading.Barrier(clients, action=self._next_round)
        self.browsers = [Browser(port, number) for number in range(clients)]
        signed_in = list(zip(self.browsers, cast["emails"], strict=False))
        for browser, email in signed_in:
            browser.sign_in(email, cast["password"])
        for number, browser in enumerate(self.browsers):
            browser.cookies = signed_in[number % len(signed_in)][0].cookies
        # Daemons: who interrupts the test is not kept waiting for them.
        self.threads = [
            threading.Thread(target=self._live, args=(number, browser), daemon=True)
            for number, browser in enumerate(self.browsers)
        ]

    def start(self) -> None:
        if self.seconds is not None:
            self.until = time.monotonic() + self.seconds
        for thread in self.threads:
            thread.start()

    def running(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def stop(self) -> None:
        """No further round; comes back when everybody has an answer."""
        self.rounds = 0
        for thread in self.threads:
            thread.join()

    def prolong(self, seconds: float) -> None:
        """So much of the time was no storm but a silence."""
        if self.until is not None:
            self.until += seconds

    @property
    def progress(self) -> float:
        """How much of the storm is over, from 0 to 1."""
        if self.until is None:
            return self.round / max(self.rounds, 1)
        return 1 - (self.until - time.monotonic()) / self.seconds

    def _next_round(self) -> None:
        self.over = (
            self.round >= self.rounds
            or len(self.tally.odd) >= ENOUGH_ODD
            or (self.until is not None and time.monotonic() > self.until)
        )
        self.round += not self.over

    def _live(self, number: int, browser: Browser) -> None:
        rng = random.Random(f"{self.seed}/{number}")
        while True:
            self._step.wait()
            if self.over:
                return
            wish = self._wish(rng)
            with self._lock:
                self.tally.wishes.append(wish)
            self._book(browser, wish)

    def _wish(self, rng: random.Random) -> Wish:
        day = dt.date.fromisoformat(self.cast["first_on"]) + dt.timedelta(days=self.round)
        minutes = 60 * FIRST_HOUR + 15 * rng.randrange(4 * (LAST_HOUR - FIRST_HOUR))
        clock = dt.time(minutes // 60, minutes % 60)
        return Wish(
            key=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            patient=rng.choice(self.cast["patients"]),
            practitioner=rng.choice(self.cast["practitioners"]),
            service=rng.choice(self.cast["services"]),
            room=rng.choice([None, *self.cast["rooms"]]),
            start_at=dt.datetime.combine(day, clock, tzinfo=zoneinfo.ZoneInfo(self.cast["zone"])),
        )

    def _book(self, browser: Browser, wish: Wish) -> None:
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE and len(self.tally.odd) < ENOUGH_ODD:
            wish.tries += 1
            try:
                status, headers, text = browser.ask("POST", ADD, self._form(wish))
            except (OSError, http.client.HTTPException) as error:
                self._saw(type(error).__name__)
                time.sleep(random.uniform(0.05, 0.25))
                continue
            wish.answer = self._understood(status, headers, text)
            if wish.answer is not None:
                with self._lock:
                    if wish.tries == 1:
                        self.tally.seconds.append(time.monotonic() - began)
                return
            time.sleep(float(headers.get("Retry-After", 0.2)) * random.uniform(0.8, 1.2))

    def _understood(self, status: int, headers, text: str) -> int | None:
        """The id of the visit, 0 for a refusal, None for anything that is no answer."""
        if found := re.fullmatch(r"/admin/clinic/appointment/(\d+)/change/", headers.get("Location") or ""):
            return int(found[1])
        if status == 503:
            self._saw("503")
            return None
        sentence = _SENTENCE.search(text)
        if status == 200 and sentence and _TAKEN.search(sentence[1]):
            return 0
        if sentence and _BUSY in sentence[1]:
            self._saw("busy")
            return None
        self._saw(f"odd {status}")
        with self._lock:
            self.tally.odd.append(f"{status} {headers.get('Location')} {sentence[1] if sentence else text[:3000]}")
        return None

    def _saw(self, what: str) -> None:
        with self._lock:
            self.tally.seen[what] += 1

    def _form(self, wish: Wish) -> dict:
        return {
            "key": wish.key,
            "patient": wish.patient,
            "service": wish.service,
            "practitioner": wish.practitioner,
            "location": self.cast["location"],
            "on": wish.start_at.date().isoformat(),
            "part": "",
            "slot": f"{wish.start_at.isoformat()}/{wish.practitioner}",
            "starts": "",
            "ends": "",
            "room": wish.room or "",
            "reason": "",
            "desk_note": "",
            "referral_source": "",
            "referrer": "",
            "referring_doctor": "",
            "referral_reason": "",
            "referral_received_on": "",
            "referral_document": "",
        }
