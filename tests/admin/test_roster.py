"""The roster's page, print and spreadsheet."""

import csv
import datetime as dt
import gzip
import io

import pytest
from django.urls import reverse

from clinic.models import AuditEntry
from tests import factories as make

PAGE = reverse("admin:clinic_practitioner_roster")
PRINT = reverse("admin:clinic_practitioner_roster_print")
EXPORT = reverse("admin:clinic_practitioner_roster_export")


def asked(world, **more):
    return {"on": world.monday.isoformat(), **more}


def test_page_shows_hours_reasons_and_gaps_to_reception(desk, world):
    make.make_time_off(practitioner=world.ada, start_at=world.at("10:00"), end_at=world.at("11:00"), reason="Dentist")
    page = desk(world.reception).get(PAGE, asked(world)).content.decode()
    for said in ("Ada Conti", "11:00–13:00", "Dentist", "Open with nobody there", "18:00–20:00"):
        assert said in page
    # Who may not take lists along is not offered one.
    assert EXPORT not in page


def test_practitioner_reads_own_hours_and_no_gaps(desk, world):
    page = desk(world.ada_user).get(PAGE, asked(world)).content.decode()
    assert "Ada Conti" in page
    assert "Ben Rossi" not in page
    assert "Open with nobody there" not in page


@pytest.mark.parametrize("view", ["week", "month"])
def test_queries_do_not_follow_the_team(view, desk, world, django_assert_num_queries):
    client = desk(world.manager)
    for more in (0, 2):
        for _number in range(more):
            person = make.make_practitioner(locations=[world.macerata])
            make.make_working_hours(person, world.macerata)
            make.make_time_off(practitioner=person, start_at=world.at("10:00"), end_at=world.at("11:00"))
        with django_assert_num_queries(11):
            client.get(PAGE, asked(world, view=view))


def test_month_of_forty_practitioners_stays_light(desk, world):
    for number in range(40):
        person = make.make_practitioner(family_name=f"Person {number}", locations=[world.camerino])
        make.make_working_hours(person, world.camerino, starts="09:00", ends="13:00")
        make.make_working_hours(person, world.macerata, starts="14:00", ends="18:00")
    page = desk(world.manager).get(PAGE, asked(world, view="month")).content
    assert page.count(b"roster-shift") > 1600
    assert len(gzip.compress(page, 6)) < 60_000


@pytest.mark.parametrize(
    "wrong", [{"on": "never"}, {"on": "9999-12-31"}, {"view": "year"}, {"location": "-1"}, {"profession": "Baker"}]
)
def test_senseless_addresses_show_something_sensible(wrong, desk, world):
    assert desk(world.manager).get(PAGE, wrong).status_code == 200


def test_print_is_recorded_and_says_no_reason(desk, world):
    make.make_time_off(
        practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 1), reason="Surgery"
    )
    response = desk(world.reception).get(PRINT, asked(world, view="month"))
    assert b"Surgery" not in response.content
    assert b"Ada Conti" in response.content
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.model) == ("print", "workinghours")


def test_spreadsheet_has_a_line_per_stretch_and_no_formula(desk, world):
    world.ben.given_name = "=HYPERLINK(1)"
    world.ben.save()
    make.make_time_off(
        practitioner=world.ada, start_at=world.at("00:00"), end_at=world.at("00:00", 1), reason="Surgery"
    )
    response = desk(world.manager).post(f"{EXPORT}?on={world.monday}&location={world.camerino.pk}", {"format": "csv"})
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    monday = world.monday.isoformat()
    assert rows[0] == ["Day", "Practitioner", "Profession", "What", "From", "Until", "Location"]
    assert rows[1:5] == [
        [monday, "'=HYPERLINK(1) Rossi", "Physiotherapist", "Hours", "09:00", "13:00", "Camerino"],
        [monday, "Ada Conti", "Physiotherapist", "Off", "", "", ""],
        [monday, "", "", "Nobody", "08:00", "09:00", "Camerino"],
        [monday, "", "", "Nobody", "13:00", "20:00", "Camerino"],
    ]
    assert b"Surgery" not in response.content
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.model) == ("export", "workinghours")


def test_excel_is_a_workbook(desk, world):
    response = desk(world.manager).post(f"{EXPORT}?on={world.monday}", {"format": "xlsx"})
    assert response.content.startswith(b"PK")
    assert f"roster-{world.monday}-{world.monday + dt.timedelta(days=6)}.xlsx" in response["Content-Disposition"]


def test_spreadsheet_is_refused_without_the_right(desk, world):
    assert desk(world.reception).post(EXPORT, {"format": "csv"}).status_code == 403
    assert desk(world.outsider).get(PAGE).status_code == 403
