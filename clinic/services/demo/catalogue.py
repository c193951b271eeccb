"""The demo clinic as data: sites, rooms, equipment, services, staff, hours, closures. No rows, no chance."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from clinic.services import holidays

ORGANIZATION = {
    "name": "Fisioterapia Camerino",
    "legal_name": "Fisioterapia Camerino Società Cooperativa Sociale",
    "tax_number": "01234560438",
    "vat_number": "IT01234560438",
}

TREATMENT, CONSULTING, GYM = "Stanza di trattamento", "Ambulatorio", "Palestra"
TECAR, SHOCKWAVE, LASER, ULTRASOUND = "Tecar", "Onde d’urto", "Laser", "Ultrasuoni"


@dataclass(frozen=True)
class Site:
    """`hours` is weekday -> (opens, closes), in minutes after midnight. `feasts` are (month, day)s on which the town
    celebrates, beside the public holidays of `subdivision`."""

    key: str
    name: str
    address: str
    postal_code: str
    city: str
    phone: str
    hours: dict[int, tuple[int, int]]
    rooms: tuple[tuple[str, str, int], ...]
    equipment: tuple[tuple[str, str], ...]
    feasts: dict[tuple[int, int], str]
    subdivision: str = ""
    time_zone: str = "Europe/Rome"
    slot_step: int = 15

    def is_closed(self, day: dt.date) -> bool:
        """Does it celebrate on this day?"""
        return (day.month, day.day) in self.feasts or holidays.closes("IT", self.subdivision, day)


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def clock(after_midnight: int) -> dt.time:
    return dt.time(*divmod(after_midnight % 1440, 60))


_WEEK = dict.fromkeys(range(5), (minutes("08:00"), minutes("20:00")))

SITES = (
    Site(
        key="camerino",
        name="Camerino",
        address="Via Madonna delle Carceri 9",
        postal_code="62032",
        city="Camerino",
        phone="+39 0737 400100",
        hours=_WEEK | {5: (minutes("08:30"), minutes("13:00"))},
        rooms=(
            ("Stanza 1", TREATMENT, 1),
            ("Stanza 2", TREATMENT, 1),
            ("Stanza 3", TREATMENT, 1),
            ("Ambulatorio", CONSULTING, 1),
            ("Palestra", GYM, 4),
        ),
        equipment=(
            ("Tecar 1", TECAR),
            ("Tecar 2", TECAR),
            ("Onde d’urto", SHOCKWAVE),
            ("Laser", LASER),
            ("Ultrasuoni", ULTRASOUND),
        ),
        feasts={(5, 18): "San Venanzio"},
    ),
    Site(
        key="macerata",
        name="Macerata",
        address="Corso Cavour 41",
        postal_code="62100",
        city="Macerata",
        phone="+39 0733 400200",
        hours=_WEEK,
        rooms=(
            ("Stanza 1", TREATMENT, 1),
            ("Stanza 2", TREATMENT, 1),
            ("Ambulatorio", CONSULTING, 1),
            ("Palestra", GYM, 2),
        ),
        equipment=(("Tecar", TECAR), ("Onde d’urto", SHOCKWAVE), ("Laser", LASER)),
        # The province stands for its chief town: San Giuliano, on 31 August, is not Camerino’s.
        feasts={},
        subdivision="MC",
    ),
)


@dataclass(frozen=True)
class Treatment:
    """A service. `first` marks what a patient comes for the first time; `weight` how often it is chosen."""

    key: str
    category: int
    it: str
    en: str
    minutes: int
    price: Decimal
    rooms: tuple[str, ...] = (TREATMENT,)
    equipment: tuple[str, ...] = ()
    before: int = 0
    after: int = 0
    approval: bool = False
    online: bool = True
    video: bool = False
    referral: bool = False
    first: bool = False
    weight: int = 3


def _treatment(key, category, it, en, length, euros, **more):
    return Treatment(key, category, it, en, length, Decimal(f"{euros}.00"), **more)


# (Italian, English, colour)
CATEGORIES = (
    ("Visite e valutazioni", "Consultations and assessments", "#1d4ed8"),
    ("Fisioterapia", "Physiotherapy", "#0f766e"),
    ("Terapie strumentali", "Instrumental therapies", "#b45309"),
    ("Osteopatia", "Osteopathy", "#7e22ce"),
    ("Palestra e sport", "Gym and sport", "#15803d"),
)

TREATMENTS = (
    _treatment(
        "assessment", 0, "Prima valutazione fisioterapica", "First physiotherapy assessment", 60, 70, first=True
    ),
    _treatment(
        "physiatry",
        0,
        "Visita fisiatrica",
        "Physiatric consultation",
        45,
        120,
        rooms=(CONSULTING,),
        approval=True,
        first=True,
    ),
    _treatment(
        "physiatry-review",
        0,
        "Visita fisiatrica di controllo",
        "Physiatric follow-up",
        30,
        80,
        rooms=(CONSULTING,),
        weight=6,
    ),
    _treatment(
        "osteopathy-assessment", 0, "Valutazione osteopatica", "Osteopathic assessment", 60, 80, after=5, first=True
    ),
    _treatment("video", 0, "Consulto a distanza", "Video consultation", 20, 45, rooms=(), video=True, weight=1),
    _treatment("physiotherapy", 1, "Seduta di fisioterapia", "Physiotherapy session", 45, 50, weight=9),
    _treatment("manual", 1, "Terapia manuale", "Manual therapy", 30, 45, weight=6),
    _treatment(
        "rehabilitation", 1, "Rieducazione motoria individuale", "Individual rehabilitation", 45, 40, rooms=(GYM,)
    ),
    _treatment(
        "post-surgery",
        1,
        "Rieducazione post-chirurgica",
        "Post-operative rehabilitation",
        60,
        60,
        rooms=(GYM, TREATMENT),
        referral=True,
    ),
    _treatment("drainage", 1, "Linfodrenaggio manuale", "Manual lymph drainage", 60, 55, after=10, weight=2),
    _treatment("taping", 1, "Bendaggio funzionale", "Functional taping", 20, 25, online=False, weight=1),
    _treatment("tecar", 2, "Tecarterapia", "Tecar therapy", 30, 40, equipment=(TECAR,), weight=6),
    _treatment("shockwave", 2, "Onde d’urto", "Shockwave therapy", 20, 60, equipment=(SHOCKWAVE,), before=5, after=5),
    _treatment("laser", 2, "Laserterapia", "Laser therapy", 20, 30, equipment=(LASER,)),
    _treatment("ultrasound", 2, "Ultrasuonoterapia", "Ultrasound therapy", 20, 22, equipment=(ULTRASOUND,), weight=1),
    _treatment("osteopathy", 3, "Trattamento osteopatico", "Osteopathic treatment", 45, 70, after=5, weight=9),
    _treatment(
        "osteopathy-children",
        3,
        "Osteopatia pediatrica",
        "Osteopathy for children",
        45,
        70,
        after=5,
        approval=True,
        weight=2,
    ),
    _treatment("posture", 4, "Ginnastica posturale individuale", "Individual posture training", 45, 35, rooms=(GYM,)),
    _treatment(
        "sports-assessment",
        4,
        "Valutazione funzionale sportiva",
        "Functional sports assessment",
        60,
        90,
        rooms=(GYM,),
        after=15,
        weight=1,
    ),
    _treatment("sports-massage", 4, "Massaggio sportivo", "Sports massage", 45, 50),
)

TREATMENT_OF = {treatment.key: treatment for treatment in TREATMENTS}


@dataclass(frozen=True)
class Shift:
    """Working hours of one weekday; `every` weeks, counted from the current one."""

    weekday: int
    site: str
    starts: int
    ends: int
    every: int = 1


def shifts(site, weekdays, *hours, every=1):
    return tuple(
        Shift(day, site, minutes(starts), minutes(ends), every)
        for day in weekdays
        for starts, ends in (stretch.split("-") for stretch in hours)
    )


@dataclass(frozen=True)
class Clinician:
    """`own` overrides a service's (price, minutes)."""

    key: str
    title: str
    given: str
    family: str
    profession: str
    colour: str
    specialisations: tuple[str, ...]
    offers: tuple[str, ...]
    shifts: tuple[Shift, ...]
    experience: int
    own: dict[str, tuple[Decimal | None, int | None]]

    @property
    def sites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(shift.site for shift in self.shifts))

    @cached_property
    def assessment(self) -> Treatment:
        """What somebody new gets."""
        return next(TREATMENT_OF[key] for key in self.offers if TREATMENT_OF[key].first)

    @cached_property
    def treatments(self) -> tuple[Treatment, ...]:
        return tuple(TREATMENT_OF[key] for key in self.offers if not TREATMENT_OF[key].first)

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """How often each of the treatments is chosen, added up."""
        return tuple(accumulate(treatment.weight for treatment in self.treatments))


PHYSIOTHERAPIST, OSTEOPATH, PHYSIATRIST = "Fisioterapista", "Osteopata", "Fisiatra"

PHYSIOTHERAPY = (
    "assessment", "physiotherapy", "manual", "rehabilitation", "post-surgery", "drainage", "taping", "tecar",
    "laser", "ultrasound", "posture", "sports-massage", "video",
)  # fmt: skip
OSTEOPATHY = ("osteopathy-assessment", "osteopathy", "osteopathy-children", "manual", "posture")
PHYSIATRY = ("physiatry", "physiatry-review", "shockwave", "video")

CLINICIANS = (
    Clinician(
        "ada", "Dott.ssa", "Ada", "Conti", PHYSIOTHERAPIST, "#0f766e",
        ("Fisioterapia sportiva",), (*PHYSIOTHERAPY, "sports-assessment"),
        shifts("camerino", range(5), "09:00-13:00", "14:00-18:00"), 14,
        {"sports-massage": (Decimal("55.00"), None)},
    ),
    Clinician(
        "ben", "Dott.", "Ben", "Ferri", PHYSIOTHERAPIST, "#2563eb",
        ("Riabilitazione ortopedica",), PHYSIOTHERAPY,
        shifts("camerino", (0, 2, 4), "08:30-13:00", "14:00-17:00")
        + shifts("macerata", (1, 3), "09:00-13:00", "15:00-19:00"), 6,
        {"post-surgery": (None, 75)},
    ),
    Clinician(
        "chiara", "Dott.ssa", "Chiara", "Moretti", PHYSIOTHERAPIST, "#be185d",
        ("Riabilitazione neurologica", "Linfodrenaggio"), PHYSIOTHERAPY,
        shifts("macerata", range(5), "09:00-13:00", "14:30-18:30"), 9, {},
    ),
    Clinician(
        "davide", "", "Davide", "Rinaldi", OSTEOPATH, "#7e22ce",
        ("Osteopatia strutturale",), OSTEOPATHY,
        shifts("camerino", (0, 1), "09:00-13:00", "15:00-19:00")
        + shifts("macerata", (3, 4), "10:00-13:00", "14:00-19:00")
        + shifts("camerino", (5,), "09:00-13:00", every=2), 11, {},
    ),
    Clinician(
        "elena", "", "Elena", "Marchetti", OSTEOPATH, "#a16207",
        ("Osteopatia pediatrica",), OSTEOPATHY,
        shifts("macerata", range(4), "10:00-14:00", "15:00-19:00"), 4, {},
    ),
    Clinician(
        "federico", "Dott.", "Federico", "Valli", PHYSIATRIST, "#b91c1c",
        ("Medicina fisica e riabilitativa",), PHYSIATRY,
        shifts("camerino", (0, 2), "15:00-19:00") + shifts("macerata", (1, 4), "09:00-13:00"), 22, {},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """A sign-in that treats nobody."""

    key: str
    role: str
    given: str
    family: str
    sites: tuple[str, ...] = ()


DESK = (
    Desk("admin", "administrator", "Alessandra", "Amici"),
    Desk("manager", "manager", "Marco", "Mancini", ("camerino", "macerata")),
    Desk("reception", "receptionist", "Rita", "Bellini", ("camerino",)),
)


@dataclass(frozen=True)
class Absence:
    """Time off: `who` is a practitioner, (site, room) or (site, unit); days count from the current week's Monday."""

    who: str | tuple[str, str]
    reason: str
    first: int
    last: int
    starts: int = 0
    ends: int = 1440

    def covers(self, monday: dt.date, day: dt.date) -> bool:
        return self.first <= (day - monday).days <= self.last


ABSENCES = (
    Absence("ada", "Ferie", 24, 25),
    Absence("ben", "Corso di aggiornamento", -7, -7, minutes("14:00")),
    Absence("chiara", "Ferie", -21, -17),
    Absence("davide", "Visita medica", 14, 14, minutes("09:00"), minutes("11:00")),
    Absence("elena", "Permesso", 2, 2, minutes("15:00")),
    Absence("federico", "Congresso SIMFER", 29, 32),
    Absence(("camerino", "Stanza 3"), "Imbiancatura", 10, 11),
    Absence(("macerata", "Laser"), "Manutenzione annuale", 16, 16),
)

DOCTORS = (
    {
        "family_name": "Bartoli",
        "given_name": "Enrica",
        "speciality": "Ortopedia",
        "workplace": "Ospedale di Camerino",
        "phone": "0737 639111",
        "email": "ortopedia@ospedale.test",
    },
    {
        "family_name": "Cingolani",
        "given_name": "Paolo",
        "speciality": "Medicina generale",
        "workplace": "Ambulatorio di via Favorino",
        "phone": "0737 632010",
    },
    {
        "family_name": "De Santis",
        "given_name": "Maria Vittoria",
        "speciality": "Fisiatria",
        "workplace": "Centro riabilitativo di Macerata",
        "phone": "0733 257410",
        "email": "fisiatria@centro.test",
    },
    {"family_name": "Ottaviani", "given_name": "Giulio", "speciality": "Medicina dello sport"},
)
