"""The rebooking worklist: which visits are on it, why, what is proposed, and what takes them off."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.actor import Actor
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, DayException, OpeningHours, StatusChange, WorkingHours
from clinic.services import scheduling
from clinic.services.scheduling import rebooking
from tests import factories as make

BY = Actor("system")


def listed(**asked):
    page = rebooking.worklist(size=100, **asked)
    visits = [*Appointment.objects.filter(pk__in=page.ids).order_by("start_at", "pk")]
    assert page.total == len(visits)
    return [(visit.pk, rebooking.reasons(page, visits)[visit.pk]) for visit in visits]


def off(world, starts="09:00", ends="12:00", **subject):
    return make.make_time_off(start_at=world.at(starts), end_at=world.at(ends), **subject)


def test_visit_within_hours_is_not_listed(world):
    world.visit("10:00")
    assert listed() == []


def until(world, clock="12:00"):
    return f"{world.monday:%-d %b}, {clock}"


def test_visit_in_time_off_is_listed_with_its_reason(world):
    visit = world.visit("10:00")
    world.visit("12:00", patient=world.bruno)
    off(world, practitioner=world.ada, reason="Course")
    assert listed() == [(visit.pk, f"Ada Conti is off until {until(world)}: Course.")]


def test_visit_that_time_off_touches_at_its_edge_is_not_listed(world):
    world.visit("12:00")
    world.visit("08:30", practitioner=world.ben, patient=world.bruno, room=None)
    off(world, practitioner=world.ada)
    assert [pk for pk, _why in listed(practitioners=[world.ada.pk])] == []


@pytest.mark.parametrize("what", ["room", "equipment", "location"])
def test_visit_is_listed_when_room_equipment_or_location_is_off(what, world):
    thing = {"room": world.room_one, "equipment": world.tecar_unit, "location": world.camerino}[what]
    visit = world.visit("10:00", service=world.tecar, equipment=[world.tecar_unit])
    world.visit(
        "10:00", practitioner=world.ben, patient=world.bruno, room=world.room_two
    ) if what != "location" else None
    off(world, **{what: thing})
    assert listed() == [(visit.pk, f"{thing} is off until {until(world)}.")]


def test_visit_on_a_day_that_closed_is_listed_with_the_reason(world):
    visit = world.visit("10:00")
    exception = DayException.objects.create(location=world.camerino, on=world.monday, reason="Snow")
    assert listed() == [(visit.pk, "Camerino is closed: Snow.")]
    exception.open, exception.starts, exception.ends = True, dt.time(9), dt.time(11)
    exception.save()
    assert listed() == []


def test_visit_on_a_public_holiday_is_listed_by_its_name(world):
    christmas = make.moment(dt.date(2028, 12, 26), "10:00")  # a Tuesday
    visit = make.make_appointment(
        start_at=christmas, practitioner=world.ada, location=world.camerino, service=world.massage, patient=world.anna
    )
    assert listed() == []
    world.camerino.close_on_holidays = True
    world.camerino.save()
    assert listed() == [(visit.pk, "Camerino is closed: Saint Stephen's Day.")]


def test_visit_outside_changed_hours_is_listed(world):
    visit = world.visit("10:00")
    OpeningHours.objects.filter(location=world.camerino, weekday=0).update(starts=dt.time(11))
    assert listed() == [(visit.pk, "Camerino is closed then.")]
    OpeningHours.objects.filter(location=world.camerino, weekday=0).update(starts=dt.time(8))
    WorkingHours.objects.filter(practitioner=world.ada, starts=dt.time(9)).update(starts=dt.time(10, 15))
    assert listed() == [(visit.pk, "Ada Conti does not work at Camerino then.")]


def test_visit_of_who_left_is_listed(world):
    visit = world.visit("10:00")
    world.ada.active = False
    world.ada.save()
    assert listed() == [(visit.pk, "Ada Conti is inactive.")]


@pytest.mark.parametrize(
    "over", [{"status": "cancelled"}, {"status": "arrived"}, {"accepted": ["outside_hours"]}, {"days": -30}]
)
def test_visit_that_is_over_or_accepted_is_not_listed(over, world):
    world.visit("10:00", **over)
    make.make_time_off(location=world.camerino, start_at=world.at("00:00", -40), end_at=world.at("00:00", 7))
    assert listed() == []


def test_worklist_is_cut_by_practitioner_and_location(world):
    mine = world.visit("10:00")
    theirs = world.visit(
        "10:00", days=1, practitioner=world.ben, location=world.macerata, room=None, patient=world.bruno
    )
    make.make_time_off(location=world.camerino, start_at=world.at("00:00"), end_at=world.at("00:00", 7))
    make.make_time_off(location=world.macerata, start_at=world.at("00:00"), end_at=world.at("00:00", 7))
    keys = [
        [pk for pk, _why in listed(**asked)]
        for asked in (
            {},
            {"practitioners": [world.ada.pk]},
            {"locations": [world.macerata.pk]},
            {"practitioners": []},
        )
    ]
    assert keys == [[mine.pk, theirs.pk], [mine.pk], [theirs.pk], []]
    assert rebooking.count() == 2


def many(world, count):
    for number in range(count):
        world.visit(
            "10:00",
            days=number // 8,
            start_at=world.at(f"{9 + number % 8:02}:00", number // 8 * 7),
            room=None,
            patient=make.make_patient(),
        )
    make.make_time_off(location=world.camerino, start_at=world.at("00:00"), end_at=world.at("00:00", 365))


@pytest.mark.parametrize("count", [1, 12])
def test_worklist_takes_two_statements_and_its_reasons_two_more(count, world):
    many(world, count)
    with CaptureQueriesContext(connection) as queries:
        page = rebooking.worklist(size=100)
    assert (len(page.ids), len(queries)) == (count, 2)
    visits = [
        *Appointment.objects.filter(pk__in=page.ids)
        .select_related("practitioner", "location", "room")
        .prefetch_related("equipment_uses")
    ]
    with CaptureQueriesContext(connection) as queries:
        rebooking.reasons(page, visits)
    assert len(queries) == 2


def test_proposals_prefer_the_same_practitioner_and_spread_over_half_days(world):
    visit = world.visit("10:00")
    off(world, practitioner=world.ada)
    found = rebooking.proposals([visit])[visit.pk]
    assert [(slot.practitioner_id, slot.start_at) for slot in found] == [
        (world.ada.pk, world.at("12:00")),
        (world.ada.pk, world.at("14:00")),
        (world.ada.pk, world.at("10:00", 1)),
    ]


def test_proposals_fall_back_on_another_practitioner(world):
    visit = world.visit("10:00")
    make.make_time_off(practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 60))
    found = rebooking.proposals([visit])[visit.pk]
    assert [(slot.practitioner_id, slot.location_id, slot.start_at) for slot in found] == [
        (world.ben.pk, world.camerino.pk, world.at("10:00")),
        (world.ben.pk, world.camerino.pk, world.at("10:00", 2)),
        (world.ben.pk, world.camerino.pk, world.at("10:00", 4)),
    ]
    assert rebooking.proposals([visit], practitioners=[world.ada.pk])[visit.pk] == []


def test_two_visits_are_not_proposed_the_same_time_first(world):
    visits = [world.visit("10:00"), world.visit("10:30", patient=world.bruno)]
    off(world, practitioner=world.ada)
    found = rebooking.proposals(visits)
    assert [found[visit.pk][0].start_at for visit in visits] == [world.at("12:00"), world.at("12:30")]


def test_moving_to_a_proposal_takes_the_visit_off_the_list(world):
    visit = world.visit("10:00")
    off(world, practitioner=world.ada)
    slot = rebooking.proposals([visit])[visit.pk][0]
    moved = scheduling.move(visit, by=BY, start_at=slot.start_at)
    assert (moved.version, listed()) == (1, [])


def test_keeping_a_visit_wants_a_reason_and_takes_it_off_the_list(world):
    visit = world.visit("10:00")
    off(world, practitioner=world.ada)
    with pytest.raises(RuleBroken) as refused:
        rebooking.keep(visit, by=BY, reason=" ")
    assert (refused.value.code, refused.value.field) == ("reason_missing", "reason")
    kept = rebooking.keep(visit, by=BY, reason="Ada comes in for it")
    assert (kept.accepted, kept.version, listed()) == (["outside_hours"], 0, [])
    assert [(change.verb, change.reason) for change in StatusChange.objects.all()] == [("keep", "Ada comes in for it")]


def test_visit_that_is_over_cannot_be_kept(world):
    visit = world.visit("10:00", status="cancelled")
    with pytest.raises(RuleBroken, match="nothing is to be decided"):
        rebooking.keep(visit, by=BY, reason="why")
