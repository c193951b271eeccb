"""Sessions end: after a while without use, after a day, at once for who may no longer come in."""

import time

import pytest
from django.contrib.sessions.models import Session

from clinic.models import ClinicSettings, User
from clinic.services import team
from clinic.signin import session as clock
from tests.signin.conftest import Door, trail


def test_idle_session_ends_with_a_sentence_and_returns_to_the_page(door, ada):
    door.come_in(ada)
    door.let_pass(minutes=31)
    response = door.client.get("/admin/clinic/patient/?q=bianchi", follow=True)
    assert response.redirect_chain[0][0] == "/accounts/login/?next=/admin/clinic/patient/%3Fq%3Dbianchi"
    assert "signed out after 30 minutes without use" in response.content.decode()
    assert not door.signed_in
    assert trail("sign_out") == [("sign_out", ada.pk, ada.pk, "idle")]


def test_session_lasts_while_it_is_used(door, ada):
    door.come_in(ada)
    for _n in range(3):
        door.let_pass(minutes=29)
        assert door.client.get("/admin/").status_code == 200


def test_session_ends_in_any_case_after_its_hours(door, ada):
    door.come_in(ada)
    for _n in range(24):
        door.let_pass(minutes=29)
        assert door.client.get("/admin/").status_code == 200
    door.let_pass(minutes=29)
    response = door.client.get("/admin/", follow=True)
    assert "your day’s session has ended" in response.content.decode()
    assert not door.signed_in


def test_poll_does_not_count_as_use(door, ada):
    door.come_in(ada)
    for _n in range(3):
        door.let_pass(minutes=10)
        door.client.get("/admin/", headers={"X-Camerino-Poll": "1"})
    door.let_pass(minutes=1)
    assert door.client.get("/admin/").status_code == 302


def test_poll_of_an_ended_session_says_so_and_leaves_the_sentence_to_the_page(door, ada):
    door.come_in(ada)
    door.let_pass(minutes=31)
    response = door.client.get("/admin/", headers={"X-Camerino-Poll": "1"})
    assert (response.status_code, response.json()) == (401, {"code": "signed_out"})
    page = door.client.get("/admin/", follow=True).content.decode()
    assert "without use" in page


def test_script_of_an_ended_session_gets_no_page_instead_of_data(door, ada):
    door.come_in(ada)
    door.let_pass(minutes=31)
    assert door.client.get("/admin/", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401


def test_lost_form_is_named_and_leads_back_to_its_page(door, ada):
    door.come_in(ada)
    door.let_pass(minutes=31)
    response = door.client.post(
        "/admin/clinic/patient/add/", {"given_name": "Anna"}, HTTP_REFERER="http://testserver/admin/clinic/patient/add/"
    )
    assert response.url == "/accounts/login/?next=/admin/clinic/patient/add/"
    assert "was not saved" in door.client.get(response.url).content.decode()


def test_clock_is_written_once_a_minute_at_most(door, ada, django_assert_num_queries):
    door.come_in(ada)
    door.client.get("/accounts/2fa/")
    seen = door.client.session["clock"]["seen"]
    door.client.get("/accounts/2fa/")
    assert door.client.session["clock"]["seen"] == seen
    door.let_pass(minutes=2)
    door.client.get("/accounts/2fa/")
    assert time.time() - door.client.session["clock"]["seen"] < 5


def test_watch_costs_no_query(door, ada, django_assert_num_queries):
    door.come_in(ada)
    # The session and the person, which any signed-in request reads; the page of the log-out asks for nothing.
    with django_assert_num_queries(2):
        door.client.get("/accounts/logout/")


def test_changed_settings_hold_within_a_minute(door, ada):
    door.come_in(ada)
    ClinicSettings.objects.update_or_create(pk=1, defaults={"idle_minutes": 5})
    door.let_pass(minutes=2)
    door.client.get("/admin/")
    door.let_pass(minutes=6)
    assert door.client.get("/admin/").status_code == 302


def test_session_without_a_clock_is_over(door, ada):
    door.come_in(ada)
    session = door.client.session
    del session[clock.CLOCK]
    session.save()
    assert door.client.get("/admin/").status_code == 302
    assert not door.signed_in


def test_deactivated_person_is_out_at_once(door, ada, alba):
    door.come_in(ada)
    team.deactivate(ada, by=_by(alba))
    assert door.client.get("/admin/").status_code == 302
    assert Session.objects.count() == 0


def test_old_session_does_not_come_back_with_the_person(door, ada, alba):
    door.come_in(ada)
    team.deactivate(ada, by=_by(alba))
    team.reactivate(ada, by=_by(alba))
    assert door.client.get("/admin/").status_code == 302
    assert Door().come_in(ada).status_code == 302


def test_deactivation_by_any_hand_ends_sessions(door, ada):
    door.come_in(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert door.client.get("/admin/").status_code == 302


def test_roles_change_for_open_sessions(door, ada, alba):
    door.come_in(ada)
    assert door.client.get("/admin/clinic/auditentry/").status_code in (403, 404)
    team.assign_roles(ada, ["administrator"], by=_by(alba))
    assert door.client.session["_auth_user_id"] == str(ada.pk)
    assert User.objects.get(pk=ada.pk).roles == ("administrator",)


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/login/?next=/admin/"])
def test_sign_in_page_of_an_ended_session_is_shown_at_once(door, ada, page):
    door.come_in(ada)
    door.let_pass(minutes=31)
    response = door.client.get(page)
    assert response.status_code == 200
    assert "without use" in response.content.decode()


def _by(user):
    from clinic import actor

    return actor.staff(user)
