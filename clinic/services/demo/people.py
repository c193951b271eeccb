"""Invented patients: names, birth dates, addresses, phone numbers. Pure; all chance comes from the given Random."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from django.utils.text import slugify


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WOMEN = words(
    "Giulia Francesca Anna Maria Chiara Sara Laura Valentina Elisa Martina Alessandra Federica Silvia Paola Elena "
    "Giorgia Sofia Aurora Alice Ginevra Emma Beatrice Camilla Ludovica Marta Irene Claudia Cristina Daniela Roberta "
    "Simona Barbara Monica Patrizia Antonella Lucia Teresa Rosa Carla Angela Giuseppina Caterina Margherita Rita "
    "Ilaria Michela Noemi Serena Veronica Arianna Bianca Emanuela Loredana Nadia Ornella Sabrina Tiziana Viola"
)
MEN = words(
    "Francesco Alessandro Lorenzo Andrea Matteo Luca Marco Davide Giuseppe Antonio Giovanni Riccardo Stefano Simone "
    "Federico Gabriele Leonardo Tommaso Edoardo Filippo Nicola Paolo Roberto Mario Luigi Vincenzo Salvatore Pietro "
    "Angelo Carlo Franco Domenico Bruno Sergio Claudio Massimo Maurizio Fabio Daniele Cristian Emanuele Enrico "
    "Giacomo Alberto Mattia Michele Samuele Diego Elia Jacopo Nicolò Raffaele Renato Umberto Valerio Walter Ivan"
)
FAMILIES = words(
    "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Costa Giordano Mancini Rizzo "
    "Lombardi Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone Longo Gentile Martinelli "
    "Vitale Lombardo Serra Coppola Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini Grasso Valentini "
    "Messina Sala Gatti Pellegrini Palumbo Sanna Farina Rizzi Monti Cattaneo Morelli Amato Silvestri Mazza Testa "
    "Grassi Pellegrino Carbone Giuliani Benedetti Barone Rossetti Caputo Montanari Guerra Palmieri Bernardi Martino "
    "Fiore Ferretti Bellini Basile Riva Donati Piras Vitali Battaglia Sartori Neri Costantini Milani Pagano Ruggiero "
    "Sorrentino Orlando Damico Negri Cardarelli Cicconi Pettinari Cingolani Compagnucci Paolini Pierantoni Marcelletti "
    "Fratini Scuriatti Tacconi Ciccarelli Meschini Bonifazi Gasparri Crucianelli Ortolani Perugini Quaglia Zampetti"
)
# Names that trip up searches: apostrophes, spaces, accents.
PARTICLES = ("D’Angelo", "De Luca", "Di Stefano", "Dell’Orso", "Lo Presti", "La Rocca", "Cantù", "Canèpa", "De’ Medici")
TOWNS = (
    ("Camerino", "62032", "MC", 9),
    ("Macerata", "62100", "MC", 9),
    ("Castelraimondo", "62022", "MC", 3),
    ("Matelica", "62024", "MC", 3),
    ("San Severino Marche", "62027", "MC", 3),
    ("Tolentino", "62029", "MC", 4),
    ("Corridonia", "62014", "MC", 2),
    ("Treia", "62010", "MC", 2),
    ("Muccia", "62034", "MC", 1),
    ("Pieve Torina", "62036", "MC", 1),
    ("Serravalle di Chienti", "62038", "MC", 1),
    ("Fabriano", "60044", "AN", 1),
)
STREETS = (
    "Via Roma", "Via Garibaldi", "Via Mazzini", "Corso Vittorio Emanuele II", "Via Dante Alighieri", "Via Leopardi",
    "Via Giacomo Matteotti", "Viale Europa", "Via dei Tigli", "Via San Francesco", "Piazza Cavour", "Via Verdi",
    "Contrada Fonte", "Via della Vittoria", "Via Aldo Moro", "Borgo San Giorgio", "Via Raffaello", "Via Piave",
)  # fmt: skip
MOBILE_PREFIXES = words("320 328 329 333 334 335 338 339 340 342 345 347 348 349 366 380 388 389 391 392 393")
RELATIONS = ("moglie", "marito", "figlio", "figlia", "madre", "padre", "sorella", "fratello")
CLUBS = ("Pallavolo Macerata", "Camerino Calcio", "Università di Camerino", "Atletica AVIS", "CUS Camerino")


_TOWN_WEIGHTS = [town[3] for town in TOWNS]
_SLUGS = {name: slugify(name) for name in (*WOMEN, *MEN, *FAMILIES, *PARTICLES)}


@dataclass(frozen=True, slots=True)
class Person:
    """A patient to be. `registered_at` is aware; inactive people have no visits ahead."""

    uid: uuid.UUID
    given: str
    family: str
    sex: str
    birth_on: dt.date
    mobile: str
    phone: str
    email: str
    address: str
    postal_code: str
    city: str
    province: str
    language: str
    registered_at: dt.datetime
    emergency: tuple[str, str, str]
    family_doctor: str
    employer: str
    active: bool
    deceased_on: dt.date | None


def invent(
    count: int, *, rng: Random, today: dt.date, since: dt.date, old: float, zone: dt.tzinfo, first: int = 0
) -> Iterator[Person]:
    """`count` people in the order of their registration: a share of `old` in the four years before `since`, the others
    evenly from then to yesterday. `first` numbers them, so that no e-mail address is anybody else's."""
    were = int(count * old)
    for number in range(count):
        if number < were:
            registered_on = since - dt.timedelta(days=1460 - 1460 * number // were)
        else:
            registered_on = since + (today - since) * ((number - were) / (count - were))
        yield _person(rng, first + number, today, registered_on, number < were, since, zone)


def uid(rng: Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def mobile(rng: Random) -> str:
    """A well-formed Italian mobile number, E.164."""
    return f"+39{rng.choice(MOBILE_PREFIXES)}{rng.randrange(2_000_000, 10_000_000)}"


def _person(rng, number, today, registered_on, old, since, zone) -> Person:
    female = rng.random() < 0.56
    given = rng.choice(WOMEN if female else MEN)
    if rng.random() < 0.06:
        given += " " + rng.choice(WOMEN if female else MEN)
    family = rng.choice(PARTICLES if rng.random() < 0.05 else FAMILIES)
    born = today - dt.timedelta(days=int(365.25 * min(94, max(4, rng.gauss(48, 20)))) + rng.randrange(365))
    town, postal_code, province, _weight = rng.choices(TOWNS, _TOWN_WEIGHTS)[0]
    inactive = rng.random() < 0.03
    deceased = inactive and old and rng.random() < 0.3
    return Person(
        uid=uid(rng),
        given=given,
        family=family,
        sex="female" if female else "male",
        birth_on=min(born, registered_on - dt.timedelta(days=30)),
        mobile=mobile(rng),
        phone=f"+39 0737 {rng.randrange(600_000, 700_000)}" if rng.random() < 0.15 else "",
        email=f"{_SLUGS[given] if given in _SLUGS else slugify(given)}.{_SLUGS[family]}{number}@example.test"
        if rng.random() < 0.85
        else "",
        address=f"{rng.choice(STREETS)} {rng.randrange(1, 140)}",
        postal_code=postal_code,
        city=town,
        province=province,
        language="en" if rng.random() < 0.04 else "it",
        registered_at=dt.datetime.combine(
            registered_on, dt.time(8 + rng.randrange(11), rng.randrange(60)), tzinfo=zone
        ),
        emergency=_emergency(rng, family) if rng.random() < 0.4 else ("", "", ""),
        family_doctor=f"Dott. {rng.choice(MEN)} {rng.choice(FAMILIES)}" if rng.random() < 0.5 else "",
        employer=rng.choice(CLUBS) if rng.random() < 0.08 else "",
        active=not inactive,
        deceased_on=since - dt.timedelta(days=1) if deceased else None,
    )


def _emergency(rng, family):
    relation = rng.choice(RELATIONS)
    given = rng.choice(WOMEN if relation in ("moglie", "figlia", "madre", "sorella") else MEN)
    return f"{given} {family}", mobile(rng), relation
