"""Fills the storm's database: five practitioners, two rooms, two machines; prints what the clients need to know.

A program of its own, `python -m tests.storm.cast 50`, because it writes into another database than the tests'.
"""

import datetime as dt
import json
import sys

import django

SERVICES = {
    # name: (minutes, buffer after, machine too): all longer than the 15 minutes between starts.
    "Massage": (40, 5, False),
    "Tecar": (30, 10, True),
}
FIRST_HOUR, LAST_HOUR = 9, 18
# Each signs in once, and works in several windows.
PEOPLE = 5


def build(clients: int) -> dict:
    from django.utils import timezone

    from clinic.models import ClinicSettings
    from tests import factories as make

    location = make.make_location(name="Camerino")
    make.make_opening_hours(location, starts="08:00", ends="20:00")
    kind, machine = make.make_room_kind(), make.make_equipment_kind()
    rooms = [make.make_room(location=location, kind=kind, name=f"Room {number}") for number in (1, 2)]
    for number in (1, 2):
        make.make_equipment(location=location, kind=machine, name=f"Tecar {number}")
    services = [
        make.make_service(
            name={"en": name},
            minutes=minutes,
            buffer_after=after,
            room_kinds=[kind],
            equipment_kinds=[machine] if wants_machine else [],
        )
        for name, (minutes, after, wants_machine) in SERVICES.items()
    ]
    practitioners = [make.make_practitioner(locations=[location], services=services) for _ in range(5)]
    for practitioner in practitioners:
        make.make_working_hours(practitioner, location, weekdays=range(7), starts="08:00", ends="20:00")
    patients = [make.make_patient() for _ in range(clients)]
    users = [make.make_user("receptionist", email=f"desk{number}@clinic.test") for number in range(PEOPLE)]
    rules = ClinicSettings.current()
    rules.factor_roles = []
    rules.save()
    return {
        "location": location.pk,
        "zone": location.time_zone,
        "rooms": [room.pk for room in rooms],
        "services": [service.pk for service in services],
        "practitioners": [practitioner.pk for practitioner in practitioners],
        "patients": [patient.pk for patient in patients],
        "emails": [user.email for user in users],
        "password": make.PASSWORD,
        "first_on": (timezone.localdate() + dt.timedelta(days=7)).isoformat(),
    }


if __name__ == "__main__":
    django.setup()
    json.dump(build(int(sys.argv[1])), sys.stdout)
