"""What a new clinic lacks, from an empty database to the first booking."""

import datetime as dt
from dataclasses import asdict

import pytest
from django.utils import timezone

from clinic.insights import first_run
from clinic.services.scheduling import slots
from tests import factories as make

pytestmark = pytest.mark.django_db

DONE = ("opening_hours", "category", "service", "practitioner", "offering", "working_hours", "resources")


def done(service=None):
    """What is there, or None; and the booking path agrees whether a time can be offered."""
    start = first_run.start()
    if service:
        today = timezone.localdate()
        offered = slots.free(service.pk, first_on=today, last_on=today + dt.timedelta(days=14))
        assert bool(offered) == (start is None)
    return start and [name for name in DONE if asdict(start)[name]]


def test_start_names_what_is_there_step_by_step():
    assert done() == []
    camerino = make.make_location(name="Camerino")
    assert first_run.start().unopened == camerino.pk
    make.make_opening_hours(camerino)
    assert (done(), first_run.start().unopened) == (["opening_hours"], None)
    make.make_room(location=camerino)
    assert done() == ["opening_hours", "resources"]
    massage = make.make_service()
    ada = make.make_practitioner()
    start = first_run.start()
    assert (start.offers_nothing, start.has_no_hours) == (ada.pk, None)
    make.make_offering(practitioner=ada, service=massage)
    start = first_run.start()
    assert (start.offers_nothing, start.has_no_hours) == (None, ada.pk)
    assert done() == ["opening_hours", "category", "service", "practitioner", "offering", "resources"]
    make.make_working_hours(ada, camerino)
    assert done() is None


@pytest.fixture
def bookable(db):
    """Nothing but a room is wanting."""
    here, kind = make.make_location(), make.make_room_kind()
    make.make_opening_hours(here)
    massage = make.make_service(room_kinds=[kind, make.make_room_kind()])
    ada = make.make_practitioner(services=[massage])
    make.make_working_hours(ada, here)
    return here, kind, massage, ada


def test_start_wants_a_room_of_the_kind_where_the_practitioner_works(bookable):
    here, kind, massage, _ada = bookable
    assert done(massage) == [name for name in DONE if name != "resources"]
    elsewhere = make.make_location()
    make.make_opening_hours(elsewhere)
    make.make_room(location=elsewhere, kind=kind)
    make.make_room(location=here, kind=kind, active=False)
    make.make_room(location=here)
    assert done(massage) == [name for name in DONE if name != "resources"]
    make.make_room(location=here, kind=kind)
    assert done(massage) is None
    unit = make.make_equipment_kind()
    massage.equipment_kinds.set([unit])
    assert done(massage) == [name for name in DONE if name != "resources"]
    make.make_equipment(location=elsewhere, kind=unit)
    assert done(massage) == [name for name in DONE if name != "resources"]
    make.make_equipment(location=here, kind=unit)
    assert done(massage) is None


@pytest.mark.parametrize("what", ["place", "massage", "ada", "over"])
def test_start_counts_what_is_active(what, bookable):
    here, kind, massage, ada = bookable
    make.make_room(location=here, kind=kind)
    assert first_run.start() is None
    if what == "over":
        ada.working_hours.update(valid_until=dt.date(2020, 1, 1))
    else:
        row = {"place": here, "massage": massage, "ada": ada}[what]
        row.active = False
        row.save()
    assert first_run.start() is not None


def test_start_is_over_with_the_first_visit(bookable, django_assert_num_queries):
    here, _kind, massage, ada = bookable
    make.make_appointment(service=massage, practitioner=ada, location=here)
    ada.active = False
    ada.save()
    with django_assert_num_queries(1):
        assert first_run.start() is None


def test_start_takes_two_statements_where_all_is_there(world, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert first_run.start() is None
