"""The table of roles says what permissions.ROLES grants."""

from django.urls import reverse

from clinic.admin.team.roles import VERBS, Grant, grants, table
from clinic.permissions import ROLES

PAGE = reverse("admin:clinic_user_roles")


def test_every_verb_has_a_word():
    granted = {
        grant.partition("?")[0].partition(":")[0]
        for role in ROLES.values()
        for verbs in role.grants.values()
        for grant in verbs.split()
    }
    assert granted <= set(VERBS)


def test_grants_are_told_with_whose_records_they_hold_for():
    assert grants(ROLES["receptionist"], "patient") == [Grant("", "see · add · change")]
    assert grants(ROLES["practitioner"], "patient") == [Grant("own", "see · change"), Grant("", "add")]
    assert grants(ROLES["practitioner"], "timeoff") == [
        Grant("own", "see"),
        Grant("own, if the settings allow", "add · change · delete"),
    ]
    assert grants(ROLES["receptionist"], "auditentry") == []


def test_table_has_a_row_per_kind_of_record_and_a_column_per_role():
    rows = table()
    assert [name for name, _cells in rows[:2]] == ["Patients", "Appointments"]
    assert {len(cells) for _name, cells in rows} == {len(ROLES)}


def test_staff_form_leads_to_the_table(desk, world):
    client = desk(world.administrator)
    assert f'href="{PAGE}"' in client.get(reverse("admin:clinic_user_add")).content.decode()
    page = client.get(PAGE).content.decode()
    assert str(ROLES["receptionist"].description) in page
    assert desk(world.reception).get(PAGE).status_code == 403
