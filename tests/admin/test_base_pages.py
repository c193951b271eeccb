"""Lists, history, export, autocomplete and the start-up rule of the base."""

import csv
import io

import openpyxl
import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.formats import date_format
from unfold.admin import ModelAdmin

from clinic.admin.base.cells import harmless
from clinic.admin.checks import every_screen_is_scoped
from clinic.models import AuditEntry, Patient, Room, RoomKind
from tests import factories as make

# Parts of another record's screen, or the machine's own books.
NO_SCREEN = {
    "AuditShape",
    "CacheEntry",
    "DayException",
    "EquipmentUse",
    "ExtraHours",
    "Favourite",
    "Hold",
    "Invitation",
    "Offering",
    "OpeningHours",
    "PractitionerSpecialisation",
    "RequestKey",
    "Seal",
    "StatusChange",
    "StoredFile",
    "WorkingHours",
}


def test_every_model_has_a_screen_or_is_known_to_need_none():
    models = {model for model in apps.get_app_config("clinic").get_models() if not hasattr(model, "history_type")}
    without = {model.__name__ for model in models - set(admin.site._registry)}
    assert {name for name in without if not name.startswith("Historical")} == NO_SCREEN


def test_only_clinic_admins_can_be_registered():
    with pytest.raises(ImproperlyConfigured):
        admin.site.register(RoomKind, ModelAdmin)
    assert every_screen_is_scoped(None) == []


def test_start_up_check_names_a_screen_without_scope(monkeypatch):
    monkeypatch.setitem(admin.site._registry, RoomKind, ModelAdmin(RoomKind, admin.site))
    assert [error.id for error in every_screen_is_scoped(None)] == ["clinic.E010"]


# Statements of each list for its reader, sign-in included: with one row and with three the same.
COUNTS = {
    "organization": 6,
    "location": 6,
    "roomkind": 6,
    "equipmentkind": 6,
    "room": 8,
    "equipment": 8,
    "servicecategory": 6,
    "service": 7,
    "specialisation": 6,
    "referringdoctor": 6,
    "practitioner": 8,
    "timeoff": 7,
    "patient": 6,
    "user": 7,
    "auditentry": 6,
}


@pytest.mark.parametrize("model", COUNTS)
def test_list_takes_the_same_few_statements_with_one_row_and_with_three(
    model, desk, world, django_assert_num_queries, monkeypatch
):
    world.ada.time_off.create(start_at=world.at("10:00"), end_at=world.at("11:00"))
    make.make_specialisation()
    make.make_referring_doctor()
    client, screen = desk(world.administrator), admin.site._registry[apps.get_model("clinic", model)]
    for rows in (1, 3):
        monkeypatch.setattr(type(screen), "list_per_page", rows)
        with django_assert_num_queries(COUNTS[model]):
            assert client.get(reverse(f"admin:clinic_{model}_changelist")).status_code == 200


@pytest.fixture
def many_kinds(monkeypatch, world):
    monkeypatch.setattr("clinic.admin.base.paging.CAP", 6)
    monkeypatch.setattr(type(admin.site._registry[RoomKind]), "list_per_page", 2)
    for number in range(9):
        RoomKind.objects.create(name=f"Kind {number}")


def names(response):
    return [row.name for row in response.context["cl"].result_list]


def test_long_list_is_counted_to_the_cap_and_turned_from_both_ends(desk, world, many_kinds):
    client, url = desk(world.administrator), reverse("admin:clinic_roomkind_changelist")
    first, last = client.get(url), client.get(url, {"p": "last"})
    assert names(first) == ["Gym", "Kind 0"]
    assert names(client.get(url, {"p": "3"})) == ["Kind 3", "Kind 4"]
    assert names(last) == ["Kind 8", "Treatment room"]
    assert "6+" in first.content.decode()
    assert "?p=last" in first.content.decode()


@pytest.mark.parametrize("page", ["4", "99999999999", "0", "-1"])
def test_page_that_is_not_there_leads_back_to_the_list(page, desk, world, many_kinds):
    response = desk(world.administrator).get(reverse("admin:clinic_roomkind_changelist"), {"p": page})
    assert response.status_code == 302


def test_undeclared_lookup_is_refused(desk, world):
    response = desk(world.administrator).get(reverse("admin:clinic_user_changelist"), {"password__startswith": "md5"})
    assert response.status_code == 400


def test_inactive_rows_are_marked(desk, world):
    body = desk(world.reception).get(reverse("admin:clinic_patient_changelist")).content.decode()
    assert body.count("desk-inactive") == 1


def test_empty_list_says_what_to_do(desk, world):
    body = desk(world.administrator).get(reverse("admin:clinic_timeoff_changelist")).content.decode()
    assert "No time off yet." in body
    body = desk(world.administrator).get(reverse("admin:clinic_room_changelist"), {"q": "nothing"}).content.decode()
    assert "Nothing matches this search." in body


# History


def test_history_tells_before_and_after(desk, world):
    world.room_one.places = 4
    world.room_one.save()
    body = desk(world.manager).get(reverse("admin:clinic_room_history", args=[world.room_one.pk])).content.decode()
    row = body[body.index("Places</th>") :][:80]
    assert "<td>1</td><td>4</td>" in row


def test_history_is_read_only(desk, world):
    url = reverse("admin:clinic_room_history", args=[world.room_one.pk])
    assert desk(world.administrator).post(url).status_code == 405


def test_history_of_a_foreign_record_is_not_found(desk, world):
    url = reverse("admin:clinic_patient_history", args=[world.bruno.pk])
    assert desk(world.ada_user).get(url).status_code == 404


def test_history_takes_the_same_statements_for_few_and_for_many_versions(desk, world, django_assert_num_queries):
    client, url = desk(world.manager), reverse("admin:clinic_room_history", args=[world.room_one.pk])
    for version in range(30):
        if version in (1, 29):
            with django_assert_num_queries(9):
                client.get(url)
        world.room_one.places, world.room_one.kind = 1 + version, (world.gym_kind, world.treatment_kind)[version % 2]
        world.room_one.save()
    assert len(client.get(url).context["versions"]) == 20


# Export


def exported(response):
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_formula_is_neutralised(start):
    assert harmless(f"{start}cmd()") == f"'{start}cmd()"


@pytest.mark.parametrize("text", ["", "Rossi", "3 + 4", "a=b"])
def test_ordinary_text_stays(text):
    assert harmless(text) == text


def test_export_holds_the_filtered_list_and_nothing_that_computes(desk, world):
    make.make_room(location=world.camerino, kind=world.gym_kind, name="=HYPERLINK(1)", places=2)
    url = reverse("admin:clinic_room_export")
    response = desk(world.manager).post(f"{url}?kind__id__exact={world.gym_kind.pk}", {"format": "csv"})
    rows = exported(response)
    assert rows[0] == ["Active", "Location", "Kind", "Name", "Places"] or "Name" in rows[0]
    assert [row[rows[0].index("Name")] for row in rows[1:]] == ["'=HYPERLINK(1)", "Gym"]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.model, entry.user) == ("export", "room", world.manager)
    assert entry.purpose.startswith("2 × room")


def test_export_to_a_workbook_leaves_what_is_empty_empty(desk, world):
    make.make_patient(family_name="+Zeta", given_name="Zoe", birth_on=None)
    response = desk(world.administrator).post(f"{reverse('admin:clinic_patient_export')}?q=zeta", {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    head, row = list(sheet.iter_rows(values_only=True))
    assert row[head.index("Family name")] == "'+Zeta"
    assert row[head.index("Birth date")] is None


def test_export_without_its_verb_is_refused(desk, world):
    assert desk(world.reception).post(reverse("admin:clinic_patient_export"), {"format": "csv"}).status_code == 403


def test_export_of_too_much_asks_for_a_filter(desk, world, monkeypatch):
    monkeypatch.setattr("clinic.admin.base.export.LIMIT", 2)
    response = desk(world.manager).post(reverse("admin:clinic_room_export"), {"format": "csv"})
    assert "narrow the list with a filter first" in response.content.decode()


# Autocomplete


def suggestions(client, model, field, term=""):
    names = {"app_label": "clinic", "model_name": model, "field_name": field, "term": term}
    return [row["text"] for row in client.get(reverse("admin:autocomplete"), names).json()["results"]]


def named(patient):
    """Two people of one name differ in birth date or number."""
    return f"{patient} · {date_format(patient.birth_on, 'SHORT_DATE_FORMAT')} · {patient.number}"


def test_autocomplete_offers_active_records_only(desk, world):
    client = desk(world.reception)
    offered = suggestions(client, "appointment", "patient")
    assert named(world.anna) in offered
    assert named(world.carla) not in offered


def test_autocomplete_stays_within_the_scope(desk, world):
    world.visit(patient=world.anna)
    assert suggestions(desk(world.ada_user), "appointment", "patient") == [named(world.anna)]


def test_autocomplete_is_limited(desk, world):
    for number in range(25):
        make.make_patient(family_name=f"Molti{number}")
    assert len(suggestions(desk(world.reception), "appointment", "patient", "molti")) == 20


def test_sign_in_of_a_practitioner_is_one_of_those_who_treat(desk, world):
    offered = suggestions(desk(world.administrator), "practitioner", "user")
    assert str(world.reception) not in offered
    assert str(world.ada_user) in offered


# Looks


def test_look_at_a_patient_is_recorded_and_a_list_is_not(desk, world):
    client = desk(world.reception)
    before = AuditEntry.objects.filter(verb="view").count()
    client.get(reverse("admin:clinic_patient_changelist"))
    assert AuditEntry.objects.filter(verb="view").count() == before
    client.get(reverse("admin:clinic_patient_change", args=[world.anna.pk]))
    entry = AuditEntry.objects.filter(verb="view").latest("pk")
    assert (entry.user, entry.model, entry.patient) == (world.reception, "patient", world.anna)


def test_foreign_page_is_no_look(desk, world):
    before = AuditEntry.objects.filter(verb="view").count()
    desk(world.ada_user).get(reverse("admin:clinic_patient_change", args=[world.bruno.pk]))
    assert AuditEntry.objects.filter(verb="view").count() == before


def test_page_has_its_landmarks_and_language(desk, world):
    body = desk(world.reception).get(reverse("admin:clinic_patient_changelist")).content.decode()
    assert body.count("<main") == 1
    assert '<html lang="en"' in body


@pytest.mark.parametrize("key", ["0", "99999999999999999999999", "abc", "1%00", "-1", "1/../2"])
def test_odd_keys_are_not_found(key, desk, world):
    assert desk(world.reception).get(f"/admin/clinic/patient/{key}/change/").status_code == 404
    assert Patient.objects.count() == 3
    assert Room.objects.count() == 4
