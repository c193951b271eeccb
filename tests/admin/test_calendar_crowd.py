"""A day of forty practitioners and six hundred visits, and how much it weighs."""

import gzip
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories as make

pytestmark = pytest.mark.heavy
GIVEN = ("Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Gaia", "Hugo", "Irene", "Luca", "Marta", "Nino")
FAMILY = ("Bianchi", "Conti", "D’Angelo", "Esposito", "Ferri", "Galli", "Leone", "Marini", "Neri", "Orlandi", "Pace")


def crowd(world, practitioners=40, visits=15):
    """Everybody treats somebody else every half hour from nine on, in a room of the own."""
    services = [world.massage, world.tecar, world.exercise]
    for number in range(practitioners):
        person = make.make_practitioner(
            given_name=GIVEN[number % 12], family_name=f"{FAMILY[number % 11]} {number}", locations=[world.camerino]
        )
        make.make_working_hours(person, world.camerino, starts="09:00", ends="17:00")
        room = make.make_room(location=world.camerino, kind=world.treatment_kind, name=f"Stanza {number}")
        for at in range(visits):
            world.visit(
                f"{9 + at // 2:02}:{'30' if at % 2 else '00'}",
                minutes=30,
                practitioner=person,
                room=room,
                service=services[at % 3],
                patient=make.make_patient(given_name=GIVEN[at % 12], family_name=f"{FAMILY[(at + number) % 11]}"),
                status=("scheduled", "confirmed", "arrived", "completed")[at % 4],
                desk_note="brings pictures of the knee" if at % 5 == 0 else "",
            )


def test_crowded_day_stays_light_and_costs_as_many_queries_as_an_empty_one(world, desk):
    client, feed = desk(world.reception), reverse("admin:clinic_appointment_calendar_feed")

    def ask(days=0):
        with CaptureQueriesContext(connection) as asked:
            response = client.get(feed, {"on": (world.at("10:00", days)).date()})
        return response.content, len(asked)

    ask()
    crowd(world)
    _empty, cheap = ask(days=7)
    full, dear = ask()
    assert len(json.loads(full)["visits"]) == 600
    assert dear - cheap <= 2  # the names of rooms and services that there are none of
    assert len(gzip.compress(full, 6)) < 60_000
