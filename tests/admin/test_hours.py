"""The page of a practitioner's hours: whose it is, what may be changed, what is refused beside which row."""

import datetime as dt

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from clinic.admin.base.effects import SEEN
from clinic.models import ClinicSettings, ExtraHours, TimeOff
from tests import factories as make
from tests.admin.test_fuzz import rubbish


def page_of(practitioner):
    return reverse("admin:clinic_practitioner_hours", args=[practitioner.pk])


def inputs(client, practitioner):
    """What a browser would send without a change."""
    page = client.get(page_of(practitioner)).context["page"]
    found = {"weeks": len(page.weeks)}
    found |= {f"{week.prefix}-rows": ",".join(str(row.pk) for row in week.rows) for week in page.weeks}
    for part in page.parts:
        forms = [part] if not hasattr(part, "forms") else [part.management_form, *part.forms]
        for form in forms:
            for field in form:
                value = field.value()
                # Boxes that nobody ticked are not sent.
                if field.name != "DELETE":
                    found[field.html_name] = "" if value is None else str(value)
    return found


def at(world, weekday, week=0, place=None):
    """The input of a weekday."""
    return f"week-{week}-at-{(place or world.camerino).pk}-{weekday}"


@pytest.fixture
def ada(desk, world):
    """Ada, where practitioners keep their own hours."""
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_hours": True})
    return desk(world.ada_user)


def save(client, practitioner, **changes):
    """Saved by somebody who has seen what it does to visits."""
    said = {**inputs(client, practitioner), **changes}
    response = client.post(page_of(practitioner), said)
    effect = response.context and response.context.get("effect")
    return client.post(page_of(practitioner), {**said, SEEN: effect.mark}) if effect else response


def rows(practitioner, weekday):
    return [
        (f"{row.starts:%H:%M}-{row.ends:%H:%M}", row.every_weeks, row.anchor_on)
        for row in practitioner.working_hours.filter(weekday=weekday)
    ]


def test_saving_without_a_change_changes_nothing(ada, world):
    before = list(world.ada.working_hours.values())
    assert save(ada, world.ada).status_code == 302
    assert list(world.ada.working_hours.values()) == before
    assert {row.history.count() for row in world.ada.working_hours.all()} == {1}
    assert not TimeOff.objects.exists()


def test_page_shows_a_week_by_location_as_people_write_it(ada, world):
    page = ada.get(page_of(world.ada)).context["page"]
    plain, empty = page.weeks
    ((place, days),) = plain.grid
    assert place == world.camerino
    assert [field.value() for field in days] == ["09:00–13:00\n14:00–18:00"] * 5 + [""] * 2
    assert (plain.title, empty.title) == ("Every week", "New hours")


def test_hours_with_a_break_every_other_week_are_added_at_once(ada, world):
    anchor = str(world.monday + dt.timedelta(days=3))
    rhythm = {"week-1-every_weeks": "2", "week-1-anchor_on": anchor}
    added = {at(world, day, week=1): "9-12, 13:00 – 16" for day in (5, 6)}
    assert save(ada, world.ada, **added, **rhythm).status_code == 302
    for weekday in (5, 6):
        # Counted from the Monday of that week.
        assert rows(world.ada, weekday) == [("09:00-12:00", 2, world.monday), ("13:00-16:00", 2, world.monday)]
    assert [week.title for week in ada.get(page_of(world.ada)).context["page"].weeks] == [
        "Every week",
        "Every 2 weeks",
        "New hours",
    ]


def test_row_whose_hours_stay_keeps_its_key_and_one_that_changes_its_history(ada, world):
    morning, afternoon = world.ada.working_hours.filter(weekday=0)
    assert save(ada, world.ada, **{at(world, 0): "9–13\r\n15–18"}).status_code == 302
    assert [row.pk for row in world.ada.working_hours.filter(weekday=0)] == [morning.pk, afternoon.pk]
    assert [row.history.count() for row in world.ada.working_hours.filter(weekday=0)] == [1, 2]


def test_emptied_day_has_no_hours(ada, world):
    assert save(ada, world.ada, **{at(world, 0): "", at(world, 1): "10–24"}).status_code == 302
    assert rows(world.ada, 0) == []
    assert rows(world.ada, 1) == [("10:00-00:00", 1, None)]


def test_other_validity_moves_all_rows_of_the_week(ada, world):
    until = world.monday + dt.timedelta(weeks=8)
    assert save(ada, world.ada, **{"week-0-valid_until": until}).status_code == 302
    assert {row.valid_until for row in world.ada.working_hours.all()} == {until}
    assert world.ada.working_hours.count() == 10


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("nine to five", "“nine to five” is not understood: write hours as 9–13, 14:30–18."),
        ("13–9", "“13–9”: the end must come after the start."),
        ("9–25", "“9–25”: a day has 24 hours of 60 minutes."),
        ("9–13, 12–14", "Saturday 12:00–14:00 overlaps Saturday 09:00–13:00."),
    ],
)
def test_what_is_wrong_with_a_day_stands_beside_it(wrong, sentence, ada, world):
    response = save(ada, world.ada, **{at(world, 5): wrong})
    assert response.status_code == 200
    assert response.context["page"].weeks[0].errors == {f"at-{world.camerino.pk}-5": [sentence]}
    assert world.ada.working_hours.count() == 10


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"every_weeks": "2", "anchor_on": ""}, "anchor_on", "Alternating weeks want a week to count from."),
        (
            {"valid_from": "2027-02-01", "valid_until": "2027-01-01"},
            "valid_until",
            "“Valid until” must not come before “valid from”.",
        ),
    ],
)
def test_what_is_wrong_with_a_rhythm_stands_beside_it(wrong, field, sentence, ada, world):
    response = save(ada, world.ada, **{f"week-0-{name}": value for name, value in wrong.items()})
    assert response.context["page"].weeks[0].errors[field][0] == sentence


def test_weeks_that_meet_are_refused_beside_the_later(ada, world):
    response = save(ada, world.ada, **{at(world, 0, week=1): "12:30–15"})
    assert response.context["page"].weeks[1].errors == {
        f"at-{world.camerino.pk}-0": [
            "Monday 12:30–15:00 overlaps Monday 09:00–13:00.",
            "Monday 12:30–15:00 overlaps Monday 14:00–18:00.",
        ]
    }


def test_extra_hours_and_blocks_are_kept_and_lead_to_the_visits_they_hit(ada, world, messages_of):
    for number in range(3):
        world.visit(f"{9 + number:02}:00", patient=make.make_patient())
    day = str(world.monday)
    extra = {"extra-0-on": day, "extra-0-starts": "18:00", "extra-0-ends": "20:00"}
    blocks = {"blocks-0-first_on": day, "blocks-0-ends": "13:00", "blocks-0-reason": "Course"}
    response = save(ada, world.ada, **extra, **blocks)
    assert "3 visits lie outside these hours or in time off: rebook them." in "".join(messages_of(response))
    assert ExtraHours.objects.get().location == world.camerino
    off = TimeOff.objects.get()
    assert (off.practitioner, off.start_at, off.end_at) == (world.ada, world.at("00:00"), world.at("13:00"))
    assert save(ada, world.ada, **{"blocks-0-DELETE": "on"}).status_code == 302
    assert not TimeOff.objects.exists()


def test_who_may_not_change_hours_changes_blocks_only(desk, world):
    """Practitioners, as the settings are at first, and reception."""
    for user in (world.ada_user, world.reception):
        client = desk(user)
        assert "Save all" in client.get(page_of(world.ada)).content.decode()
        assert save(client, world.ada, weeks=1, **{at(world, 5): "9–12"}).status_code == 302
        assert world.ada.working_hours.count() == 10


def test_page_is_read_only_where_nothing_may_be_changed(desk, world):
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_blocks": False})
    client = desk(world.ada_user)
    page = client.get(page_of(world.ada)).content.decode()
    assert "Save all" not in page
    assert "09:00–13:00" in page
    assert client.post(page_of(world.ada)).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_hours_of_a_colleague_are_not_found(method, ada, world):
    assert getattr(ada, method)(page_of(world.ben)).status_code == 404


def test_row_of_a_colleague_is_not_taken_by_its_key(ada, world):
    theirs = world.ben.working_hours.first()
    assert save(ada, world.ada, **{"week-1-rows": theirs.pk, at(world, 5, week=1): "9–12"}).status_code == 302
    theirs.refresh_from_db()
    assert (theirs.practitioner, theirs.weekday) == (world.ben, 0)
    assert rows(world.ada, 5) == [("09:00-12:00", 1, None)]


def test_my_hours_leads_to_the_own_page(desk, world):
    mine = reverse("admin:clinic_practitioner_my_hours")
    assert desk(world.ada_user).get(mine)["Location"] == page_of(world.ada)
    # Somebody with the role, but linked to nobody.
    alone = make.make_user("practitioner")
    assert desk(alone).get(mine)["Location"] == reverse("admin:clinic_practitioner_changelist")


def test_page_takes_the_same_statements_with_few_rows_and_with_many(desk, world, django_assert_num_queries):
    client = desk(world.manager)
    for row in (0, 1):
        if row:
            make.make_working_hours(world.ada, world.camerino, weekdays=[5, 6])
            for day in range(5):
                span = {"start_at": world.at("09:00", day), "end_at": world.at("10:00", day)}
                make.make_time_off(practitioner=world.ada, **span)
        with django_assert_num_queries(9):
            client.get(page_of(world.ada))


@pytest.mark.heavy
def test_hours_fed_with_rubbish_never_break(desk, world):
    client = desk(world.manager)
    make.make_time_off(practitioner=world.ada, start_at=world.at("09:00"), end_at=world.at("10:00"))
    valid = inputs(client, world.ada)

    @seed(20261121)
    @settings(
        max_examples=40, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(st.dictionaries(st.sampled_from(sorted(valid)), rubbish, min_size=1, max_size=3))
    def feed(wrong):
        response = client.post(page_of(world.ada), {**valid, **wrong})
        assert response.status_code in (200, 302), (response.status_code, wrong)
        assert b"<script>alert(1)</script>" not in response.content

    feed()
