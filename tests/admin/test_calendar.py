"""The calendar's page and data: what each role gets, on which clock, and what is asked of the database."""

import datetime as dt
import json
import zoneinfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.models import AuditEntry, DayException
from clinic.signin import session
from clinic.signin.middleware import POLL_HEADER
from tests import factories as make
from tests.admin.crawler.cast import CANARY, sing

PAGE, FEED, LIST, PRINT = (
    reverse(f"admin:clinic_appointment_calendar{part}") for part in ("", "_feed", "_list", "_print")
)


@pytest.fixture
def feed(desk, world):
    """`feed(user, **address)`: the decoded picture, visits as dicts."""

    def read(user, **address):
        response = desk(user).get(FEED, {"on": world.monday.isoformat(), **address})
        assert response.status_code == 200
        found = json.loads(response.content)
        found["visits"] = [dict(zip(found["fields"], row, strict=True)) for row in found["visits"]]
        return found

    return read


def names(found):
    return [visit["name"] for visit in found["visits"]]


def test_feed_tells_a_visit(world, feed):
    visit = world.visit("10:00", status="confirmed", desk_note="brings pictures")
    found = feed(world.reception)
    assert found["visits"] == [
        {
            "id": visit.pk,
            "version": 0,
            "start": f"{world.monday}T10:00",
            "minutes": 30,
            "again": 0,
            "practitioner": world.ada.pk,
            "location": world.camerino.pk,
            "room": world.room_one.pk,
            "place": 1,
            "status": "confirmed",
            "service": world.massage.pk,
            "patient": world.anna.pk,
            "name": "Bianchi Anna",
            "phone": "+393331112222",
            "note": "brings pictures",
            "overlap": "",
            "online": 0,
            "late": 0,
        }
    ]
    assert found["people"][str(world.ada.pk)] == ["Ada Conti", "#0f766e"]
    assert found["services"] == {str(world.massage.pk): ["Massage", "#0f766e"]}
    assert found["rooms"] == {str(world.room_one.pk): ["Room 1", 1]}


def test_day_has_a_column_per_practitioner_who_works_or_has_visits(world, feed):
    assert [column[:2] for column in feed(world.reception)["columns"]] == [
        [f"p{world.ada.pk}", "Ada Conti"],
        [f"p{world.ben.pk}", "Ben Rossi"],
    ]
    tuesday = (world.monday + dt.timedelta(days=1)).isoformat()
    assert [column[1] for column in feed(world.reception, on=tuesday)["columns"]] == ["Ada Conti"]
    world.visit("10:00", days=1, practitioner=world.ben)
    assert [column[1] for column in feed(world.reception, on=tuesday)["columns"]] == ["Ada Conti", "Ben Rossi"]


def test_day_by_room_has_a_column_per_place(world, feed):
    world.visit("10:00", service=world.advice, room=None)
    assert [column[:2] for column in feed(world.reception, by="room")["columns"]] == [
        [f"r{world.gym.pk}-1", "Gym · 1"],
        [f"r{world.gym.pk}-2", "Gym · 2"],
        [f"r{world.gym.pk}-3", "Gym · 3"],
        [f"r{world.room_one.pk}-1", "Room 1"],
        [f"r{world.room_two.pk}-1", "Room 2"],
        ["r0-1", "No room"],
    ]


def test_shade_tells_closed_absent_and_unworked_apart(world, feed):
    make.make_time_off(practitioner=world.ada, start_at=world.at("16:00"), end_at=world.at("18:00"))
    shade = [row[1:] for row in feed(world.reception)["shade"] if row[0] == f"p{world.ada.pk}"]
    day, next_day = world.monday.isoformat(), (world.monday + dt.timedelta(days=1)).isoformat()
    assert sorted(shade, key=lambda row: row[1]) == [
        ["closed", f"{day}T00:00", f"{day}T08:00"],
        ["unworked", f"{day}T08:00", f"{day}T09:00"],
        ["unworked", f"{day}T13:00", f"{day}T14:00"],
        ["off", f"{day}T16:00", f"{day}T18:00"],
        ["unworked", f"{day}T18:00", f"{day}T20:00"],
        ["closed", f"{day}T20:00", f"{next_day}T00:00"],
    ]


def test_closed_day_is_shaded_whole_and_named(world, feed):
    DayException.objects.create(location=world.camerino, on=world.monday)
    found = feed(world.reception, view="week")
    assert found["closed"] == [world.monday.isoformat(), (world.monday + dt.timedelta(days=6)).isoformat()]
    first = next(row for row in found["shade"] if row[2].startswith(world.monday.isoformat()))
    assert first[1:] == [
        "closed",
        f"{world.monday}T00:00",
        f"{world.monday + dt.timedelta(days=1)}T00:00",
    ]


@pytest.mark.parametrize(("view", "days"), [("day", 1), ("week", 7), ("month", 35)])
def test_views_reach_over_whole_weeks(world, feed, view, days):
    found = feed(world.reception, view=view, on="2027-03-10")
    first, last = map(dt.date.fromisoformat, found["days"])
    assert ((last - first).days + 1, first.weekday() if days > 1 else 0) == (days, 0)


# Whose


def test_practitioner_gets_the_own_calendar_and_everybodys_when_asked(world, feed):
    world.visit("10:00")
    world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    own = feed(world.ada_user)
    assert (names(own), own["busy"], [column[1] for column in own["columns"]]) == (["Bianchi Anna"], [], ["Ada Conti"])
    everybody = feed(world.ada_user, practitioner="all")
    assert names(everybody) == ["Bianchi Anna"]
    assert everybody["busy"] == [[f"{world.monday}T10:00", 30, world.ben.pk, world.room_two.pk, 1]]


@pytest.mark.parametrize("address", [
    {}, {"view": "week"}, {"view": "month"}, {"view": "list"}, {"by": "room"}, {"status": "cancelled"},
    {"status": "scheduled"},
])  # fmt: skip
@pytest.mark.parametrize("url", [PAGE, FEED, LIST, PRINT])
def test_colleagues_visits_sing_nowhere(world, desk, url, address):
    patient = sing(make.make_patient(family_name=CANARY, given_name=CANARY))
    visit = sing(world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=patient))
    response = desk(world.ada_user).get(url, {"on": world.monday, "practitioner": "all", **address})
    body = response.content.decode()
    assert response.status_code == 200
    assert CANARY not in body.lower()
    assert str(visit.uid) not in body
    if url == FEED:
        # Who treats, where and when; no key, status or service to tell more by.
        assert json.loads(body)["busy"] == [[f"{world.monday}T10:00", 30, world.ben.pk, world.room_two.pk, 1]]
        assert json.loads(body)["services"] == {}


@pytest.mark.parametrize("asked", ["status", "service"])
def test_filters_answer_nothing_about_colleagues_visits(world, feed, asked):
    world.visit("10:00", practitioner=world.ben)
    values = {"status": ["scheduled", "cancelled"], "service": [world.massage.pk, world.assessment.pk]}[asked]
    answers = [feed(world.ada_user, practitioner="all", **{asked: value}) for value in values]
    assert answers[0] == answers[1]
    assert len(answers[0]["busy"]) == 1


def test_manager_looks_and_cannot_touch(world, desk):
    body = desk(world.manager).get(PAGE).content.decode()
    setup = json.loads(body.split('id="calendar-setup" type="application/json">')[1].split("</script>")[0])
    assert setup["may"] == {"book": False, "move": False, "walk_in": False, "overlap": False}
    assert "data-book" not in body


@pytest.mark.parametrize("url", [PAGE, FEED, LIST, PRINT])
def test_without_the_right_to_see_visits_403(world, desk, url):
    assert desk(world.outsider).get(url).status_code == 403


# Clocks


def test_visit_is_told_in_the_clock_of_its_location(world, feed):
    world.camerino.time_zone = "America/New_York"
    world.camerino.save()
    world.visit(start_at=make.moment(world.monday, "09:00", zoneinfo.ZoneInfo("America/New_York")))
    found = feed(world.reception)
    assert [visit["start"] for visit in found["visits"]] == [f"{world.monday}T09:00"]
    assert found["zone"] in ("-04:00", "-05:00")


def test_locations_of_two_clocks_are_never_shown_together(world, feed):
    world.macerata.time_zone = "Europe/London"
    world.macerata.save()
    world.visit("10:00")
    away = world.visit(
        start_at=make.moment(world.monday, "09:00", zoneinfo.ZoneInfo("Europe/London")), location=world.macerata,
        room=world.macerata_room, practitioner=world.ben, patient=world.bruno,
    )  # fmt: skip
    assert names(feed(world.reception, location="all")) == ["Bianchi Anna"]
    found = feed(world.reception, location=world.macerata.pk)
    assert [(visit["id"], visit["start"]) for visit in found["visits"]] == [(away.pk, f"{world.monday}T09:00")]


def test_hour_that_comes_twice_is_told_apart(world, feed):
    rome, night = world.camerino.zone, dt.date(2027, 10, 31)
    make.make_opening_hours(world.camerino, weekdays=[6], starts="00:00", ends="06:00")
    first = dt.datetime(2027, 10, 31, 2, 30, tzinfo=rome)
    for moment, patient in ((first, world.anna), (first.replace(fold=1), world.bruno)):
        world.visit(start_at=moment.astimezone(dt.UTC), patient=patient)
    over = world.visit(
        start_at=dt.datetime(2027, 10, 31, 0, 45, tzinfo=dt.UTC), practitioner=world.ben, room=world.room_two,
        patient=make.make_patient(), minutes=90,
    )  # fmt: skip
    found = {visit["id"]: visit for visit in feed(world.reception, on=night.isoformat())["visits"]}
    assert [(v["start"], v["again"]) for v in found.values() if v["id"] != over.pk] == [
        ("2027-10-31T02:30", 0),
        ("2027-10-31T02:30", 1),
    ]
    # From 02:45 to 03:15, and an hour and a half nevertheless.
    assert (found[over.pk]["start"], found[over.pk]["minutes"]) == ("2027-10-31T02:45", 90)


# Freshness


def test_unchanged_picture_is_304_for_one_question(world, desk):
    visit = world.visit("10:00")
    client, address = desk(world.reception), {"on": world.monday.isoformat()}
    tag = client.get(FEED, address)["ETag"]
    with CaptureQueriesContext(connection) as asked:
        again = client.get(FEED, address, headers={"If-None-Match": f"W/{tag}", POLL_HEADER: "1"})
    assert (again.status_code, again.content) == (304, b"")
    assert len([query for query in asked if "clinic_appointment" in query["sql"]]) == 1
    visit.status = "confirmed"
    visit.save()
    changed = client.get(FEED, address, headers={"If-None-Match": tag, POLL_HEADER: "1"})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_asking_for_news_is_not_use_of_the_session(world, desk):
    client = desk(world.reception)
    client.get(PAGE)
    clock = client.session[session.CLOCK]
    long_ago = {**clock, "seen": clock["seen"] - 600}

    def ask(url, **headers):
        kept = client.session
        kept[session.CLOCK] = long_ago
        kept.save()
        assert client.get(url, {"on": world.monday.isoformat()}, headers=headers).status_code == 200
        return client.session[session.CLOCK]["seen"] != long_ago["seen"]

    assert not ask(FEED, **{POLL_HEADER: "1"})
    assert not ask(LIST, **{POLL_HEADER: "1"})
    # A person who goes to another day is there.
    assert ask(FEED)


def test_asking_for_news_after_the_session_is_over_says_so(world, desk):
    client = desk(world.reception)
    client.get(PAGE)
    kept = client.session
    kept[session.CLOCK] = {**kept[session.CLOCK], "seen": 0}
    kept.save()
    assert client.get(FEED, headers={POLL_HEADER: "1"}).status_code == 401


@pytest.mark.parametrize(("user", "queries"), [("reception", 12), ("ada_user", 12)])
@pytest.mark.parametrize("visits", [1, 3])
def test_feed_costs_the_same_for_one_visit_and_for_three(world, desk, user, queries, visits):
    for number in range(visits):
        world.visit(f"1{number}:00")
    client = desk(getattr(world, user))
    client.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(FEED, {"on": world.monday.isoformat(), "practitioner": "all"}).status_code == 200
    assert len(asked) == queries, "\n".join(query["sql"][:150] for query in asked)


# Page, list, print


@pytest.mark.parametrize("address", [
    {"view": "nonsense", "on": "never", "location": "x", "practitioner": ["x", "-1", "9" * 30], "status": "gone"},
    {"on": "1900-01-01", "view": "month"}, {"on": "2199-12-31", "view": "week"}, {"location": "999"},
    {"practitioner": "\u0663"}, {"on": "2026-13-40"},
])  # fmt: skip
@pytest.mark.parametrize("url", [PAGE, FEED, LIST, PRINT])
def test_address_full_of_nonsense_still_answers(world, desk, url, address):
    assert desk(world.reception).get(url, address).status_code == 200


def test_list_shows_the_day_and_leads_to_visits_and_the_form_that_moves(world, desk):
    visit = world.visit("10:00", status="confirmed")
    over = world.visit("12:00", status="completed")
    body = desk(world.reception).get(PAGE, {"on": world.monday, "view": "list"}).content.decode()
    assert "10:00–10:30" in body
    assert f'href="{reverse("admin:clinic_appointment_change", args=[visit.pk])}"' in body
    assert f"{reverse('admin:clinic_appointment_do_move', args=[visit.pk])}?next=" in body
    assert reverse("admin:clinic_appointment_do_move", args=[over.pk]) not in body


def test_list_shows_colleagues_as_busy(world, desk):
    world.visit("10:00", practitioner=world.ben)
    body = desk(world.ada_user).get(LIST, {"on": world.monday, "practitioner": "all"}).content.decode()
    assert "busy" in body
    assert "Ben Rossi" in body
    assert "Bianchi" not in body


def test_print_has_a_table_per_practitioner_and_is_recorded(world, desk):
    world.visit("10:00")
    world.visit("11:00", practitioner=world.ben, patient=world.bruno)
    body = desk(world.reception).get(PRINT, {"on": world.monday, "view": "month"}).content.decode()
    assert body.index("Ada Conti") < body.index("Bianchi Anna") < body.index("Ben Rossi") < body.index("D’Angelo")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.model, entry.purpose) == ("print", "appointment", f"calendar {world.monday}")


def test_looking_at_the_calendar_is_a_list_and_not_recorded(world, desk):
    world.visit("10:00")
    client = desk(world.reception)
    before = AuditEntry.objects.count()
    for url in (PAGE, FEED, LIST):
        client.get(url, {"on": world.monday, "view": "list"})
    assert AuditEntry.objects.count() == before


def test_clinic_without_locations_gets_an_empty_calendar(db, desk):
    someone = make.make_user("receptionist")
    client = desk(someone)
    for url in (PAGE, FEED, LIST, PRINT):
        assert client.get(url).status_code == 200
    assert json.loads(client.get(FEED).content)["visits"] == []


def test_today_is_the_day_of_the_location(world, feed, settings):
    world.camerino.time_zone = "Pacific/Kiritimati"
    world.camerino.save()
    found = feed(world.reception, on="")
    assert found["days"][0] == timezone.now().astimezone(world.camerino.zone).date().isoformat()
