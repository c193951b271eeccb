"""Screens of staff, practitioners and absences."""

import pytest
from django.urls import reverse

from clinic.models import Invitation, TimeOff, User
from clinic.permissions import ROLES
from tests import factories as make

NEW = {"given_name": "Nora", "family_name": "Nuova", "email": "Nora@Clinic.test", "language": "it"}


def test_inviting_gives_roles_and_shows_the_link_once(desk, world, messages_of):
    response = desk(world.administrator).post(
        reverse("admin:clinic_user_add"), {**NEW, "roles": ["receptionist"], "locations": [world.camerino.pk]}
    )
    nora = User.objects.get(email="nora@clinic.test")
    assert response["Location"] == reverse("admin:clinic_user_change", args=[nora.pk])
    assert (nora.roles, nora.has_usable_password()) == (("receptionist",), False)
    assert list(nora.locations.all()) == [world.camerino]
    link = next(message for message in messages_of(response) if "desk-copy" in message)
    token = link.split("/invitation/")[1].split("/")[0]
    assert token not in str(Invitation.objects.get(user=nora).token_hash)
    assert desk(world.administrator).get(f"/accounts/invitation/{token}/").status_code in (200, 302)


def test_list_is_filtered_by_role_in_plain_words(desk, world):
    response = desk(world.administrator).get(reverse("admin:clinic_user_changelist"), {"role": "manager"})
    assert list(response.context["cl"].result_list) == [world.manager]
    roles = response.context["cl"].filter_specs[1]
    assert [str(label) for _name, label in roles.lookup_choices] == [str(role.label) for role in ROLES.values()]


def test_inviting_without_a_role_is_refused(desk, world):
    response = desk(world.administrator).post(reverse("admin:clinic_user_add"), NEW)
    assert response.context["adminform"].form.errors == {"roles": ["This field is required."]}
    assert not User.objects.filter(email="nora@clinic.test").exists()


def test_inviting_somebody_who_works_here_is_refused_beside_the_address(desk, world):
    data = {**NEW, "email": "ADA@clinic.test", "roles": ["receptionist"]}
    response = desk(world.administrator).post(reverse("admin:clinic_user_add"), data)
    assert response.context["adminform"].form.errors == {"email": ["Somebody with this e-mail works here already."]}


def test_roles_are_changed_in_plain_words(desk, world):
    url = reverse("admin:clinic_user_change", args=[world.reception.pk])
    body = desk(world.administrator).get(url).content.decode()
    assert "Registers patients, books, moves and cancels" in body
    data = {"given_name": "Rita", "family_name": "Banco", "email": "reception@clinic.test", "language": "it"}
    assert desk(world.administrator).post(url, {**data, "roles": ["receptionist", "manager"]}).status_code == 302
    assert User.objects.get(pk=world.reception.pk).roles == ("manager", "receptionist")


def test_last_administrator_keeps_the_role(desk, world):
    url = reverse("admin:clinic_user_change", args=[world.administrator.pk])
    data = {"given_name": "Alba", "family_name": "Ministra", "email": "admin@clinic.test", "language": "it"}
    response = desk(world.administrator).post(url, {**data, "given_name": "Alma", "roles": ["manager"]})
    assert response.status_code == 200
    assert "is the only administrator" in str(response.context["adminform"].form.errors["roles"])
    assert User.objects.get(pk=world.administrator.pk).given_name == "Alba"


def test_nobody_raises_themselves_by_a_forged_field(desk, world):
    url = reverse("admin:clinic_user_change", args=[world.manager.pk])
    data = {"given_name": "Mara", "family_name": "Dirige", "email": "manager@clinic.test", "language": "it"}
    assert desk(world.manager).post(url, {**data, "roles": ["administrator"]}).status_code == 403
    forged = {**data, "roles": ["manager"], "is_superuser": "on", "is_staff": "", "groups": "1"}
    assert desk(world.administrator).post(url, forged).status_code == 302
    mara = User.objects.get(pk=world.manager.pk)
    assert (mara.is_superuser, mara.is_staff, mara.roles) == (False, True, ("manager",))


def test_deactivating_oneself_is_refused(desk, world):
    url = reverse("admin:clinic_user_do_deactivate", args=[world.administrator.pk])
    response = desk(world.administrator).post(url)
    assert "You cannot deactivate yourself" in response.content.decode()


def test_password_never_reaches_a_page(desk, world):
    client = desk(world.administrator)
    for page in ("change", "history"):
        body = client.get(reverse(f"admin:clinic_user_{page}", args=[world.ada_user.pk])).content.decode()
        assert world.ada_user.password not in body


def time_off(client, start, end, **who):
    data = {"start_at_0": "", "start_at_1": start, "end_at_0": "", "end_at_1": end, "reason": "Ferie"}
    return client.post(reverse("admin:clinic_timeoff_add"), data | who)


def test_time_off_says_how_many_visits_it_hits(desk, world, messages_of):
    world.visit("10:00")
    world.visit("10:00", days=1)
    world.visit("17:00")
    day = str(world.monday)
    response = time_off(
        desk(world.reception), "09:00", "12:00", start_at_0=day, end_at_0=day, practitioner=world.ada.pk
    )
    assert "1 visit lies in this time: move or cancel it." in messages_of(response)
    off = TimeOff.objects.get()
    assert (off.start_at, off.end_at) == (world.at("09:00"), world.at("12:00"))


@pytest.mark.parametrize("who", [{}, {"practitioner": "ada", "room": "room_one"}])
def test_time_off_wants_exactly_one_subject(who, desk, world):
    chosen = {name: getattr(world, value).pk for name, value in who.items()}
    day = str(world.monday)
    response = time_off(desk(world.reception), "09:00", "12:00", start_at_0=day, end_at_0=day, **chosen)
    assert "Choose exactly one: practitioner, room, equipment or location." in response.context["errors"].as_text()


def test_practitioner_is_linked_to_somebody_who_treats(desk, world):
    url = reverse("admin:clinic_practitioner_add")
    data = {"given_name": "Ciro", "family_name": "Nuovo", "profession": "Fisioterapista", "colour": "#0f766e"}
    inlines = {
        f"{prefix}-{part}_FORMS": 0
        for prefix in ("working_hours", "extra_hours", "offerings", "specialisations")
        for part in ("TOTAL", "INITIAL")
    }
    client = desk(world.administrator)
    refused = client.post(url, {**data, **inlines, "user": world.reception.pk})
    assert "user" in refused.context["adminform"].form.errors
    treats = make.make_user("practitioner")
    assert client.post(url, {**data, **inlines, "user": treats.pk}).status_code == 302
