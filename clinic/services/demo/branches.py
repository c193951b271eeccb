"""Who works where, as many as a size wants. A branch is what can be filled by itself: its people work nowhere else and
its patients go nowhere else. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.text import slugify

from clinic.services.demo import catalogue, people
from clinic.services.demo.catalogue import Absence, Clinician, Desk, Site
from clinic.services.demo.chance import chance
from clinic.services.demo.sizes import Size

HALF_HOUR = 30
_COLOURS = ("#0f766e", "#2563eb", "#be185d", "#7e22ce", "#a16207", "#b91c1c", "#15803d", "#0369a1", "#c2410c")


@dataclass(frozen=True)
class Branch:
    """`weeks` and `fill` as in Size, or a number of `appointments`; `reception` is who answers at its desk."""

    key: str
    sites: tuple[Site, ...]
    clinicians: tuple[Clinician, ...]
    absences: tuple[Absence, ...]
    desk: tuple[Desk, ...]
    reception: str
    patients: int
    weeks: int = 0
    fill: float = 0
    appointments: int = 0


def of(size: Size, seed: int) -> list[Branch]:
    """The branches of a clinic of that size: one for the family clinic, one per location of a chain."""
    if not size.appointments:
        family = Branch(
            key="clinic",
            sites=catalogue.SITES,
            clinicians=catalogue.CLINICIANS,
            absences=catalogue.ABSENCES,
            desk=catalogue.DESK,
            reception="reception",
            patients=size.patients,
            weeks=size.weeks,
            fill=size.fill,
        )
        return [family]
    rng = chance(seed, "staff")
    names = {known.key for known in catalogue.CLINICIANS[:2]}
    found = []
    for place in range(size.locations):
        staff = _share(size.practitioners, size.locations, place)
        site = _site(place, staff)
        clinicians = tuple(_clinician(rng, names, site, place, number) for number in range(staff))
        reception = "reception" if place == 0 else f"reception{place + 1}"
        desk = Desk(reception, "receptionist", rng.choice(people.WOMEN), rng.choice(people.FAMILIES), (site.key,))
        found.append(
            Branch(
                key=site.key,
                sites=(site,),
                clinicians=clinicians,
                absences=_absences(clinicians),
                desk=(desk,),
                reception=reception,
                patients=_share(size.patients, size.locations, place),
                # As many for each who works there.
                appointments=_part(size, place + 1) - _part(size, place),
            )
        )
    everywhere = tuple(branch.key for branch in found)
    above = tuple(replace(desk, sites=everywhere if desk.sites else ()) for desk in catalogue.DESK[:2])
    return [replace(found[0], desk=(*above, *found[0].desk)), *found[1:]]


def _share(whole: int, parts: int, place: int) -> int:
    """The first ones get what does not divide."""
    return whole // parts + (place < whole % parts)


def _part(size: Size, places: int) -> int:
    staff = sum(_share(size.practitioners, size.locations, place) for place in range(places))
    return size.appointments * staff // size.practitioners


def _site(place: int, staff: int) -> Site:
    town, postal_code, *_rest = people.TOWNS[place % len(people.TOWNS)]
    name = town if place < len(people.TOWNS) else f"{town} {place // len(people.TOWNS) + 1}"
    week = dict.fromkeys(range(5), (catalogue.minutes("08:00"), catalogue.minutes("20:00")))
    # A room for everybody who treats in one, and the gym besides.
    consulting = staff // 10 + 1
    rooms = [(f"Stanza {number}", catalogue.TREATMENT, 1) for number in range(1, staff + 1)]
    rooms += [(f"Ambulatorio {number}", catalogue.CONSULTING, 1) for number in range(1, consulting + 1)]
    kinds = (catalogue.TECAR, catalogue.SHOCKWAVE, catalogue.LASER, catalogue.ULTRASOUND)
    return Site(
        key=slugify(name),
        name=name,
        address=f"{people.STREETS[place % len(people.STREETS)]} {1 + place}",
        postal_code=postal_code,
        city=town,
        phone=f"+39 0737 4{place:05d}",
        hours=week,
        rooms=(*rooms, ("Palestra", catalogue.GYM, max(2, staff // 2))),
        equipment=tuple((f"{kind} {unit}", kind) for kind in kinds for unit in range(1, staff // 3 + 2)),
        feasts={},
    )


def _clinician(rng, names, site: Site, place: int, number: int) -> Clinician:
    """Of ten, eight are physiotherapists, one an osteopath, one a physiatrist; all work in half hours."""
    female = rng.random() < 0.6
    given, family = rng.choice(people.WOMEN if female else people.MEN), rng.choice(people.FAMILIES)
    key = f"{slugify(given)}.{slugify(family)}"
    if place == 0 and number < 2:
        # The two who sign in for looking around.
        known = catalogue.CLINICIANS[number]
        female, given, family, key = number == 0, known.given, known.family, known.key
    elif key in names:
        key += f"{place}.{number}"
    names.add(key)
    profession, offers, skill = {
        8: (catalogue.OSTEOPATH, catalogue.OSTEOPATHY, "Osteopatia strutturale"),
        9: (catalogue.PHYSIATRIST, catalogue.PHYSIATRY, "Medicina fisica e riabilitativa"),
    }.get(number % 10, (catalogue.PHYSIOTHERAPIST, catalogue.PHYSIOTHERAPY, "Riabilitazione ortopedica"))
    return Clinician(
        key=key,
        title="Dott.ssa" if female else "Dott.",
        given=given,
        family=family,
        profession=profession,
        colour=_COLOURS[number % len(_COLOURS)],
        specialisations=(skill,),
        offers=offers,
        shifts=catalogue.shifts(site.key, range(5), "09:00-13:00", "14:00-18:00"),
        experience=rng.randrange(2, 35),
        own={offer: (None, HALF_HOUR) for offer in offers if catalogue.TREATMENT_OF[offer].minutes != HALF_HOUR},
    )


def _absences(clinicians) -> tuple[Absence, ...]:
    """One in five is away for a week of the next six."""
    return tuple(
        Absence(clinician.key, "Ferie", 7 + 7 * (number % 6), 11 + 7 * (number % 6))
        for number, clinician in enumerate(clinicians)
        if number % 5 == 4
    )
