"""Spreadsheets into records: rehearsed, then done as rehearsed or not at all, within the rights of who sends them."""

import pytest
from django.contrib import admin
from django.core import signing
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from clinic import permissions
from clinic.admin.base.columns import columns_of
from clinic.admin.checks import every_importable_screen_finds_its_records
from clinic.models import AuditEntry, Equipment, Room, RoomKind, Service
from tests import factories as make
from tests.admin.sheets import HEAD, csv_of, errors_of, go, page, refusal_of, rehearse, rooms, workbook_of

IMPORTABLE = [model for model, screen in admin.site._registry.items() if screen.importable]


@pytest.fixture
def manager(desk, world):
    return desk(world.manager)


# Rehearsal and import


def test_rehearsal_says_what_would_happen_and_changes_nothing(manager, world):
    before, trail = rooms(world), AuditEntry.objects.count()
    world.room_one.refresh_from_db()
    versions = world.room_one.history.count()
    sheet = csv_of(
        HEAD,
        ["Camerino", "Treatment room", "Room 1", "3"],
        ["Camerino", "Treatment room", "Room 2", "1"],
        ["Camerino", "Gym", "Pool", "4"],
    )
    response = rehearse(manager, "room", sheet)
    assert response.context["counts"] == {"new": 1, "changed": 1, "same": 1, "wrong": 0}
    told = [
        (row.number, row.kind, row.record, [(c.label, c.before, c.after) for c in row.changes])
        for row in response.context["works"]
    ]
    assert told == [
        (2, "changed", "Room 1", [("Places", "1", "3")]),
        (
            4,
            "new",
            "Pool",
            [("Location", "", "Camerino"), ("Kind", "", "Gym"), ("Name", "", "Pool"), ("Places", "", "4")],
        ),
    ]
    assert (rooms(world), world.room_one.history.count(), AuditEntry.objects.count()) == (before, versions, trail)


def test_import_does_what_was_rehearsed_with_history_and_audit(manager, world, messages_of):
    sheet = csv_of(HEAD, ["Camerino", "Treatment room", "Room 1", "3"], ["Camerino", "Gym", "Pool", "4"])
    response = go(manager, "room", rehearse(manager, "room", sheet))
    assert (response.status_code, response["Location"]) == (302, reverse("admin:clinic_room_changelist"))
    assert messages_of(response) == ["Imported: 1 new, 1 changed, 0 unchanged."]
    assert {("Room 1", "Treatment room", 3), ("Pool", "Gym", 4)} <= rooms(world)
    pool, one = Room.objects.get(name="Pool"), Room.objects.get(pk=world.room_one.pk)
    for room, kind in ((pool, "+"), (one, "~")):
        version = room.history.first()
        assert (version.history_type, version.history_user) == (kind, world.manager)
        assert version.history_change_reason == "Import: rooms.csv"
    told = AuditEntry.objects.order_by("-pk").values_list("verb", "model", "row_id", "user", "purpose")[:3]
    assert list(told) == [
        ("import", "room", None, world.manager.pk, "rooms.csv +1 ~1 =0"),
        ("create", "room", pool.pk, world.manager.pk, "Import: rooms.csv"),
        ("update", "room", one.pk, world.manager.pk, "Import: rooms.csv"),
    ]


def test_same_file_twice_changes_nothing_the_second_time(manager, world):
    sheet = csv_of(HEAD, ["Camerino", "Treatment room", "Room 1", "3"], ["Camerino", "Gym", "Pool", "4"])
    first = rehearse(manager, "room", sheet)
    go(manager, "room", first)
    trail, versions = AuditEntry.objects.count(), Room.history.count()
    again = rehearse(manager, "room", sheet)
    assert again.context["counts"] == {"new": 0, "changed": 0, "same": 2, "wrong": 0}
    assert again.context["carried"] == ""
    assert "There is nothing to do" in again.content.decode()
    # A second click on the first page's button.
    go(manager, "room", first)
    assert (AuditEntry.objects.count(), Room.history.count()) == (trail, versions)


def test_what_changed_since_the_rehearsal_is_shown_again_and_not_overwritten(manager, world):
    rehearsal = rehearse(manager, "room", csv_of(HEAD, ["Camerino", "Treatment room", "Room 1", "3"]))
    Room.objects.filter(pk=world.room_one.pk).update(places=2)
    response = go(manager, "room", rehearsal)
    assert response.status_code == 200
    assert "Something changed since the rehearsal" in response.content.decode()
    assert Room.objects.get(pk=world.room_one.pk).places == 2
    assert go(manager, "room", response).status_code == 302
    assert Room.objects.get(pk=world.room_one.pk).places == 3


def test_one_wrong_row_stops_all_and_every_error_is_named(manager, world):
    before, trail, versions = rooms(world), AuditEntry.objects.count(), Room.history.count()
    sheet = csv_of(
        HEAD,
        ["Camerino", "Gym", "Pool", "4"],
        ["Atlantis", "Gym", "Sauna", "none"],
        [],
        ["Camerino", "Gym", "x" * 121, "61"],
        ["Camerino", "Gym", "", "1"],
        ["Camerino", "", "Bath", "1"],
        ["Camerino", "Gym", "Pool", "5"],
    )
    response = rehearse(manager, "room", sheet)
    assert errors_of(response) == [
        (3, "Location", "There is no “Atlantis”."),
        (3, "Places", "Enter a whole number."),
        (5, "Name", "Ensure this value has at most 120 characters (it has 121)."),
        (5, "Places", "Ensure this value is less than or equal to 60."),
        (6, "Name", "This field cannot be blank."),
        (7, "Kind", "This field cannot be null."),
        (8, "", "Row 2 means the same record."),
    ]
    assert response.context["counts"]["wrong"] == 5
    assert (response.context["carried"], rooms(world)) == ("", before)
    assert (AuditEntry.objects.count(), Room.history.count()) == (trail, versions)


def test_refusal_of_a_service_half_way_leaves_nothing(manager, world):
    """The second row writes its own columns, then deactivating is refused: neither row remains."""
    world.visit("10:00", room=world.room_two)
    before = rooms(world)
    head = [*HEAD, "Active"]
    sheet = csv_of(
        head,
        ["Camerino", "Treatment room", "Room 1", "7", "no"],
        ["Camerino", "Treatment room", "Room 2", "7", "no"],
    )
    response = rehearse(manager, "room", sheet)
    assert errors_of(response) == [
        (3, "", "1 visit is still to come; it stays booked until somebody moves or cancels it.")
    ]
    assert rooms(world) == before
    assert Room.objects.filter(active=False).count() == 0


def test_deactivating_and_reactivating_by_a_file_is_the_services_work(manager, world):
    sheet = [["Location", "Name", "Active"], ["Camerino", "Room 1", "no"]]
    go(manager, "room", rehearse(manager, "room", csv_of(*sheet)))
    world.room_one.refresh_from_db()
    assert (world.room_one.active, world.room_one.history.count()) == (False, 2)
    sheet[1][2] = "sì"
    go(manager, "room", rehearse(manager, "room", csv_of(*sheet)))
    world.room_one.refresh_from_db()
    assert (world.room_one.active, world.room_one.history.count()) == (True, 3)


def test_columns_that_are_not_there_and_empty_cells_of_new_rows_keep_their_values(manager, world):
    sheet = csv_of(["name", "location", "kind", "places"], ["Pool", "Camerino", "Gym", ""])
    go(manager, "room", rehearse(manager, "room", sheet))
    assert Room.objects.get(name="Pool").places == 1
    go(manager, "room", rehearse(manager, "room", csv_of(["Sede", "Nome", "Posti"], ["Camerino", "Pool", "5"])))
    pool = Room.objects.get(name="Pool")
    assert (pool.places, pool.kind) == (5, world.gym_kind)


def test_services_with_several_languages_prices_and_kinds(manager, world):
    sheet = csv_of(
        ["Name (en)", "Name (it)", "Category", "Duration (minutes)", "Price", "Rooms", "Equipment"],
        ["Massage", "Massaggio svedese", "Fisioterapia", "50", "55,5", "Treatment room; Gym", ""],
        ["Cupping", "", "Physiotherapy", "20", "25", "Treatment room", "Tecar"],
        delimiter=";",
        encoding="cp1252",
    )
    response = rehearse(manager, "service", sheet)
    assert errors_of(response) == []
    go(manager, "service", response)
    massage = Service.objects.get(pk=world.massage.pk)
    assert massage.name == {"en": "Massage", "it": "Massaggio svedese"}
    assert (massage.minutes, str(massage.price)) == (50, "55.50")
    assert {kind.name for kind in massage.room_kinds.all()} == {"Treatment room", "Gym"}
    cupping = Service.objects.get(name__en="Cupping")
    assert (cupping.category, cupping.minutes) == (world.physiotherapy, 20)
    assert [kind.name for kind in cupping.equipment_kinds.all()] == ["Tecar"]
    assert rehearse(manager, "service", sheet).context["counts"]["same"] == 2


def test_name_that_means_two_records_is_refused(manager, world):
    make.make_service(category=world.physiotherapy, name={"en": "Massage"})
    response = rehearse(manager, "service", csv_of(["Name (en)", "Price"], ["Massage", "1"]))
    assert errors_of(response) == [(2, "", "Several records bear this name: rename one of them first.")]


def test_inactive_record_cannot_be_chosen_but_stays_where_it_is(manager, world):
    world.camerino.active = False
    world.camerino.save()
    sheet = csv_of(HEAD, ["Camerino", "Treatment room", "Room 1", "2"], ["Camerino", "Gym", "Pool", "2"])
    assert errors_of(rehearse(manager, "room", sheet)) == [
        (3, "Location", "“Camerino” is inactive and cannot be chosen.")
    ]


def test_text_that_excel_may_have_cut_is_refused_where_it_would_be_stored(manager, world):
    long = make.make_specialisation(name="Long", description="x" * 40_000)
    rows = [["Long", "x" * 32_767], ["Exact", "x" * 32_766]]
    response = rehearse(manager, "specialisation", workbook_of(["Name", "Description"], *rows))
    sentence = "Longer than a cell of Excel holds, so its end may be missing: shorten it."
    assert (errors_of(response), response.context["counts"]["new"]) == ([(2, "Description", sentence)], 1)
    whole = rehearse(manager, "specialisation", csv_of(["Name", "Description"], ["Long", long.description]))
    assert whole.context["counts"]["same"] == 1


# What carries the rehearsal


def test_rehearsal_counts_for_the_same_person_screen_and_hour_only(desk, world, monkeypatch):
    client = desk(world.manager)
    carried = rehearse(client, "roomkind", csv_of(["Name"], ["Pool"])).context["carried"]
    over = "This rehearsal is over, and nothing was imported: choose the file again."
    assert refusal_of(client.post(page("equipmentkind"), {"carried": carried})) == over
    assert refusal_of(client.post(page("roomkind"), {"carried": f"{carried}x"})) == over
    assert refusal_of(client.post(page("roomkind"), {"carried": ""})) == over
    assert refusal_of(desk(world.administrator).post(page("roomkind"), {"carried": carried})) == over
    monkeypatch.setattr("clinic.admin.base.importing.HOLDS_SECONDS", -1)
    assert refusal_of(desk(world.manager).post(page("roomkind"), {"carried": carried})) == over
    assert not RoomKind.objects.filter(name="Pool").exists()


def test_signature_of_something_else_is_none(manager):
    carried = signing.dumps(["x", ["Name"], [[2, ["Pool"]]], ""], compress=True)
    assert "over" in refusal_of(manager.post(page("roomkind"), {"carried": carried}))


# Rights


def test_button_and_page_are_for_those_who_may_import(desk, world):
    for user, may in ((world.administrator, True), (world.manager, True), (world.reception, False)):
        client = desk(user)
        body = client.get(reverse("admin:clinic_room_changelist")).content.decode()
        assert (page("room") in body, client.get(page("room")).status_code) == (may, 200 if may else 403)
    assert page("room") in desk(world.manager).get(reverse("admin:clinic_room_changelist")).content.decode()


@pytest.mark.parametrize("model", IMPORTABLE, ids=lambda model: model.__name__)
def test_right_to_import_comes_with_add_and_change_only(model):
    for name, role in permissions.ROLES.items():
        verbs = [role.scope(model._meta.model_name, verb) for verb in ("import", "add", "change")]
        assert (None in verbs) == (name not in ("administrator", "manager")), name


def test_without_a_token_nothing_is_taken(world):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(world.manager)
    assert rehearse(careful, "room", csv_of(HEAD, ["Camerino", "Gym", "Pool", "1"])).status_code == 403


def test_other_screens_have_no_import():
    assert {model.__name__ for model in IMPORTABLE} == {
        *("Equipment", "EquipmentKind", "Room", "RoomKind", "Service", "ServiceCategory", "Specialisation")
    }


@pytest.fixture
def of_macerata(world, monkeypatch):
    """A role that sees and changes the rooms of its own locations only; the other location it does not see at all."""

    def grants(rooms="view:own change:own add import", locations="view:own"):
        role = permissions.Role("Site", "", {"room": rooms, "location": locations, "roomkind": "view"})
        monkeypatch.setitem(permissions.ROLES, "receptionist", role)
        monkeypatch.setitem(permissions.OWN, "room", lambda user: Q(location__in=user.locations.all()))
        monkeypatch.setitem(permissions.OWN, "location", lambda user: Q(pk__in=user.locations.all()))
        world.reception.locations.set([world.macerata])
        return world.reception

    return grants


def answer(client, *cells):
    response = rehearse(client, "room", csv_of(HEAD, cells))
    return [error[1:] for error in errors_of(response)], response.context["counts"]


def test_foreign_relation_is_answered_like_one_that_does_not_exist(desk, world, of_macerata):
    client = desk(of_macerata())
    foreign, none = (answer(client, name, "Gym", "Room 1", "9") for name in ("Camerino", "Atlantis"))
    assert foreign == ([("Location", "There is no “Camerino”.")], {"new": 0, "changed": 0, "same": 0, "wrong": 1})
    assert none == ([("Location", "There is no “Atlantis”.")], foreign[1])
    assert Room.objects.get(pk=world.room_one.pk).places == 1


def test_foreign_row_is_answered_like_one_that_does_not_exist(desk, world, of_macerata):
    """Seen or not: what somebody may not change is not found."""
    client = desk(of_macerata("view change:own import", "view"))
    foreign, none = (answer(client, "Camerino", "Gym", name, "9") for name in ("Room 1", "No such"))
    sentence = "There is no such record, and you may not add one."
    assert foreign == none == ([("", sentence)], {"new": 0, "changed": 0, "same": 0, "wrong": 1})


def test_foreign_row_is_never_changed_by_who_may_add(desk, world, of_macerata):
    client = desk(of_macerata("view change:own add import", "view"))
    errors, _counts = answer(client, "Camerino", "Gym", "Room 1", "9")
    assert errors == [("", "This location has a room of that name.")]
    assert Room.objects.get(pk=world.room_one.pk).places == 1


def test_rights_are_asked_again_when_it_is_done(desk, world, of_macerata):
    client = desk(of_macerata())
    rehearsal = rehearse(client, "room", csv_of(HEAD, ["Macerata", "Gym", "Pool", "1"]))
    assert rehearsal.context["counts"]["new"] == 1
    of_macerata("view:own change:own import")
    assert errors_of(go(client, "room", rehearsal)) == [(2, "", "There is no such record, and you may not add one.")]
    of_macerata("view:own change:own add")
    assert go(client, "room", rehearsal).status_code == 403
    assert not Room.objects.filter(name="Pool").exists()


# Start-up rule, columns, statements


def test_start_up_check_names_what_has_no_key(monkeypatch):
    assert every_importable_screen_finds_its_records(None) == []
    monkeypatch.setattr(type(admin.site._registry[RoomKind]), "natural_key", ())
    sentences = sorted(error.msg for error in every_importable_screen_finds_its_records(None))
    assert sentences == [
        "The screen of Room is importable, but RoomKind has no natural key.",
        "The screen of RoomKind is importable, but RoomKind has no natural key.",
        "The screen of Service is importable, but RoomKind has no natural key.",
    ]


@pytest.mark.parametrize("model", IMPORTABLE, ids=lambda model: model.__name__)
def test_no_title_means_two_columns(model):
    columns = columns_of(model)
    titles = [title for column in columns for title in column.titles()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(("rows", "places", "count"), [(1, "1", 17), (9, "1", 33), (1, "2", 24), (9, "2", 96)])
def test_statements_of_a_rehearsal(rows, places, count, manager, world, django_assert_num_queries):
    for number in range(rows):
        make.make_equipment(location=world.camerino, kind=world.tecar_kind, name=f"Unit {number}")
    kind = "Tecar" if places == "1" else "Shockwave"
    sheet = csv_of(["Location", "Kind", "Name"], *(["Camerino", kind, f"Unit {number}"] for number in range(rows)))
    with django_assert_num_queries(count):
        response = rehearse(manager, "equipment", sheet)
    assert response.context["counts"]["same" if places == "1" else "changed"] == rows
    assert Equipment.objects.count() > rows
