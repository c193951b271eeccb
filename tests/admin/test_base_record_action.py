"""Record actions on the base of every screen: POST only, scope, permission, refusals, bulk."""

import pytest
from django.urls import reverse

from clinic.admin.base import RetirableAdmin
from clinic.exceptions import RuleBroken
from clinic.models import Appointment, AuditEntry, Location, Patient, Room
from tests import factories as make


def do(model, name, record, **query):
    url = reverse(f"admin:clinic_{model}_do_{name}", args=[record.pk])
    return f"{url}?{'&'.join(f'{key}={value}' for key, value in query.items())}" if query else url


def test_get_asks_and_changes_nothing(desk, world):
    response = desk(world.manager).get(do("room", "deactivate", world.room_one))
    assert response.status_code == 200
    assert "It can no longer be chosen." in response.content.decode()
    world.room_one.refresh_from_db()
    assert world.room_one.active


def test_post_calls_the_service_and_says_so(desk, world, messages_of):
    response = desk(world.manager).post(do("room", "deactivate", world.room_one))
    assert response.status_code == 302
    assert response["Location"] == reverse("admin:clinic_room_change", args=[world.room_one.pk])
    assert messages_of(response) == ["Deactivated: Room 1"]
    world.room_one.refresh_from_db()
    assert not world.room_one.active
    assert world.room_one.history.first().history_user == world.manager


@pytest.mark.parametrize("method", ["get", "post"])
def test_action_without_its_verb_is_refused(method, desk, world):
    response = getattr(desk(world.reception), method)(do("room", "deactivate", world.room_one))
    assert response.status_code == 403
    assert Room.objects.get(pk=world.room_one.pk).active


@pytest.mark.parametrize("method", ["get", "post"])
def test_action_on_a_foreign_record_is_not_found(method, desk, world):
    world.visit(patient=world.bruno, practitioner=world.ben)
    response = getattr(desk(world.ada_user), method)(do("patient", "deactivate", world.bruno))
    assert response.status_code == 404


@pytest.mark.parametrize("failure", [RuleBroken("half_way", "Half way."), ZeroDivisionError("half way")])
def test_service_that_fails_after_writing_leaves_nothing(failure, desk, world, monkeypatch):
    """Two rows, their history and their audit entries are written, then it fails: the action is one transaction."""
    written = []

    def half(room, *, by):
        room.places = 9
        room.save()
        make.make_room(location=room.location, kind=room.kind, name="Half")
        written.append((Room.objects.get(name="Half").pk, AuditEntry.objects.count(), Room.history.count()))
        raise failure

    # Addresses hold the declared action itself.
    monkeypatch.setitem(vars(RetirableAdmin.deactivate), "service", half)
    client = desk(world.manager)
    client.raise_request_exception = False
    before = (AuditEntry.objects.count(), Room.history.count())
    response = client.post(do("room", "deactivate", world.room_one))
    assert response.status_code == (200 if isinstance(failure, RuleBroken) else 500)
    (made, *inside) = written[0]
    assert tuple(inside) == (before[0] + 2, before[1] + 2)
    assert (AuditEntry.objects.count(), Room.history.count()) == before
    assert Room.objects.get(pk=world.room_one.pk).places == 1
    assert not Room.objects.filter(pk=made).exists()


def test_form_error_keeps_what_was_typed(desk, world):
    response = desk(world.reception).post(do("patient", "record_death", world.anna), {"on": "31/02/2020"})
    assert response.status_code == 200
    body = response.content.decode()
    assert "31/02/2020" in body
    assert "Enter a valid date." in body


def test_refusal_of_a_service_stands_beside_the_field(desk, world):
    response = desk(world.reception).post(do("patient", "record_death", world.anna), {"on": "2999-01-01"})
    assert response.status_code == 200
    assert response.context["form"].errors == {"on": ["This day lies in the future."]}
    assert Patient.objects.get(pk=world.anna.pk).deceased_on is None


def test_acceptable_refusal_offers_the_way_past_and_goes_it(desk, world):
    world.visit("10:00", patient=world.anna)
    client, url = desk(world.reception), do("patient", "record_death", world.anna)
    refused = client.post(url, {"on": "2026-01-02"})
    body = refused.content.decode()
    assert refused.status_code == 200
    assert "1 visit is still to come" in body
    assert 'name="_accept" value="future_visits"' in body
    assert Patient.objects.get(pk=world.anna.pk).active

    done = client.post(url, {"on": "2026-01-02", "_accept": "future_visits", "_reason": "the family rang"})
    assert done.status_code == 302
    anna = Patient.objects.get(pk=world.anna.pk)
    assert (str(anna.deceased_on), anna.active) == ("2026-01-02", False)
    assert anna.history.first().history_change_reason == "the family rang"


def test_dialog_is_told_where_to_go_and_the_message_waits_there(desk, world):
    client = desk(world.reception)
    done = client.post(do("patient", "deactivate", world.anna), headers={"X-Dialog": "1"})
    page = reverse("admin:clinic_patient_change", args=[world.anna.pk])
    assert (done.status_code, done["X-Dialog"]) == (204, page)
    assert len(client.get(page).context["messages"]) == 1


def test_forged_acceptance_without_its_permission_is_refused(desk, world):
    visit = world.visit("10:00")
    url = reverse("admin:clinic_appointment_do_move", args=[visit.pk])
    response = desk(world.ada_user).post(url, {"_accept": "overlap", "_reason": "because"})
    assert response.status_code == 403
    assert Appointment.objects.get(pk=visit.pk).version == 0


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/admin/clinic/room/", "/admin/clinic/room/"),
        ("https://evil.test/", None),
        ("//evil.test/", None),
    ],
)
def test_next_is_followed_within_this_site_only(wanted, goes_to, desk, world):
    response = desk(world.manager).post(do("room", "deactivate", world.room_one), {"next": wanted})
    assert response["Location"] == goes_to or reverse("admin:clinic_room_change", args=[world.room_one.pk])


def test_unavailable_action_says_so(desk, world):
    response = desk(world.manager).get(do("room", "reactivate", world.room_one))
    assert "This is not possible now." in response.content.decode()


def test_change_page_offers_what_is_possible_now(desk, world):
    body = desk(world.manager).get(reverse("admin:clinic_room_change", args=[world.room_one.pk])).content.decode()
    assert "do/deactivate/" in body
    assert "do/reactivate/" not in body


def test_change_page_offers_nothing_without_the_verb(desk, world):
    body = desk(world.reception).get(reverse("admin:clinic_room_change", args=[world.room_one.pk])).content.decode()
    assert "/do/" not in body


def bulk(client, model, name, records, **more):
    data = {"action": f"do_{name}", "_selected_action": [record.pk for record in records], "index": "0", **more}
    return client.post(reverse(f"admin:clinic_{model}_changelist"), data)


def test_bulk_does_each_row_for_itself_and_says_which_were_refused(desk, world, messages_of):
    world.visit("10:00", room=world.room_two)
    response = bulk(desk(world.manager), "room", "deactivate", [world.room_one, world.room_two, world.gym])
    assert messages_of(response) == [
        "2 done.",
        "1 refused: Room 2: 1 visit is still to come; it stays booked until somebody moves or cancels it.",
    ]
    assert sorted(Room.objects.filter(active=True, location=world.camerino).values_list("name", flat=True)) == [
        "Room 2"
    ]


def test_bulk_without_the_verb_does_nothing(desk, world):
    bulk(desk(world.reception), "room", "deactivate", [world.room_one])
    assert Room.objects.get(pk=world.room_one.pk).active


def test_bulk_of_too_many_does_nothing(desk, world, messages_of, monkeypatch):
    monkeypatch.setattr("clinic.admin.base.actions.BULK_LIMIT", 2)
    response = bulk(desk(world.manager), "room", "deactivate", [world.room_one, world.room_two, world.gym])
    assert messages_of(response) == ["At most 2 records at once; nothing was done."]
    assert Room.objects.filter(active=True).count() == 4


def test_nothing_deletes_in_bulk(desk, world):
    data = {"action": "delete_selected", "_selected_action": [world.gym_kind.pk], "index": "0", "post": "yes"}
    client = desk(world.administrator)
    for model in ("roomkind", "room", "timeoff"):
        client.post(reverse(f"admin:clinic_{model}_changelist"), data)
    assert world.gym_kind.rooms.exists()


def test_legal_entity_with_open_locations_stays(desk, world):
    response = desk(world.administrator).post(do("organization", "deactivate", world.organization))
    assert response.status_code == 200
    assert "Deactivate the locations of this legal entity first." in response.content.decode()
    Location.objects.update(active=False)
    assert desk(world.administrator).post(do("organization", "deactivate", world.organization)).status_code == 302


def test_reactivating_a_deceased_patient_is_refused(desk, world):
    dead = make.make_patient(active=False, deceased_on="2026-01-01")
    response = desk(world.reception).post(do("patient", "reactivate", dead))
    assert "A deceased patient is inactive." in response.content.decode()
