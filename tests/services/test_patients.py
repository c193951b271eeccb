"""Registering patients: doubles, phones, death, deactivation."""

import datetime as dt

import pytest

from clinic import actor, permissions
from clinic.exceptions import RuleBroken
from clinic.models import Patient
from clinic.services import patients, retirement
from tests import factories as make


@pytest.fixture
def desk(world):
    return actor.staff(world.reception)


def new(**over):
    return Patient(**{"family_name": "Neri", "given_name": "Luca", "birth_on": dt.date(1990, 5, 1), **over})


def test_register_gives_a_number(desk):
    patient = patients.register(new(), by=desk)
    assert patient.number >= 1000
    assert patients.register(new(given_name="Lea"), by=desk).number > patient.number


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("333 123 4567", "IT", "+393331234567"),
        ("+39 333-123.4567", "DE", "+393331234567"),
        ("030 901820", "DE", "+4930901820"),
        ("12345", "IT", "12345"),
        ("", "IT", ""),
    ],
)
def test_phones_are_written_alike_where_they_are_valid(desk, typed, country, kept):
    assert patients.register(new(mobile=typed, country=country), by=desk).mobile == kept


@pytest.mark.parametrize(("family", "given"), [("Neri", "Luca"), ("NÈRI", "luca")])
def test_same_name_and_birth_date_wants_a_confirmation(desk, family, given):
    patients.register(new(), by=desk)
    twin = new(family_name=family, given_name=given)
    with pytest.raises(RuleBroken) as refused:
        patients.register(twin, by=desk)
    assert (refused.value.code, refused.value.acceptable) == ("duplicate", True)
    assert patients.register(twin, by=desk, accept={"duplicate"}).pk


def test_refusal_of_a_double_names_only_whom_one_may_see(world, desk):
    first = patients.register(new(), by=desk)

    def told(by):
        with pytest.raises(RuleBroken) as refused:
            patients.register(new(), by=by)
        assert (refused.value.code, refused.value.acceptable) == ("duplicate", True)
        return str(refused.value)

    assert str(first.number) in told(desk)
    veiled = "Somebody of this name and birth date is registered already. Ask reception."
    ada = actor.staff(world.ada_user)
    assert [told(ada), told(actor.SYSTEM)] == [veiled, veiled]
    own = patients.register(new(), by=ada, accept={"duplicate"})
    assert str(own.number) in told(ada)
    assert str(first.number) not in told(ada)


def test_a_change_of_name_into_a_double_names_only_whom_one_may_see(world, desk):
    ada = actor.staff(world.ada_user)
    first, other = patients.register(new(), by=desk), patients.register(new(given_name="Lea"), by=ada)
    other.given_name = "Luca"
    with pytest.raises(RuleBroken) as refused:
        patients.update(other, by=ada)
    assert str(first.number) not in str(refused.value)
    assert patients.update(other, by=ada, accept={"duplicate"}).given_name == "Luca"


def test_who_registers_somebody_sees_the_record_and_nobody_elses(world, desk):
    mine = patients.register(new(), by=actor.staff(world.ada_user))
    theirs = patients.register(new(given_name="Lea"), by=desk)
    world.visit()
    world.visit("11:00")
    assert (mine.registered_by, theirs.registered_by) == (world.ada_user, world.reception)
    seen = permissions.visible(world.ada_user, Patient.objects.all())
    assert sorted(patient.pk for patient in seen) == sorted([mine.pk, world.anna.pk])
    assert list(permissions.visible(world.ben_user, Patient.objects.all())) == []


def test_record_of_nobody_in_particular_stays_nobodys(world):
    assert patients.register(new(), by=actor.SYSTEM).registered_by is None
    assert not permissions.visible(world.ada_user, Patient.objects.all()).exists()


def test_own_patients_are_one_subquery_without_or(world):
    sql = str(permissions.visible(world.ada_user, Patient.objects.order_by()).query)
    assert (sql.count("UNION ALL"), sql.count(" OR "), sql.count("ORDER BY")) == (1, 0, 0)


def test_other_birth_date_is_another_person(desk):
    patients.register(new(), by=desk)
    assert patients.register(new(birth_on=dt.date(1991, 5, 1)), by=desk).pk


def test_a_new_address_is_not_proved(world, desk):
    world.anna.email_proved_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    world.anna.save()
    world.anna.email = "other@example.test"
    assert patients.update(world.anna, by=desk).email_proved_at is None


def test_search_column_follows_a_change_of_name(world, desk):
    world.anna.family_name = "Müller-Östé"
    patients.update(world.anna, by=desk)
    for text in ("muller", "OSTE anna", "ann müll", world.anna.mobile[-7:], str(world.anna.number)):
        assert list(Patient.objects.matching(text)) == [world.anna], text
    assert not Patient.objects.matching("bianchi").exists()


def test_death_makes_inactive_and_wants_a_word_about_future_visits(world, desk):
    world.visit()
    with pytest.raises(RuleBroken) as refused:
        patients.record_death(world.anna, on=dt.date(2026, 1, 1), by=desk)
    assert refused.value.acceptable
    patient = patients.record_death(world.anna, on=dt.date(2026, 1, 1), by=desk, accept={refused.value.code})
    assert (patient.active, patient.deceased_on) == (False, dt.date(2026, 1, 1))
    assert patients.undo_death(patient, by=desk).active


@pytest.mark.parametrize(("on", "code"), [(dt.date(2999, 1, 1), "future"), (dt.date(1950, 1, 1), "before_birth")])
def test_death_on_an_impossible_day_is_refused(world, desk, on, code):
    with pytest.raises(RuleBroken) as refused:
        patients.record_death(world.anna, on=on, by=desk)
    assert (refused.value.code, refused.value.field) == (code, "on")


def test_deactivated_patient_keeps_the_past(world, desk):
    past = make.make_appointment(patient=world.anna, start_at=world.at("10:00", -30), status="completed")
    retirement.deactivate(world.anna, by=desk)
    world.anna.refresh_from_db()
    assert world.anna.active is False
    assert list(world.anna.appointments.all()) == [past]
