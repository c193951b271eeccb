"""The appointment's screens: booking, the day's list, and every button of a visit."""

import re
import uuid

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.database import conflicts, locks
from clinic.models import MOVES, Appointment, AuditEntry, StatusChange
from tests import factories as make
from tests.services.test_booking import failing
from tests.world import make_world

S = Appointment.Status
ADD = reverse("admin:clinic_appointment_add")
LIST = reverse("admin:clinic_appointment_changelist")
TIMES = reverse("admin:clinic_appointment_times")


@pytest.fixture
def desk(world, client):
    client.force_login(world.reception)
    return client


def page_of(visit):
    return reverse("admin:clinic_appointment_change", args=[visit.pk])


def do(visit, name):
    return reverse(f"admin:clinic_appointment_do_{name}", args=[visit.pk])


def form(world, **over):
    return {
        "key": str(uuid.uuid4()),
        "patient": world.anna.pk,
        "service": world.massage.pk,
        "practitioner": world.ada.pk,
        "location": world.camerino.pk,
        "on": world.monday.isoformat(),
        **over,
    }


def slot(world, clock, who=None, days=0):
    return f"{world.at(clock, days).isoformat()}/{(who or world.ada).pk}"


# Booking


def test_times_are_offered_for_what_was_chosen(world, desk):
    question = {name: form(world)[name] for name in ("service", "location", "on")}
    page = desk.get(TIMES, question).content.decode()
    assert "Ada Conti" in page
    assert "Ben Rossi" in page
    assert f'value="{world.at("09:15").astimezone().isoformat()}' in page or "09:15" in page
    page = desk.get(TIMES, {**question, "practitioner": world.ben.pk}).content.decode()
    assert "Ada Conti" not in page


def test_times_of_a_full_day_name_the_next_free_one(world, desk):
    page = desk.get(TIMES, {**form(world), "on": make.monday(weeks=2).replace().isoformat(), "part": "evening"})
    assert page.status_code == 200
    make.make_time_off(practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 2))
    page = desk.get(TIMES, form(world)).content.decode()
    assert "No free time on this day." in page
    assert "09:00" in re.search(r"Next free: ([^<]+)<", page).group(1)


@pytest.mark.parametrize(
    "over",
    [
        {"service": "x"},
        {"service": "9" * 30},
        {"location": ""},
        {"on": "soon"},
        {"part": "night"},
        {"exclude": "-1"},
        {"patient": "\x00"},
    ],
)
def test_times_survive_nonsense(world, desk, over):
    assert desk.get(TIMES, {**form(world), **over}).status_code == 200


def test_times_want_the_right_to_book(world, client):
    client.force_login(world.outsider)
    assert client.get(TIMES).status_code == 403


def test_booking_an_offered_time_for_anyone_takes_who_was_offered(world, desk):
    response = desk.post(ADD, form(world, practitioner="", slot=slot(world, "10:00", world.ben)))
    visit = Appointment.objects.get()
    assert response["Location"] == page_of(visit)
    assert (visit.practitioner, visit.start_at, visit.source) == (world.ben, world.at("10:00"), "desk")


def statements(queries):
    brackets = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query["sql"] for query in queries if not query["sql"].startswith(brackets)]


def test_a_booking_takes_few_statements_and_computes_no_free_times_for_a_page(world, desk):
    """Session, user, what was chosen, what decides, what is busy, locks, key, what is busy now, and four rows."""
    desk.get(ADD)
    choice = form(world, service=world.advice.pk, slot=slot(world, "10:00"))
    with CaptureQueriesContext(connection) as queries:
        assert desk.post(ADD, choice).status_code == 302
    assert len(statements(queries)) == 12


def test_a_booking_keeps_its_locks_no_longer_than_the_service(world, desk, monkeypatch):
    """Nothing of the page runs inside the transaction that others wait for."""
    depths = []
    screen = admin.site.get_model_admin(Appointment)
    answer = screen.response_add
    monkeypatch.setattr(
        screen, "response_add", lambda *said: depths.append(len(connection.savepoint_ids)) or answer(*said)
    )
    before = len(connection.savepoint_ids)
    assert desk.post(ADD, form(world, slot=slot(world, "10:00"))).status_code == 302
    assert depths == [before]


@pytest.mark.parametrize("key", ["0", "00000", "999999999999999999", "9999999999999999999999", "x", "²", "1 OR 1=1"])
def test_a_choice_that_is_no_record_is_refused_beside_its_field(world, desk, key):
    response = desk.post(ADD, form(world, patient=key, slot=slot(world, "10:00")))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["patient"]
    assert not Appointment.objects.exists()


def test_form_sent_twice_books_once_and_says_so(world, desk, messages_of):
    sent = form(world, slot=slot(world, "10:00"))
    first = desk.post(ADD, sent)
    second = desk.post(ADD, sent)
    assert first["Location"] == second["Location"]
    visit = Appointment.objects.get()
    said = messages_of(second)[-1]
    assert "The visit is there already, nothing was booked again" in said
    assert page_of(visit) in said
    assert "Booked:" in messages_of(first)[0]


def test_walk_in_sent_twice_says_that_it_is_there_already(world, desk, messages_of):
    make.make_opening_hours(world.camerino, starts="00:00", ends="00:00")
    world.ada.working_hours.all().delete()
    make.make_working_hours(world.ada, world.camerino, weekdays=range(7), starts="00:00", ends="00:00")
    sent = {**form(world), "service": world.advice.pk}
    first, second = (desk.post(f"{ADD}?walk_in=1", sent) for _time in range(2))
    assert "Checked in: <a" in messages_of(first)[0]
    assert "The visit is there already, nothing was booked again" in messages_of(second)[-1]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "field"), [({"starts": "10:00"}, "starts"), ({"slot": "10:00"}, "slot"), ({"starts": "07:00"}, "starts")]
)
def test_a_refused_time_stands_beside_what_said_it(world, desk, said, field):
    world.visit("10:00", patient=world.bruno)
    sent = {name: slot(world, clock) if name == "slot" else clock for name, clock in said.items()}
    refused = desk.post(ADD, form(world, **sent))
    errors = refused.context["adminform"].form.errors
    assert list(errors) == [field]
    visit = world.visit("15:00", patient=make.make_patient())
    data = {"practitioner": world.ada.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}
    assert list(desk.post(do(visit, "move"), {**data, **sent}).context["form"].errors) == [field]


def test_busy_time_offers_others_and_one_click_takes_one(world, desk):
    world.visit("10:00", patient=world.bruno)
    sent = form(world, starts="10:00", reason="Neck")
    response = desk.post(ADD, sent)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Ada Conti is busy from 10:00 to 10:30." in page
    assert "Neck" in page
    offered = re.findall(r'name="_instead" value="([^"]+)"', page)
    assert len(offered) == 3
    response = desk.post(ADD, {**sent, "_instead": offered[2].replace("&amp;", "&")})
    assert response.status_code == 302
    assert Appointment.objects.get(patient=world.anna).start_at == world.at("10:30")


def test_deliberate_overlap_wants_permission_and_reason(world, client):
    world.visit("10:00", patient=world.bruno)
    sent = form(world, starts="10:00", _accept="overlap", _reason="Heat and traction")
    client.force_login(world.ada_user)
    assert client.post(ADD, sent).status_code == 403
    client.force_login(world.reception)
    asked = client.post(ADD, {**sent, "_reason": " "})
    assert "wants a reason" in asked.content.decode()
    # Asked for again in the panel; the form's own reason is another one.
    assert (asked.context["refusal_way_past"], asked.context["refusal"].code) == (True, "overlap")
    assert "Ada Conti is busy" in asked.content.decode()
    assert "reason" not in asked.context["adminform"].form.errors
    assert client.post(ADD, sent).status_code == 302
    visit = Appointment.objects.get(patient=world.anna)
    assert (visit.overlap_reason, visit.holds) == ("Heat and traction", False)
    assert "Heat and traction" in client.get(page_of(visit)).content.decode()


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({}, "slot"),
        ({"slot": "tomorrow"}, "slot"),
        ({"slot": "2026-11-23T10:00:00/1"}, "slot"),
        ({"slot": "2026-11-23T10:00:00+01:00/999999"}, "slot"),
        ({"starts": "25:00"}, "starts"),
        ({"ends": "10:00"}, "starts"),
        ({"starts": "10:00", "practitioner": ""}, "practitioner"),
        ({"starts": "10:00", "patient": ""}, "patient"),
        ({"starts": "10:00", "key": "x"}, "key"),
    ],
)
def test_booking_form_says_what_is_wrong(world, desk, over, field):
    response = desk.post(ADD, form(world, **over))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not Appointment.objects.exists()


def test_a_time_that_the_clock_skips_is_refused(world, desk):
    response = desk.post(ADD, form(world, on="2027-03-28", starts="02:30"))
    assert response.context["adminform"].form.errors["starts"] == ["The clock skips this time on that day."]


def test_inactive_patient_cannot_be_booked(world, desk):
    response = desk.post(ADD, form(world, patient=world.carla.pk, slot=slot(world, "10:00")))
    assert "patient" in response.context["adminform"].form.errors


def test_practitioner_books_own_time_for_own_patients_only(world, client):
    world.visit("09:00")
    client.force_login(world.ada_user)
    for over in (
        {"practitioner": world.ben.pk, "starts": "10:00"},
        {"practitioner": "", "slot": slot(world, "10:00", world.ben)},
        {"patient": world.bruno.pk, "slot": slot(world, "10:00")},
    ):
        assert client.post(ADD, form(world, **over)).status_code == 200
    assert Appointment.objects.count() == 1
    assert client.post(ADD, form(world, slot=slot(world, "10:00"))).status_code == 302
    assert Appointment.objects.count() == 2


def test_without_script_a_button_asks_for_the_times(world, desk):
    response = desk.post(ADD, form(world, patient="", _times="1"))
    assert response.status_code == 200
    assert not response.context["adminform"].form.errors
    assert "09:15" in response.content.decode()


def test_walk_in_books_now_and_checks_in(world, desk):
    hour = timezone.localtime().replace(minute=0)
    make.make_opening_hours(world.camerino, starts="00:00", ends="00:00")
    world.ada.working_hours.all().delete()
    make.make_working_hours(world.ada, world.camerino, weekdays=range(7), starts="00:00", ends="00:00")
    sent = form(world)
    response = desk.post(f"{ADD}?walk_in=1", {**sent, "service": world.advice.pk})
    visit = Appointment.objects.get()
    assert response["Location"] == page_of(visit)
    assert visit.status == S.ARRIVED
    assert visit.start_at >= hour.replace(second=0, microsecond=0)


# The visit


def test_page_of_a_visit_records_the_look(world, desk):
    visit = world.visit()
    assert desk.get(page_of(visit)).status_code == 200
    entry = AuditEntry.objects.get(verb="view", model="appointment")
    assert (entry.row_id, entry.patient_id, entry.user_id) == (visit.pk, world.anna.pk, world.reception.pk)


def test_page_of_a_visit_cannot_change_its_time_or_status(world, desk):
    visit = world.visit()
    desk.post(page_of(visit), {"reason": "Back", "status": "completed", "start_at": "2020-01-01", "place": "7"})
    visit.refresh_from_db()
    assert (visit.reason, visit.status, visit.start_at, visit.place) == ("Back", S.SCHEDULED, world.at("10:00"), 1)


ONE_CLICK = {
    "approve": (S.REQUESTED, S.SCHEDULED, {}),
    "decline": (S.REQUESTED, S.DECLINED, {"reason": "Full"}),
    "confirm": (S.SCHEDULED, S.CONFIRMED, {}),
    "start": (S.ARRIVED, S.IN_SESSION, {}),
    "complete": (S.IN_SESSION, S.COMPLETED, {}),
    "undo": (S.ARRIVED, S.SCHEDULED, {}),
    "cancel": (S.SCHEDULED, S.CANCELLED, {"cancelled_by": "patient", "reason": "Flu"}),
}


@pytest.mark.parametrize("name", ONE_CLICK)
def test_action_by_post_only_in_scope_and_with_its_permission(world, client, name):
    old, new, data = ONE_CLICK[name]
    visit = world.visit(status=old, practitioner=world.ben, room=None)
    client.force_login(world.reception)
    assert client.get(do(visit, name)).status_code == 200
    visit.refresh_from_db()
    assert visit.status == old
    # A colleague's visit is not there; without the verb the action is refused.
    client.force_login(world.ada_user)
    assert client.post(do(visit, name), data).status_code == 404
    client.force_login(world.outsider)
    assert client.post(do(visit, name), data).status_code == 403
    visit.refresh_from_db()
    assert visit.status == old
    client.force_login(world.ben_user)
    assert client.post(do(visit, name), data).status_code == 302
    visit.refresh_from_db()
    assert visit.status == new


@pytest.mark.parametrize("role", ["manager", "ada_user"])
def test_reopen_is_for_those_who_may(world, client, role):
    visit = world.visit(days=-14, status=S.COMPLETED)
    client.force_login(world.reception)
    assert client.post(do(visit, "reopen"), {"reason": "mistake"}).status_code == 403
    client.force_login(getattr(world, role))
    expected = 302 if role == "manager" else 403
    assert client.post(do(visit, "reopen"), {"reason": "mistake"}).status_code == expected


def test_reason_that_is_missing_is_asked_for(world, desk):
    visit = world.visit()
    response = desk.post(do(visit, "cancel"), {"cancelled_by": "patient"})
    assert response.status_code == 200
    assert "reason" in response.context["form"].errors


def test_move_to_an_offered_time(world, desk):
    visit = world.visit()
    page = desk.get(do(visit, "move")).content.decode()
    assert "Ada Conti" in page
    data = {"practitioner": world.ada.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}
    response = desk.post(do(visit, "move"), {**data, "slot": slot(world, "10:15")})
    assert response.status_code == 302
    visit.refresh_from_db()
    assert (visit.start_at, visit.version) == (world.at("10:15"), 1)


def test_move_onto_somebody_offers_others(world, desk):
    visit = world.visit()
    world.visit("11:00", patient=world.bruno)
    data = {"practitioner": world.ada.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}
    response = desk.post(do(visit, "move"), {**data, "starts": "11:00"})
    page = response.content.decode()
    assert "Ada Conti is busy from 11:00 to 11:30." in page
    assert page.count('name="_instead"') == 3


@pytest.mark.parametrize(("starts", "code"), [("11:00", "overlap"), ("18:30", "outside_hours")])
def test_move_past_a_refusal_with_permission_and_reason(world, desk, starts, code):
    visit = world.visit()
    world.visit("11:00", patient=world.bruno)
    data = {"practitioner": world.ada.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}
    sent = {**data, "starts": starts, "reason": "asked for it"}
    assert 'name="_accept"' in desk.post(do(visit, "move"), sent).content.decode()
    assert desk.post(do(visit, "move"), {**sent, "_accept": code}).status_code == 302
    visit.refresh_from_db()
    assert (visit.accepted, visit.start_at) == ([code], world.at(starts))
    assert visit.status_changes.get().reason == "asked for it"


@pytest.mark.parametrize(("name", "old"), [("cancel", S.SCHEDULED), ("confirm", S.SCHEDULED), ("undo", S.ARRIVED)])
def test_acceptance_where_nothing_can_be_accepted_is_refused(world, desk, name, old):
    visit = world.visit(status=old)
    data = {"_accept": "overlap", "_reason": "x", "reason": "x", "cancelled_by": "patient"}
    assert desk.post(do(visit, name), data).status_code == 403
    visit.refresh_from_db()
    assert visit.status == old


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_that_nobody_means_are_said_to_be_wrong(world, desk, day):
    visit = world.visit()
    assert desk.get(TIMES, {**form(world), "on": day}).status_code == 200
    assert desk.get(do(visit, "move"), {"on": day}).status_code == 200
    response = desk.post(ADD, form(world, on=day, starts="10:00"))
    assert "on" in response.context["adminform"].form.errors
    sent = form(world, slot=f"{day}T10:00:00+00:00/{world.ada.pk}")
    assert "slot" in desk.post(ADD, sent).context["adminform"].form.errors


def test_times_leave_out_only_a_visit_that_one_may_move(world, client):
    foreign = world.visit(practitioner=world.ben, room=world.room_one, patient=world.bruno)
    world.room_two.active = False
    world.room_two.save()
    client.force_login(world.ada_user)
    question = {**form(world), "patient": ""}
    assert client.get(TIMES, question).content == client.get(TIMES, {**question, "exclude": foreign.pk}).content


@pytest.mark.django_db(transaction=True)
def test_contention_at_the_desk_is_tried_again(client, monkeypatch):
    world = make_world()
    client.force_login(world.reception)
    monkeypatch.setattr(locks, "take", failing(1, conflicts.DEADLOCK))
    assert client.post(ADD, form(world, slot=slot(world, "10:00"))).status_code == 302
    visit = Appointment.objects.get()
    monkeypatch.setattr(locks, "take", failing(1, conflicts.DEADLOCK))
    data = {"practitioner": world.ada.pk, "location": world.camerino.pk, "on": world.monday.isoformat()}
    assert client.post(do(visit, "move"), {**data, "starts": "11:00"}).status_code == 302
    monkeypatch.setattr(conflicts, "_TRIES", 2)
    monkeypatch.setattr(locks, "take", failing(2, conflicts.LOCK_TIMEOUT))
    response = client.post(ADD, form(world, starts="15:00", patient=world.bruno.pk))
    assert response.status_code == 200
    assert "Too many people are booking right now." in response.content.decode()


def test_check_in_from_the_list_comes_back_to_it_and_says_who(world, desk, messages_of):
    visit = make.make_appointment(
        start_at=timezone.now(), service=world.advice, location=world.camerino, practitioner=world.ada
    )
    page = desk.get(LIST).content.decode()
    address = re.search(rf'formaction="({do(visit, "check_in")}[^"]*)"', page).group(1)
    response = desk.post(address)
    assert response["Location"] == LIST
    start = f"{visit.local_start:%H:%M}"
    assert messages_of(response) == [f"Checked in: {visit.patient}, {start}"]
    visit.refresh_from_db()
    assert visit.status == S.ARRIVED


def test_bulk_no_show_reports_each_refusal(world, desk):
    past = world.visit(days=-14)
    future = world.visit()
    response = desk.post(
        f"{LIST}?show=all",
        {"action": "do_mark_no_show", "_selected_action": [past.pk, future.pk], "index": 0},
        follow=True,
    )
    page = response.content.decode()
    assert "1 done." in page
    assert "1 refused" in page
    assert list(StatusChange.objects.values_list("appointment", "new")) == [(past.pk, S.NO_SHOW)]


def loud(client, visit):
    buttons = client.get(page_of(visit)).context["record_actions"]
    return [item["action"].name for item in buttons if item["variant"] == "primary"]


def test_the_loud_button_is_the_next_step_of_the_day_and_never_the_end(world, desk):
    def at(hours, **over):
        start = timezone.now() + timezone.timedelta(hours=hours)
        return make.make_appointment(start_at=start, service=world.advice, location=world.camerino, **over)

    assert loud(desk, at(0)) == ["check_in"]
    assert loud(desk, at(0, status=S.ARRIVED)) == ["start"]
    assert loud(desk, at(0, status=S.IN_SESSION)) == ["complete"]
    assert loud(desk, at(-72)) == ["complete"]
    assert loud(desk, at(-72, status=S.ARRIVED)) == ["complete"]
    assert loud(desk, at(72, status=S.REQUESTED)) == ["approve"]
    assert loud(desk, at(72)) == []
    assert loud(desk, at(-72, status=S.COMPLETED)) == []
    assert desk.get(do(at(72), "cancel")).context["action"].button == "danger"


def suggested(client, **over):
    asked = {"app_label": "clinic", "model_name": "appointment", "field_name": "practitioner", **over}
    found = client.get(reverse("admin:autocomplete"), asked).json()["results"]
    return [result["text"] for result in found]


def test_practitioner_is_offered_only_whom_one_may_book_for(world, client):
    client.force_login(world.ada_user)
    assert suggested(client) == ["Ada Conti"]
    page = client.get(ADD)
    assert page.context["adminform"].form["practitioner"].value() == world.ada.pk
    assert "Ada Conti" in page.content.decode()
    client.force_login(world.reception)
    assert suggested(client) == ["Ada Conti", "Ben Rossi"]
    # Elsewhere she may name any colleague whom she sees.
    client.force_login(world.manager)
    assert suggested(client, model_name="timeoff") == ["Ada Conti", "Ben Rossi"]


# The list


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("cut", ["today", "all", "unresolved", "requests"])
def test_list_costs_the_same_for_one_and_three(world, desk, rows, cut):
    for number in range(rows):
        start = timezone.now().replace(minute=0, second=0, microsecond=0)
        if cut == "unresolved":
            start -= timezone.timedelta(days=3)
        make.make_appointment(
            start_at=start + timezone.timedelta(minutes=5 * number),
            minutes=5,
            status=S.REQUESTED if cut == "requests" else S.SCHEDULED,
            service=world.massage,
            location=world.camerino,
        )
    desk.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        page = desk.get(LIST, {"show": cut})
    assert page.context["cl"].result_count == rows
    # All of them can be narrowed by years: the first and the last are asked for.
    assert len(queries) == (8 if cut == "all" else 7)


def test_page_of_a_visit_costs_little(world, desk):
    visit = world.visit()
    desk.get(page_of(visit))
    with CaptureQueriesContext(connection) as queries:
        desk.get(page_of(visit))
    assert len(queries) <= 12


def test_search_finds_by_patient_without_accents_and_parts(world, desk):
    visit = world.visit(patient=make.make_patient(family_name="Nicolò", given_name="Émile"))
    world.visit("12:00", patient=world.bruno)
    for text in ("nicolo", "emi nic", visit.patient.mobile[-6:]):
        found = desk.get(LIST, {"q": text}).context["cl"].result_list
        assert [row.pk for row in found] == [visit.pk], text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "No appointments today."),
        ({"show": "unresolved"}, "Every past visit is resolved."),
        ({"show": "unresolved", "q": "nobody"}, "Nothing matches this search."),
    ],
)
def test_empty_list_says_what_its_emptiness_means(world, desk, asked, said):
    assert said in desk.get(LIST, asked).content.decode()


def test_badges_count_what_waits(world, desk):
    world.visit(status=S.REQUESTED)
    world.visit(days=-14)
    world.visit("11:00", days=-14, patient=world.bruno)
    page = desk.get(LIST).content.decode()
    assert re.search(r"Requests.{0,400}?\b1\b", page, re.S)
    assert re.search(r"To resolve.{0,400}?\b2\b", page, re.S)


def test_every_verb_of_the_table_has_a_button():
    automatic = {"expire"}
    buttons = admin.site.get_model_admin(Appointment).record_actions
    assert set(MOVES.values()) - automatic <= set(buttons)
