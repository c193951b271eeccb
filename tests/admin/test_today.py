"""Today's page: who sees what, which buttons there are, what they cost, and the way back to it."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.models import Appointment, AuditEntry, Patient
from clinic.services.printing import pdf
from clinic.signin.middleware import POLL_HEADER
from tests import factories as make
from tests.admin.crawler.cast import CANARY, sing

S = Appointment.Status
PAGE, BOARD, SHEET = (reverse(f"admin:clinic_appointment_today{part}") for part in ("", "_board", "_sheet"))
ADD = reverse("admin:clinic_appointment_add")
PATIENT = reverse("admin:clinic_patient_add")


def do(visit, name):
    return reverse(f"admin:clinic_appointment_do_{name}", args=[visit.pk])


def around_now(world, after, **over):
    """A visit that begins so many minutes from now."""
    start = timezone.now().replace(second=0, microsecond=0) + dt.timedelta(minutes=after)
    return world.visit(start_at=start, **over)


def offered(body, visit):
    """The names of the actions that the board offers for a visit."""
    return re.findall(rf'"/admin/clinic/appointment/{visit.pk}/do/(\w+)/', body)


@pytest.fixture
def midday(world, settings):
    """Our clinic lies where it is about noon: whenever it runs, the test sees no midnight."""
    offset = 12 - dt.datetime.now(dt.UTC).hour
    # POSIX counts westwards.
    settings.TIME_ZONE = world.camerino.time_zone = f"Etc/GMT{-offset:+d}"
    world.camerino.save()


# What is shown


def test_page_shows_the_day_in_columns(world, desk):
    world.visit("10:00", status=S.ARRIVED, desk_note="brings pictures")
    world.visit("11:00", patient=world.bruno)
    body = desk(world.reception).get(PAGE, {"on": world.monday}).content.decode()
    waiting, expected = body.index('id="today-waiting"'), body.index('id="today-expected"')
    assert waiting < body.index("Bianchi Anna") < expected < body.index("D’Angelo Bruno")
    assert "brings pictures" in body
    assert 'href="tel:+393331112222"' in body
    assert "Massage · Ada Conti · Room 1" in body


def test_late_patients_stand_out_in_words(world, desk, midday):
    around_now(world, -12)
    over = around_now(world, -90, patient=world.bruno, practitioner=world.ben)
    body = desk(world.reception).get(PAGE).content.decode()
    assert re.search(r"1[23] min late", body)
    assert body.count("time is over") == 1
    assert offered(body, over)[:2] == ["complete", "mark_no_show"]


def test_waiting_is_told_in_minutes(world, desk, midday):
    visit = around_now(world, -10, status=S.ARRIVED, arrived_at=timezone.now() - dt.timedelta(minutes=17, seconds=5))
    body = desk(world.reception).get(PAGE).content.decode()
    assert f'data-since="{visit.arrived_at.isoformat()}">17 min<' in body


def test_who_still_waits_after_the_time_is_over_is_to_be_treated(world, desk, midday):
    visit = around_now(world, -60, status=S.ARRIVED)
    left = around_now(world, -60 * 48, status=S.ARRIVED, patient=world.bruno)
    body = desk(world.reception).get(PAGE).content.decode()
    assert (offered(body, visit)[0], offered(body, left)[0]) == ("start", "complete")


def test_own_location_comes_first_and_another_can_be_chosen(world, desk):
    world.visit("10:00")
    away = world.visit(
        "10:00", location=world.macerata, room=world.macerata_room, practitioner=world.ben, patient=world.bruno
    )
    client = desk(world.reception)
    assert "D’Angelo" not in client.get(PAGE, {"on": world.monday}).content.decode()
    body = client.get(PAGE, {"on": world.monday, "location": away.location_id}).content.decode()
    assert ("D’Angelo" in body, "Bianchi" in body) == (True, False)
    body = client.get(PAGE, {"on": world.monday, "location": "all"}).content.decode()
    assert "Massage · Ben Rossi · Macerata · Room 1" in body


@pytest.mark.parametrize("address", [
    {"on": "never", "location": "x"}, {"on": "1900-01-01"}, {"on": "2199-12-31", "location": "9" * 30},
    {"location": "٣", "practitioner": ["x", "-1"]},
])  # fmt: skip
@pytest.mark.parametrize("url", [PAGE, BOARD])
def test_address_full_of_nonsense_still_answers(world, desk, url, address):
    assert desk(world.reception).get(url, address).status_code == 200


def test_clinic_without_locations_gets_an_empty_day(db, client):
    client.force_login(make.make_user("receptionist"))
    assert [client.get(url).status_code for url in (PAGE, BOARD, SHEET)] == [200, 200, 302]


# Whose


@pytest.mark.parametrize("url", [PAGE, BOARD, SHEET])
def test_colleagues_visits_sing_nowhere(world, desk, url, monkeypatch):
    monkeypatch.setattr(pdf, "render", lambda template, context: str(context["sheets"]).encode())
    patient = sing(make.make_patient(family_name=CANARY, given_name=CANARY))
    foreign = {"practitioner": world.ben, "room": world.room_two, "patient": patient}
    sing(world.visit("10:00", **foreign))
    make.make_time_off(practitioner=world.ada)
    sing(around_now(world, 60 * 24, status=S.REQUESTED, **foreign))
    sing(around_now(world, -60 * 48, **foreign))
    world.visit("10:00")
    for asked in ({"on": world.monday, "practitioner": world.ben.pk, "location": "all"}, {}):
        assert CANARY not in desk(world.ada_user).get(url, asked).content.decode().lower()


def test_buttons_are_those_that_the_person_may_press(world, desk, midday):
    visit = around_now(world, 30)
    request = around_now(world, 60 * 24, status=S.REQUESTED, patient=world.bruno)

    def buttons(user):
        body = desk(user).get(PAGE).content.decode()
        return offered(body, visit), offered(body, request)

    assert buttons(world.reception) == (
        ["check_in", "confirm", "move", "cancel"],
        ["approve", "decline", "move", "cancel"],
    )
    assert buttons(world.manager) == (["cancel"], ["approve", "decline", "cancel"])
    assert buttons(world.ada_user) == buttons(world.reception)


def test_practitioner_who_is_also_manager_acts_on_own_visits_only(world, desk, midday):
    both = make.make_user(["manager", "practitioner"])
    own = make.make_practitioner(user=both, locations=[world.camerino], services=[world.massage])
    mine = around_now(world, 30, practitioner=own)
    other = around_now(world, 30, practitioner=world.ben, room=world.room_two, patient=world.bruno)
    body = desk(both).get(PAGE).content.decode()
    assert "check_in" in offered(body, mine)
    assert offered(body, other) == ["cancel"]


@pytest.mark.parametrize("url", [PAGE, BOARD, SHEET])
def test_without_the_right_to_see_visits_403(world, desk, url):
    assert desk(world.outsider).get(url).status_code == 403


# Acting


def test_button_posts_and_comes_back(world, desk, midday):
    visit = around_now(world, 10)
    client = desk(world.reception)
    page = client.get(PAGE).content.decode()
    assert f'formaction="{do(visit, "check_in")}"' in page
    back = re.search(r'name="next" value="([^"]+)"', page)[1]
    response = client.post(do(visit, "check_in"), {"next": back}, follow=True)
    assert response.redirect_chain == [(back, 302)]
    assert "Checked in" in response.content.decode()
    visit.refresh_from_db()
    assert visit.status == S.ARRIVED


def test_script_is_told_on_the_board_and_the_poll_takes_nothing_away(world, desk, midday):
    visit = around_now(world, 10)
    client = desk(world.reception)
    assert client.post(do(visit, "check_in"), headers={"X-Dialog": "1"}).status_code == 204
    assert "data-said" not in client.get(BOARD, headers={POLL_HEADER: "1"}).content.decode()
    assert "Checked in: Bianchi Anna" in client.get(BOARD).content.decode()
    assert "data-said" not in client.get(BOARD).content.decode()


def test_wrong_tap_is_taken_back_at_once(world, desk, midday):
    visit = around_now(world, -20, status=S.CONFIRMED)
    client = desk(world.reception)
    client.post(do(visit, "mark_no_show"))
    assert offered(client.get(BOARD).content.decode(), visit) == ["take_back"]
    client.post(do(visit, "take_back"))
    visit.refresh_from_db()
    assert visit.status == S.CONFIRMED


# What it costs


@pytest.mark.parametrize(("user", "queries"), [("reception", 9), ("ada_user", 11)])
@pytest.mark.parametrize("visits", [1, 30])
def test_page_costs_the_same_whatever_the_day(world, desk, midday, user, queries, visits):
    around_now(world, 60 * 24, status=S.REQUESTED, patient=world.bruno)
    for number in range(visits):
        around_now(
            world, 10 * number - 150, minutes=10, status=list(S.values)[number % 9 + 1], patient=make.make_patient()
        )
    client = desk(getattr(world, user))
    client.get(PAGE)
    with CaptureQueriesContext(connection) as asked:
        body = client.get(PAGE).content.decode()
    assert len(asked) == queries, "\n".join(query["sql"][:200] for query in asked)
    assert body.count('class="today-visit') == visits + 1


def test_unchanged_board_is_304_for_two_questions_about_visits(world, desk):
    visit = world.visit("10:00")
    client, address = desk(world.reception), {"on": world.monday.isoformat()}
    tag = client.get(BOARD, address)["ETag"]
    with CaptureQueriesContext(connection) as asked:
        again = client.get(BOARD, address, headers={"If-None-Match": f"W/{tag}", POLL_HEADER: "1"})
    assert (again.status_code, again.content) == (304, b"")
    assert len([query for query in asked if "clinic_appointment" in query["sql"]]) == 1
    visit.status = S.CONFIRMED
    visit.save()
    changed = client.get(BOARD, address, headers={"If-None-Match": tag, POLL_HEADER: "1"})
    assert (changed.status_code, changed["ETag"] != tag) == (200, True)


def test_looking_at_the_day_is_a_list_and_not_recorded(world, desk):
    world.visit("10:00")
    client = desk(world.reception)
    before = AuditEntry.objects.count()
    for url in (PAGE, BOARD):
        client.get(url, {"on": world.monday})
    assert AuditEntry.objects.count() == before


# Without an appointment


def test_walk_in_comes_back_to_today(world, desk, midday):
    world.camerino.opening_hours.all().delete()
    world.ada.working_hours.all().delete()
    make.make_opening_hours(world.camerino, weekdays=range(7), starts="00:00", ends="23:45")
    make.make_working_hours(world.ada, world.camerino, weekdays=range(7), starts="00:00", ends="23:45")
    client = desk(world.reception)
    way = re.search(r'data-panel="walk-in"[^>]* href="([^"]+)"', client.get(PAGE).content.decode())[1]
    form = {"patient": world.anna.pk, "service": world.massage.pk, "practitioner": "", "location": world.camerino.pk}
    key = "4b6f1c0e-4c3c-4a29-9d0c-7e5f3f9b6c11"
    response = client.post(way.replace("&amp;", "&"), {**form, "key": key})
    assert response["Location"].startswith(PAGE)
    visit = Appointment.objects.get()
    assert (visit.status, visit.practitioner) == (S.ARRIVED, world.ada)


def test_new_patient_leads_back_to_the_walk_in(world, desk):
    client = desk(world.reception)
    body = client.get(ADD, {"walk_in": 1}).content.decode()
    way = re.search(r'data-new-patient href="([^"]+)"', body)[1]
    response = client.post(way, {"family_name": "Nuova", "given_name": "Nadia", "language": "it", "sex": "unknown",
                                 "country": "IT", "mobile": "+39 333 1234567"})  # fmt: skip
    patient = Patient.objects.get(family_name="Nuova")
    assert response["Location"] == f"{ADD}?walk_in=1&patient={patient.pk}"
    assert "Nuova Nadia" in client.get(response["Location"]).content.decode()


def test_way_back_is_one_of_ours(world, desk):
    response = desk(world.reception).post(
        f"{PATIENT}?next=https://evil.test/", {"family_name": "Nuova", "given_name": "Nadia", "language": "it",
                                               "sex": "unknown", "country": "IT", "mobile": "+39 333 1234567"},
    )  # fmt: skip
    assert response["Location"].startswith("/admin/clinic/patient/")


# On paper


def test_sheets_are_a_pdf_and_every_visit_on_them_a_look(world, desk):
    first = world.visit("10:00", desk_note="brings pictures")
    second = world.visit("11:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    response = desk(world.reception).get(SHEET, {"on": world.monday})
    assert (response["Content-Type"], response.content[:5]) == ("application/pdf", b"%PDF-")
    assert "no-store" in response["Cache-Control"]
    looks = (
        AuditEntry.objects.filter(verb="print").order_by("pk").values_list("model", "row_id", "patient_id", "purpose")
    )
    assert list(looks) == [
        ("appointment", visit.pk, visit.patient_id, f"day sheet {world.monday}") for visit in (first, second)
    ]


def test_sheet_of_one_practitioner(world, desk, monkeypatch):
    world.visit("10:00")
    world.visit("11:00", practitioner=world.ben, room=world.room_two, patient=world.bruno)
    monkeypatch.setattr(pdf, "render", lambda template, context: ",".join(n for n, _rows in context["sheets"]).encode())
    client = desk(world.reception)
    assert client.get(SHEET, {"on": world.monday}).content == b"Ada Conti,Ben Rossi"
    assert client.get(SHEET, {"on": world.monday, "practitioner": world.ben.pk}).content == b"Ben Rossi"
    client = desk(world.ada_user)
    assert client.get(SHEET, {"on": world.monday}).content == b"Ada Conti"
    assert client.get(SHEET, {"on": world.monday, "practitioner": world.ben.pk}).status_code == 302


def test_empty_day_and_missing_library_are_said_on_the_page(world, desk, monkeypatch):
    client = desk(world.reception)
    assert "Nothing is booked" in client.get(SHEET, {"on": world.monday}, follow=True).content.decode()
    world.visit("10:00")

    def missing(name, *rest, __import__=__import__):
        if name == "weasyprint":
            raise OSError("cannot load library 'pango'")
        return __import__(name, *rest)

    monkeypatch.setattr("builtins.__import__", missing)
    response = client.get(SHEET, {"on": world.monday})
    monkeypatch.undo()
    assert response["Location"].startswith(PAGE)
    assert "Pango is missing" in client.get(response["Location"]).content.decode()
    assert not AuditEntry.objects.filter(verb="print").exists()
