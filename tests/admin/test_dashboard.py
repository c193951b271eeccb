"""The desk's front page: which cards each role gets, what they say, and what the page asks of the database."""

import datetime as dt
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from clinic.actor import SYSTEM
from clinic.admin.dashboard import asked
from clinic.admin.dashboard.content import in_steps, versus, versus_share
from clinic.insights.dashboard import Span
from clinic.models import AuditEntry, Location
from clinic.services import scheduling
from tests import factories as make
from tests.admin.crawler.cast import CANARY, sing

PAGE = reverse("admin:index")
DESK = ["waiting", "next-free", "activity", "visits"]
CLINIC = ["waiting", "next-free", "missed", "patients", "activity", "visits", "practitioners", "rooms"]
OWN = ["waiting", "next-free", "missed", "patients", "activity", "visits", "practitioners"]


def read(response):
    """The page's words, tags gone."""
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.fixture
def front(desk, world):
    """`front(user, **address)`: the answer, about the cast's week unless the address says otherwise."""

    def ask(user, **address):
        week = {"period": "own", "from": world.monday.isoformat(), "to": f"{world.monday + dt.timedelta(days=6)}"}
        return desk(user).get(PAGE, {"location": "all", **week, **address})

    return ask


def cards(response):
    return [card.name for card, _content in response.context["cards"]]


def card(response, name):
    return next(content for card, content in response.context["cards"] if card.name == name)


def said(response, name):
    return {fact.label: (fact.value, fact.compared) for fact in card(response, name).facts}


@pytest.mark.parametrize(
    ("user", "shown"),
    [("administrator", CLINIC), ("manager", CLINIC), ("reception", DESK), ("ada_user", OWN), ("outsider", [])],
)
def test_each_role_has_its_cards(front, world, user, shown):
    assert cards(front(getattr(world, user))) == shown


def test_somebody_without_a_role_is_told(front, world):
    assert "You have no role yet" in read(front(world.outsider))


def test_visits_are_compared_with_the_days_before(front, world):
    world.visit("10:00", status="completed")
    world.visit("11:00", status="completed", patient=world.bruno)
    world.visit("12:00", status="no_show")
    world.visit("10:00", days=-7, status="completed")
    found = front(world.manager)
    assert said(found, "visits") == {
        "Took place": ("2", "1 more than before (1)"),
        "To come or open": ("0", ""),
        "Missed": ("1", "1 more than before (0)"),
        "Called off": ("0", "as many as before"),
    }
    assert said(found, "missed") == {
        "No-show rate": ("33.3 %", "33.3 points higher than before (0.0 %)"),
        "Cancelled late": ("0.0 %", "as before"),
    }
    assert said(found, "patients") == {
        "Active patients": ("2", "1 more than before (1)"),
        "New patients": ("1", "as many as before"),
    }


def test_utilisation_is_booked_of_available(front, world):
    world.visit("10:00", minutes=120)
    found = front(world.manager)
    # Ada works forty hours; Ben twelve in Camerino and sixteen in Macerata.
    assert said(found, "practitioners")["Available"] == ("68.0 h", "")
    assert card(found, "practitioners").tables[0].rows == [
        ["Ada Conti", "2.0 h", "40.0 h", "5.0 %", "0.0 %"],
        ["Ben Rossi", "0.0 h", "28.0 h", "0.0 %", "0.0 %"],
    ]
    assert said(found, "rooms")["Booked"] == ("2.0 h", "")
    here = front(world.manager, location=world.macerata.pk)
    assert [row[:3] for row in card(here, "rooms").tables[0].rows] == [["Room 1", "0.0 h", "60.0 h"]]


def test_practitioner_sees_own_figures_and_nobody_elses(front, world):
    world.visit("10:00", status="completed")
    theirs = world.visit("10:00", practitioner=world.ben, room=world.room_two, patient=world.bruno, status="completed")
    sing(theirs)
    scheduling.reopen(theirs, by=SYSTEM, reason="by mistake")
    found = front(world.ada_user)
    assert said(found, "visits")["Took place"] == ("1", "1 more than before (0)")
    assert [row[0] for row in card(found, "practitioners").tables[0].rows] == ["Ada Conti"]
    assert CANARY not in found.content.decode().lower()
    assert "Ben Rossi" not in read(found)


def test_waiting_leads_to_the_lists(front, world):
    world.visit("10:00", status="requested", service=world.advice, room=None)
    found = front(world.reception)
    assert said(found, "waiting") == {
        "Requests": ("1", ""),
        "To resolve": ("0", "Every past visit is resolved. Well done."),
    }
    assert "?show=requests" in found.content.decode()


def test_next_free_time_leads_to_its_booking(front, world):
    found = card(front(world.reception), "next-free").items
    assert [item.label for item in found] == ["Assessment", "Massage", "Tecar therapy", "Exercise", "Advice"]
    assert all(f"on={timezone.localdate().year}" in item.url or "on=" in item.url for item in found)
    assert found[0].detail in ("Ada Conti · Camerino", "Ben Rossi · Camerino", "Ben Rossi · Macerata")
    # A manager books nothing, and a practitioner offers own times.
    assert {item.url for item in card(front(world.manager), "next-free").items} == {""}
    assert [item.label for item in card(front(world.ben_user), "next-free").items] == ["Assessment", "Massage"]


def test_activity_says_who_did_what(front, world):
    visit = world.visit("10:00")
    scheduling.confirm(visit, by=SYSTEM)
    [item] = card(front(world.reception), "activity").items
    assert item.label == "Bianchi Anna"
    assert item.text.startswith("confirmed, Mon")
    assert item.url == reverse("admin:clinic_appointment_change", args=[visit.pk])


@pytest.mark.parametrize(
    ("user", "statements"), [("manager", 30), ("reception", 24), ("ada_user", 26)], ids=["manager", "desk", "own"]
)
@pytest.mark.parametrize("count", [1, 30])
def test_page_takes_the_same_statements_whatever_there_is(
    front, world, user, statements, count, django_assert_num_queries
):
    for number in range(count):
        world.visit(f"{8 + number // 3:02}:{number % 3 * 20:02}", minutes=20, patient=make.make_patient())
    front(getattr(world, user))
    with django_assert_num_queries(statements):
        front(getattr(world, user))


def test_new_clinic_says_what_is_missing(client, db):
    client.force_login(make.make_user("manager"))
    found = client.get(PAGE)
    words = read(found)
    for sentence in (
        "No visits in this period, nor in the one before.",
        "No visit of these days has an outcome yet.",
        "Nobody has come in these days yet.",
        "Nobody has working hours in these days.",
        "No room is open in these days.",
        "Nobody offers a service yet.",
        "Nothing was done with visits lately.",
    ):
        assert sentence in words
    assert not Location.objects.exists()


# --- the address -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("week", "2026-08-10", "2026-08-16"),
        ("month", "2026-08-01", "2026-08-31"),
        ("quarter", "2026-07-01", "2026-09-30"),
        ("year", "2026-01-01", "2026-12-31"),
    ],
)
def test_period_is_whole(name, first, last):
    found = asked.period(name, dt.date(2026, 8, 13))
    assert (found.first_on.isoformat(), found.last_on.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "The first day must not come after the last."),
        ({"from": "2020-01-01", "to": "2026-03-01"}, "Two years at most can be looked at together."),
        ({"from": "", "to": "yesterday"}, "Say from which day to which day."),
    ],
)
def test_impossible_dates_are_said_and_the_page_shows(front, world, address, sentence):
    assert sentence in read(front(world.manager, **address))


def test_rubbish_in_the_address_is_left_out(desk, world):
    for address in ({"period": "x'"}, {"location": "9" * 30}, {"location": "0"}, {"period": "week", "from": "\x00"}):
        assert desk(world.manager).get(PAGE, address).status_code == 200


def test_desk_looks_at_its_own_location_first_and_management_at_all(desk, world):
    def shown(user):
        return desk(user).get(PAGE).context["asked"].location

    assert shown(world.reception) == world.camerino
    assert shown(world.manager) is None
    assert shown(world.ada_user) is None


def test_links_keep_the_location_and_forms_the_days(front, world):
    page = front(world.manager, location=world.macerata.pk).content.decode()
    assert f"?period=month&amp;location={world.macerata.pk}" in page
    assert f'name="from" value="{world.monday}"' in page


# --- a table as a file -------------------------------------------------------------------------------------------


def download(client, world, **address):
    days = f"period=own&from={world.monday}&to={world.monday + dt.timedelta(days=6)}"
    rest = "".join(f"&{name}={value}" for name, value in address.items())
    return client.post(f"{reverse('admin:clinic_appointment_figures')}?{days}{rest}")


def test_table_is_downloaded_as_it_is_shown_and_recorded(desk, world):
    world.ada.given_name = "=HYPERLINK(1)"
    world.ada.save()
    world.visit("10:00", minutes=120)
    answer = download(desk(world.manager), world, card="practitioners", table=0)
    assert answer["Content-Type"] == "text/csv"
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Practitioner,Booked,Available,Utilisation,Before"
    assert lines[1] == "'=HYPERLINK(1) Conti,2.0 h,40.0 h,5.0 %,0.0 %"
    entry = AuditEntry.objects.filter(verb="export").latest("pk")
    assert entry.purpose.startswith("dashboard practitioners")


@pytest.mark.parametrize("address", [{}, {"card": "x"}, {"card": "visits", "table": "9"}, {"card": "visits"}])
def test_download_of_nothing_leads_to_the_front_page(desk, world, address):
    assert download(desk(world.manager), world, **address).url == PAGE


def test_who_may_not_export_downloads_nothing(front, desk, world):
    world.visit("10:00")
    assert "figures/" not in front(world.reception).content.decode()
    assert download(desk(world.reception), world, card="visits", table=0).status_code == 403
    assert download(desk(world.ada_user), world, card="visits", table=0).status_code == 403


# --- what takes long to count ------------------------------------------------------------------------------------


def test_figures_of_many_visits_are_kept_for_a_while_and_say_so(front, world, monkeypatch):
    monkeypatch.setattr(asked, "KEPT_FROM_VISITS", 0)
    world.visit("10:00", status="completed")
    assert "as of" not in read(front(world.manager))
    world.visit("11:00", status="completed")
    kept = front(world.manager)
    assert said(kept, "visits")["Took place"][0] == "1"
    assert "as of" in read(kept)
    # Own figures are few, and nobody else's.
    assert said(front(world.ada_user), "visits")["Took place"][0] == "2"


def test_figures_of_few_visits_are_always_counted_anew(front, world):
    world.visit("10:00", status="completed")
    front(world.manager)
    world.visit("11:00", status="completed")
    assert said(front(world.manager), "visits")["Took place"][0] == "2"


# --- words -------------------------------------------------------------------------------------------------------


def test_differences_are_said_in_words():
    assert versus(1200, 1000) == "200 more than before (1,000)"
    assert versus(3, 5) == "2 fewer than before (5)"
    assert versus(5, 5) == "as many as before"
    assert versus_share(0.05, 0.081) == "3.1 points lower than before (8.1 %)"
    assert versus_share(0.05, None) == "nothing to compare with"
    with translation.override("it"):
        assert versus(3, 5) == "2 in meno di prima (5)"


@pytest.mark.parametrize(("days", "steps", "first"), [(7, 7, "1 Jan"), (90, 14, "1 Jan"), (365, 12, "Jan 2026")])
def test_steps_of_a_chart_are_days_weeks_or_months(days, steps, first):
    span = Span(dt.date(2026, 1, 1), dt.date(2026, 1, 1) + dt.timedelta(days=days - 1))
    found = in_steps(span, {dt.date(2026, 1, 3): {"completed": 2}})
    assert (len(found), found[0][0]) == (steps, first)
    assert sum(counts["completed"] for _label, counts in found) == 2


def test_long_names_and_marks_are_shown_as_they_are(front, world):
    world.ada.family_name = "<b>Sutherland-Montgomery</b> della Rovere Santacroce"
    world.ada.save()
    world.visit("10:00", minutes=120)
    page = front(world.manager).content.decode()
    assert "<b>Sutherland" not in page
    assert "&lt;b&gt;Sutherland" in page


def test_page_of_a_practitioner_asks_for_own_visits_only(front, world):
    """No statement that counts visits goes without the own practitioner."""
    world.visit("10:00", practitioner=world.ben, room=world.room_two)
    with CaptureQueriesContext(connection) as queries:
        front(world.ada_user)
    counting = [query["sql"] for query in queries if "GROUPING SETS" in query["sql"] or "bool_or" in query["sql"]]
    assert len(counting) == 2
    assert all(f'"practitioner_id" = {world.ada.pk}' in sql for sql in counting)
