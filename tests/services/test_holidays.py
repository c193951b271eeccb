"""Public holidays: who closes when, in which words, and which regions there are."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import DayException, OpeningHours
from clinic.services import holidays, scheduling, sites
from clinic.services.scheduling import slots
from tests import factories as make

AMBROSE = dt.date(2027, 12, 7)  # a Tuesday, in Milan alone
BY = Actor("system")


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "closed"),
    [
        ("IT", "MI", AMBROSE, True),
        ("IT", "MC", AMBROSE, False),
        ("IT", "", AMBROSE, False),
        ("IT", "MC", dt.date(2027, 8, 31), True),
        ("IT", "", dt.date(2027, 12, 8), True),
        ("IT", "", dt.date(2027, 3, 29), True),  # Easter Monday
        ("US", "NY", dt.date(2027, 7, 4), True),
        ("IT", "gone", dt.date(2027, 12, 8), True),
        ("XX", "", dt.date(2027, 12, 25), False),
        ("IT", "", dt.date(2999, 12, 25), False),
    ],
)
def test_closes_by_country_and_region(country, subdivision, day, closed):
    assert holidays.closes(country, subdivision, day) is closed


def test_names_are_in_the_language_of_the_reader():
    assert holidays.name("IT", "MI", AMBROSE) == "Saint Ambrose's Day"
    with translation.override("it"):
        assert holidays.name("IT", "MI", AMBROSE) == "Sant'Ambrogio"
    assert holidays.name("IT", "MC", AMBROSE) == ""


def test_between_tells_days_and_names_across_the_year():
    found = holidays.between("IT", "", dt.date(2027, 12, 26), dt.date(2028, 1, 6))
    assert [day.isoformat() for day, _name in found] == ["2027-12-26", "2028-01-01", "2028-01-06"]


@pytest.mark.parametrize(("text", "code"), [("mi", "MI"), (" Macerata ", "MC"), ("", "")])
def test_region_understands_codes_and_names(text, code):
    assert holidays.region("IT", text) == code


def test_region_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(RuleBroken, match=r"“57” is no region of IT .* AG, AL, AN,") as refused:
        holidays.region("IT", "57")
    assert (refused.value.code, refused.value.field) == ("unknown_region", "subdivision")
    with pytest.raises(RuleBroken, match="has no regions"):
        holidays.region("SM", "Borgo")


def test_country_without_known_holidays_is_refused():
    holidays.check_country("IT")
    with pytest.raises(RuleBroken, match="No public holidays are known for “XX”"):
        holidays.check_country("XX")


@pytest.fixture
def milan(world):
    """Camerino stands in Milan, Macerata stays in its province; Ben works in both on Tuesdays."""
    world.camerino.close_on_holidays, world.camerino.subdivision = True, "MI"
    world.camerino.save()
    world.macerata.close_on_holidays, world.macerata.subdivision = True, "MC"
    world.macerata.save()
    make.make_working_hours(world.ben, world.camerino, weekdays=[1], starts="17:00", ends="19:00")
    return world


def times(world, day, **wanted):
    found = slots.free(world.massage.pk, first_on=day, at=world.at("00:00", -7), **wanted)
    return {(slot.location_id, slot.practitioner_id) for slot in found}


def test_holiday_closes_one_location_and_not_the_other(milan):
    assert times(milan, AMBROSE) == {(milan.macerata.pk, milan.ben.pk)}
    everywhere = {
        (milan.macerata.pk, milan.ben.pk),
        (milan.camerino.pk, milan.ben.pk),
        (milan.camerino.pk, milan.ada.pk),
    }
    assert times(milan, AMBROSE - dt.timedelta(days=7)) == everywhere
    milan.camerino.close_on_holidays = False
    milan.camerino.save()
    assert times(milan, AMBROSE) == everywhere


def test_holidays_add_no_statement_to_free_times(milan):
    with CaptureQueriesContext(connection) as queries:
        times(milan, AMBROSE, last_on=AMBROSE + dt.timedelta(days=30))
    assert len(queries) == 2


def test_booking_on_a_holiday_is_refused_by_its_name(milan):
    visit = milan.visit("10:00")
    with pytest.raises(RuleBroken) as refused:
        scheduling.move(visit, by=BY, start_at=make.moment(AMBROSE, "10:00"))
    assert (refused.value.code, str(refused.value)) == ("outside_hours", "Camerino is closed: Saint Ambrose's Day.")


def test_opening_on_a_holiday_takes_the_hours_of_the_weekday(milan):
    sites.open_on(milan.camerino, by=BY, on=AMBROSE)
    opened = DayException.objects.get()
    assert (opened.open, opened.starts, opened.ends) == (True, dt.time(8), dt.time(20))
    assert (milan.camerino.pk, milan.ada.pk) in times(milan, AMBROSE)
    with pytest.raises(RuleBroken, match="has an exception already"):
        sites.open_on(milan.camerino, by=BY, on=AMBROSE)


def test_opening_on_a_weekday_without_hours_wants_them(milan):
    OpeningHours.objects.filter(location=milan.camerino, weekday=1).delete()
    with pytest.raises(RuleBroken) as refused:
        sites.open_on(milan.camerino, by=BY, on=AMBROSE)
    assert (refused.value.code, refused.value.field) == ("hours_missing", "starts")
    sites.open_on(milan.camerino, by=BY, on=AMBROSE, starts=dt.time(9), ends=dt.time(12))
    assert DayException.objects.get().starts == dt.time(9)
