"""The fixed cast of tests: one clinic in two towns, who works there, what they offer, and three patients.

`world` is the fixture; conftest imports it. Names say the role: a test reads `world.reception`, `world.ada`.
"""

import datetime as dt
from dataclasses import dataclass

import pytest

from clinic import models
from tests import factories as make


@dataclass
class World:
    organization: models.Organization
    # Locations: Camerino opens Monday to Saturday, Macerata Monday to Friday, both 08:00-20:00.
    camerino: models.Location
    macerata: models.Location
    # Rooms: two treatment rooms and a gym of three places in Camerino, one treatment room in Macerata.
    treatment_kind: models.RoomKind
    gym_kind: models.RoomKind
    room_one: models.Room
    room_two: models.Room
    gym: models.Room
    macerata_room: models.Room
    # Equipment: one unit of each kind, in Camerino.
    tecar_kind: models.EquipmentKind
    shockwave_kind: models.EquipmentKind
    tecar_unit: models.Equipment
    shockwave_unit: models.Equipment
    # Services.
    physiotherapy: models.ServiceCategory
    assessment: models.Service  # 60 min, 10 after, treatment room
    massage: models.Service  # 30 min, treatment room
    tecar: models.Service  # 30 min, treatment room and tecar
    exercise: models.Service  # 45 min, gym
    advice: models.Service  # 20 min, no room; online bookings are requests
    retired: models.Service  # inactive
    # Staff. Ada and Ben treat; the outsider works here without any role.
    administrator: models.User
    manager: models.User
    reception: models.User
    ada_user: models.User
    ben_user: models.User
    outsider: models.User
    # Ada: Monday to Friday 09-13 and 14-18 in Camerino, every service.
    ada: models.Practitioner
    # Ben: Monday, Wednesday, Friday 09-13 in Camerino, Tuesday and Thursday 09-17 in Macerata; assessment and massage.
    ben: models.Practitioner
    # Patients without any visit; Carla is inactive.
    anna: models.Patient
    bruno: models.Patient
    carla: models.Patient
    # A Monday in the future, and never a day on which Italy changes its clocks.
    monday: dt.date

    def at(self, clock: str, days: int = 0) -> dt.datetime:
        """The moment of this wall clock in Camerino, so many days after `monday`."""
        return make.moment(self.monday + dt.timedelta(days=days), clock, self.camerino.zone)

    def visit(self, clock: str = "10:00", days: int = 0, **over) -> models.Appointment:
        """A row written directly: Anna with Ada, massage in the first room, unless said otherwise."""
        return make.make_appointment(
            **{
                "start_at": self.at(clock, days),
                "service": self.massage,
                "practitioner": self.ada,
                "location": self.camerino,
                "room": self.room_one,
                "patient": self.anna,
                **over,
            }
        )


def make_world() -> World:
    cast: dict = {"monday": make.monday(weeks=2)}
    for build in (_sites, _services, _staff, _practitioners, _patients):
        cast |= build(**cast)
    return World(**cast)


@pytest.fixture
def world(db) -> World:
    return make_world()


def _sites(**_cast):
    organization = make.make_organization(name="Fisioterapia Camerino srl", tax_number="01234567890")
    camerino = make.make_location(organization=organization, name="Camerino", city="Camerino")
    macerata = make.make_location(organization=organization, name="Macerata", city="Macerata")
    make.make_opening_hours(camerino, weekdays=range(6))
    make.make_opening_hours(macerata, weekdays=range(5))
    treatment_kind = make.make_room_kind(name="Treatment room")
    gym_kind = make.make_room_kind(name="Gym")
    tecar_kind = make.make_equipment_kind(name="Tecar")
    shockwave_kind = make.make_equipment_kind(name="Shockwave")
    return {
        "organization": organization,
        "camerino": camerino,
        "macerata": macerata,
        "treatment_kind": treatment_kind,
        "gym_kind": gym_kind,
        "room_one": make.make_room(location=camerino, kind=treatment_kind, name="Room 1"),
        "room_two": make.make_room(location=camerino, kind=treatment_kind, name="Room 2"),
        "gym": make.make_room(location=camerino, kind=gym_kind, name="Gym", places=3),
        "macerata_room": make.make_room(location=macerata, kind=treatment_kind, name="Room 1"),
        "tecar_kind": tecar_kind,
        "shockwave_kind": shockwave_kind,
        "tecar_unit": make.make_equipment(location=camerino, kind=tecar_kind, name="Tecar 1"),
        "shockwave_unit": make.make_equipment(location=camerino, kind=shockwave_kind, name="Shockwave 1"),
    }


def _services(*, treatment_kind, gym_kind, tecar_kind, **_cast):
    category = make.make_category(name={"en": "Physiotherapy", "it": "Fisioterapia"})

    def service(english, italian, minutes, price, **over):
        return make.make_service(
            category=category, name={"en": english, "it": italian}, minutes=minutes, price=price, **over
        )

    return {
        "physiotherapy": category,
        "assessment": service(
            "Assessment", "Prima valutazione", 60, "70.00", buffer_after=10, room_kinds=[treatment_kind]
        ),
        "massage": service("Massage", "Massaggio", 30, "40.00", room_kinds=[treatment_kind]),
        "tecar": service(
            "Tecar therapy", "Tecarterapia", 30, "45.00", room_kinds=[treatment_kind], equipment_kinds=[tecar_kind]
        ),
        "exercise": service("Exercise", "Rieducazione motoria", 45, "35.00", room_kinds=[gym_kind]),
        "advice": service("Advice", "Consulto", 20, "30.00", approval=True),
        "retired": service("Mud bath", "Fangoterapia", 30, "25.00", active=False),
    }


def _staff(*, camerino, macerata, **_cast):
    def user(role, email, given, family, **over):
        return make.make_user(role, email=f"{email}@clinic.test", given_name=given, family_name=family, **over)

    return {
        "administrator": user("administrator", "admin", "Alba", "Ministra"),
        "manager": user("manager", "manager", "Mara", "Dirige"),
        "reception": user("receptionist", "reception", "Rita", "Banco", locations=[camerino]),
        "ada_user": user("practitioner", "ada", "Ada", "Conti", locations=[camerino]),
        "ben_user": user("practitioner", "ben", "Ben", "Rossi", locations=[camerino, macerata]),
        "outsider": user(None, "outsider", "Otto", "Fuori"),
    }


def _practitioners(*, camerino, macerata, ada_user, ben_user, **cast):
    offered = [cast[name] for name in ("assessment", "massage", "tecar", "exercise", "advice")]
    ada = make.make_practitioner(
        user=ada_user, given_name="Ada", family_name="Conti", locations=[camerino], services=offered
    )
    ben = make.make_practitioner(
        user=ben_user, given_name="Ben", family_name="Rossi", locations=[camerino, macerata], services=offered[:2]
    )
    make.make_working_hours(ada, camerino, starts="09:00", ends="13:00")
    make.make_working_hours(ada, camerino, starts="14:00", ends="18:00")
    make.make_working_hours(ben, camerino, weekdays=(0, 2, 4), starts="09:00", ends="13:00")
    make.make_working_hours(ben, macerata, weekdays=(1, 3), starts="09:00", ends="17:00")
    return {"ada": ada, "ben": ben}


def _patients(**_cast):
    def patient(given, family, born, mobile, **over):
        return make.make_patient(
            given_name=given,
            family_name=family,
            birth_on=dt.date.fromisoformat(born),
            mobile=mobile,
            email=f"{given.lower()}@example.test",
            **over,
        )

    return {
        "anna": patient("Anna", "Bianchi", "1985-03-12", "+393331112222", sex="female"),
        "bruno": patient("Bruno", "D’Angelo", "1972-11-30", "+393334445555", sex="male"),
        "carla": patient("Carla", "Verdi", "1990-07-01", "+393337778888", sex="female", active=False),
    }
