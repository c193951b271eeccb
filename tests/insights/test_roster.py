"""Who works where: each kind of day written out by hand, and the whole compared with what can be booked."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.insights.roster import roster
from clinic.models import DayException, ExtraHours
from clinic.services import holidays
from clinic.services.scheduling import hours
from tests import factories as make


@pytest.fixture
def week(world):
    """`week()` is the roster of the manager; one day's cell of somebody by `week.of`."""

    def read(user=None, days=6, start=None, places=None, **more):
        first = start or world.monday
        places = places or [world.camerino, world.macerata]
        return roster(user or world.manager, first, first + dt.timedelta(days=days), places=places, **more)

    return read


def cell_of(found, who, day):
    (row,) = [row for row in found.rows if row.practitioner == who]
    return row.cells[found.days.index(day)]


def shifts(cell):
    return [(shift.place.name, str(shift.span), shift.extra) for shift in cell.shifts]


def gaps(found, place, day):
    (days,) = [days for where, days in found.cover if where == place]
    (cover,) = [cover for cover in days if cover.on == day]
    return [str(gap) for gap in cover.gaps]


def test_week_says_who_works_where_and_how_long(week, world):
    found = week()
    assert [row.practitioner for row in found.rows] == [world.ada, world.ben]
    assert shifts(cell_of(found, world.ada, world.monday)) == [
        ("Camerino", "09:00–13:00", False),
        ("Camerino", "14:00–18:00", False),
    ]
    tuesday = world.monday + dt.timedelta(days=1)
    assert shifts(cell_of(found, world.ben, tuesday)) == [("Macerata", "09:00–17:00", False)]
    assert [row.total for row in found.rows] == ["40:00", "28:00"]


def test_gaps_are_opening_hours_without_anybody(week, world):
    found = week()
    assert gaps(found, world.camerino, world.monday) == ["08:00–09:00", "13:00–14:00", "18:00–20:00"]
    # Ben is there on Tuesdays and Thursdays alone.
    assert gaps(found, world.macerata, world.monday) == ["08:00–20:00"]
    assert gaps(found, world.macerata, world.monday + dt.timedelta(days=1)) == ["08:00–09:00", "17:00–20:00"]
    sunday = world.monday + dt.timedelta(days=6)
    assert gaps(found, world.camerino, sunday) == []


def test_alternating_weeks_and_validity(week, world):
    wednesday = world.monday + dt.timedelta(days=2)
    make.make_working_hours(
        world.ada, world.macerata, weekdays=[2], starts="18:30", ends="19:30", every_weeks=2, anchor_on=world.monday
    )
    make.make_working_hours(
        world.ben, world.camerino, weekdays=[5], starts="09:00", ends="11:00",
        valid_until=world.monday + dt.timedelta(days=5),
    )  # fmt: skip
    found = week(days=20)
    evenings = [
        ("Macerata", "18:30–19:30", False) in shifts(cell_of(found, world.ada, wednesday + dt.timedelta(weeks=n)))
        for n in range(3)
    ]
    assert evenings == [True, False, True]
    saturdays = [
        bool(shifts(cell_of(found, world.ben, world.monday + dt.timedelta(days=5, weeks=n)))) for n in range(3)
    ]
    assert saturdays == [True, False, False]


def test_extra_hours_stand_apart_from_weekly_ones(week, world):
    ExtraHours.objects.create(
        practitioner=world.ada, location=world.camerino, on=world.monday, starts=dt.time(12), ends=dt.time(14, 30)
    )
    assert shifts(cell_of(week(), world.ada, world.monday)) == [
        ("Camerino", "09:00–12:00", False),
        ("Camerino", "12:00–14:30", True),
        ("Camerino", "14:30–18:00", False),
    ]


def test_time_off_takes_hours_and_says_why_to_who_may_know(week, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("10:00"), end_at=world.at("15:00"), reason="Dentist")
    found = week()
    cell = cell_of(found, world.ada, world.monday)
    assert [span for _place, span, _extra in shifts(cell)] == ["09:00–10:00", "15:00–18:00"]
    assert [(str(off.span), off.reason) for off in cell.absences] == [("10:00–15:00", "Dentist")]
    # Ben works until 13:00.
    assert gaps(found, world.camerino, world.monday) == ["08:00–09:00", "13:00–15:00", "18:00–20:00"]


def test_time_off_of_whole_days_has_no_times(week, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 2))
    found = week()
    absences = [cell.absences for cell in found.rows[0].cells]
    assert [[off.span for off in day] for day in absences] == [[None], [None], [], [], [], [], []]
    assert not found.rows[0].cells[1].shifts


def test_time_off_until_the_end_of_the_day_ends_at_midnight(week, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("15:00"), end_at=world.at("00:00", 1))
    (off,) = cell_of(week(), world.ada, world.monday).absences
    assert (str(off.span), off.span.brief) == ("15:00–24:00", "15–24")


def test_closed_location_is_named_with_its_reason(week, world):
    DayException.objects.create(location=world.camerino, on=world.monday, reason="Stocktaking")
    found = week()
    cell = cell_of(found, world.ada, world.monday)
    assert (cell.shifts, cell.closed) == ([], [(world.camerino, "Stocktaking")])
    assert dict(found.cover)[world.camerino][0].why_closed == "Stocktaking"
    assert not dict(found.cover)[world.camerino][0].open


def test_holiday_closes_one_location_unless_it_opens_on_it(week, world):
    day = next(on for on, _words in holidays.upcoming("IT", "", world.monday) if on.weekday() < 5 and on > world.monday)
    for place in (world.camerino, world.macerata):
        place.close_on_holidays = True
        place.save()
    DayException.objects.create(
        location=world.macerata, on=day, open=True, starts=dt.time(10), ends=dt.time(12), reason="Shift"
    )
    world.ben.working_hours.all().delete()
    make.make_working_hours(world.ben, world.macerata, weekdays=[day.weekday()], starts="09:00", ends="11:00")
    found = week(start=day - dt.timedelta(days=day.weekday()))
    ada = cell_of(found, world.ada, day)
    assert (ada.shifts, ada.closed) == ([], [(world.camerino, holidays.name("IT", "", day))])
    assert gaps(found, world.camerino, day) == []
    assert shifts(cell_of(found, world.ben, day)) == [("Macerata", "10:00–11:00", False)]
    assert gaps(found, world.macerata, day) == ["11:00–12:00"]


def test_each_location_is_told_by_its_own_clock(week, world):
    away = make.make_location(organization=world.organization, name="New York", time_zone="America/New_York")
    make.make_opening_hours(away, starts="09:00", ends="12:00")
    make.make_working_hours(world.ben, away, weekdays=[5], starts="10:00", ends="11:00")
    saturday = world.monday + dt.timedelta(days=5)
    found = week(places=[world.camerino, away])
    assert shifts(cell_of(found, world.ben, saturday)) == [("New York", "10:00–11:00", False)]
    assert gaps(found, away, saturday) == ["09:00–10:00", "11:00–12:00"]


def test_own_hours_alone_are_shown_to_who_sees_no_others(week, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("10:00"), end_at=world.at("11:00"), reason="Mine")
    found = week(user=world.ada_user)
    assert [row.practitioner for row in found.rows] == [world.ada]
    assert found.cover is None
    assert cell_of(found, world.ada, world.monday).absences[0].reason == "Mine"
    assert week(user=world.outsider).rows == []


def test_filters_leave_out_other_locations_and_professions(week, world):
    doctor = make.make_practitioner(profession="Physician", family_name="Zeta")
    make.make_working_hours(doctor, world.macerata, weekdays=[0], starts="08:00", ends="20:00")
    assert [row.practitioner for row in week(places=[world.macerata]).rows] == [world.ben, doctor]
    found = week(profession="Physician")
    assert [row.practitioner for row in found.rows] == [doctor]
    # Gaps are those of the profession that is asked for.
    assert gaps(found, world.macerata, world.monday) == []
    assert gaps(found, world.camerino, world.monday) == ["08:00–20:00"]


def test_roster_holds_exactly_what_can_be_booked(week, world):
    """Every span of two months, back as moments, is what the search for free times goes by."""
    make.make_time_off(practitioner=world.ben, start_at=world.at("11:00", 2), end_at=world.at("10:00", 9))
    make.make_time_off(location=world.camerino, start_at=world.at("15:00", 3), end_at=world.at("16:00", 3))
    found = week(days=59)
    places = {place.name: place for place in found.places}
    people, where = [world.ada.pk, world.ben.pk], [place.pk for place in places.values()]
    known = hours.load(found.days[0], found.days[-1], practitioners=people, locations=where)
    for row in found.rows:
        for cell in row.cells:
            shown = sorted(
                tuple(
                    int(dt.datetime.combine(cell.on, dt.time.fromisoformat(clock), ZoneInfo("Europe/Rome")).timestamp())
                    for clock in (shift.span.starts, shift.span.ends)
                )
                for shift in cell.shifts
            )
            bookable = sorted(
                stretch
                for place in places.values()
                for stretch in known.working_hours(row.practitioner.pk, known.sites[place.pk], cell.on)
            )
            assert shown == bookable, cell.on
