"""Screens of staff, practitioners and absences."""

import datetime as dt

import pytest
from django.urls import reverse

from clinic.admin.base.effects import SEEN
from clinic.admin.team.staff import UserAdmin
from clinic.exceptions import RuleBroken
from clinic.models import AuditEntry, ClinicSettings, Invitation, TimeOff, User
from clinic.permissions import ROLES
from clinic.services import team
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


def test_reactivating_lets_somebody_work_again(desk, world, messages_of):
    world.ben_user.is_active = False
    world.ben_user.save()
    versions = world.ben_user.history.count()
    url = reverse("admin:clinic_user_do_reactivate", args=[world.ben_user.pk])
    assert desk(world.manager).post(url).status_code == 403
    client = desk(world.administrator)
    assert (client.get(url).status_code, User.objects.get(pk=world.ben_user.pk).is_active) == (200, False)
    assert messages_of(client.post(url)) == ["Reactivate: Ben Rossi"]
    ben = User.objects.get(pk=world.ben_user.pk)
    assert (ben.is_active, ben.roles, ben.check_password(make.PASSWORD)) == (True, ("practitioner",), True)
    assert (ben.history.count(), ben.history.first().history_user) == (versions + 1, world.administrator)
    assert desk(ben).get(reverse("admin:index")).status_code == 200
    assert "This is not possible now." in desk(world.administrator).get(url).content.decode()


def test_reactivation_that_fails_after_writing_leaves_nothing(desk, world, monkeypatch):
    world.ben_user.is_active = False
    world.ben_user.save()
    client = desk(world.administrator)
    before = (AuditEntry.objects.count(), world.ben_user.history.count())

    def half(user, *, by):
        assert team.reactivate(user, by=by).is_active
        assert User.objects.get(pk=user.pk).is_active
        raise RuleBroken("half_way", "Half way.")

    monkeypatch.setitem(vars(UserAdmin.reactivate), "service", half)
    response = client.post(reverse("admin:clinic_user_do_reactivate", args=[world.ben_user.pk]))
    assert "Half way." in response.content.decode()
    assert not User.objects.get(pk=world.ben_user.pk).is_active
    assert (AuditEntry.objects.count(), world.ben_user.history.count()) == before


def test_password_never_reaches_a_page(desk, world):
    client = desk(world.administrator)
    for page in ("change", "history"):
        body = client.get(reverse(f"admin:clinic_user_{page}", args=[world.ada_user.pk])).content.decode()
        assert world.ada_user.password not in body


def time_off(client, **said):
    """Saved by somebody who has seen what it does to visits."""
    url, data = reverse("admin:clinic_timeoff_add"), {"reason": "Ferie", **said}
    response = client.post(url, data)
    effect = response.context and response.context.get("refusal_effect")
    return client.post(url, {**data, SEEN: effect.mark}) if effect else response


def test_time_off_leads_to_the_visits_it_hits(desk, world, messages_of):
    world.visit("10:00")
    world.visit("10:00", days=1)
    world.visit("17:00")
    said = {"first_on": world.monday, "starts": "09:00", "ends": "12:00", "practitioner": world.ada.pk}
    (message, *_more) = [text for text in messages_of(time_off(desk(world.reception), **said)) if "lies" in text]
    assert "1 visit lies in this time: rebook it." in message
    assert f'/appointment/rebooking/?practitioner={world.ada.pk}"' in message
    off = TimeOff.objects.get()
    assert (off.start_at, off.end_at, off.zone) == (world.at("09:00"), world.at("12:00"), "Europe/Rome")


def test_time_off_without_times_is_whole_days(desk, world):
    said = {"first_on": world.monday, "last_on": world.monday + dt.timedelta(days=4), "room": world.gym.pk}
    assert time_off(desk(world.reception), **said).status_code == 302
    off = TimeOff.objects.get()
    assert (off.start_at, off.end_at) == (world.at("00:00"), world.at("00:00", 5))
    page = desk(world.reception).get(reverse("admin:clinic_timeoff_changelist")).content.decode()
    assert f"{world.monday + dt.timedelta(days=4):%a %-d %b %Y}<" in page


@pytest.mark.parametrize("who", [{}, {"practitioner": "ada", "room": "room_one"}])
def test_time_off_wants_exactly_one_subject(who, desk, world):
    chosen = {name: getattr(world, value).pk for name, value in who.items()}
    response = time_off(desk(world.reception), first_on=world.monday, **chosen)
    assert "Choose exactly one: practitioner, room, equipment or location." in response.context["errors"].as_text()


def test_time_off_at_a_time_that_the_clock_skips_is_refused_beside_it(desk, world):
    said = {"first_on": "2027-03-28", "starts": "02:30", "ends": "05:00", "room": world.gym.pk}
    response = time_off(desk(world.reception), **said)
    assert response.context["adminform"].form.errors == {"starts": ["The clock skips this time on that day."]}


def test_time_off_is_meant_on_the_clock_of_the_place(desk, world):
    world.macerata.time_zone = "Asia/Kolkata"
    world.macerata.save()
    client = desk(world.reception)
    said = {"first_on": world.monday, "starts": "09:00", "ends": "12:00"}
    assert time_off(client, room=world.macerata_room.pk, **said).status_code == 302
    kolkata = make.moment(world.monday, "09:00", world.macerata.zone)
    assert TimeOff.objects.get().start_at == kolkata
    # Ben works in both zones, Ada in one.
    refused = time_off(client, practitioner=world.ben.pk, **said).context["adminform"].form.errors
    assert list(refused) == ["clock_of"]
    assert time_off(client, practitioner=world.ben.pk, clock_of=world.macerata.pk, **said).status_code == 302
    assert time_off(client, practitioner=world.ada.pk, **said).status_code == 302
    starts = {off.practitioner: off.start_at for off in TimeOff.objects.exclude(practitioner=None)}
    assert starts == {world.ben: kolkata, world.ada: world.at("09:00")}
    assert "09:00 (Kolkata)" in client.get(reverse("admin:clinic_timeoff_changelist")).content.decode()


def test_clock_is_not_asked_for_where_there_is_one(desk, world):
    page = desk(world.reception).get(reverse("admin:clinic_timeoff_add")).content.decode()
    assert "clock_of" not in page


def test_practitioner_blocks_own_time_and_nobody_elses(desk, world):
    forged = {"first_on": world.monday, "practitioner": world.ben.pk, "location": world.camerino.pk}
    assert time_off(desk(world.ada_user), **forged).status_code == 302
    off = TimeOff.objects.get()
    assert (off.practitioner, off.location) == (world.ada, None)
    theirs = make.make_time_off(practitioner=world.ben, start_at=world.at("09:00"), end_at=world.at("10:00"))
    for page in ("change", "delete"):
        assert desk(world.ada_user).post(reverse(f"admin:clinic_timeoff_{page}", args=[theirs.pk])).status_code == 404


def test_practitioner_blocks_nothing_when_the_settings_say_so(desk, world):
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_blocks": False})
    client = desk(world.ada_user)
    assert time_off(client, first_on=world.monday).status_code == 403
    own = make.make_time_off(practitioner=world.ada, start_at=world.at("09:00"), end_at=world.at("10:00"))
    url = reverse("admin:clinic_timeoff_change", args=[own.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"first_on": world.monday}).status_code == 403


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
