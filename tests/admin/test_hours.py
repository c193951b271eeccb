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
    found = {}
    for part in page.parts:
        forms = [part] if not hasattr(part, "forms") else [part.management_form, *part.forms]
        for form in forms:
            for field in form:
                value = field.value()
                # Boxes that nobody ticked are not sent.
                if field.name not in ("weekdays", "DELETE"):
                    found[field.html_name] = "" if value is None else str(value)
    return found


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


def test_hours_with_a_break_every_other_week_are_added_at_once(ada, world):
    added = {
        "several-weekdays": ["5", "6"],
        "several-starts": "09:00",
        "several-ends": "16:00",
        "several-pause_starts": "12:00",
        "several-pause_ends": "13:00",
        "several-every_weeks": "2",
        "several-anchor_on": str(world.monday + dt.timedelta(days=3)),
    }
    assert save(ada, world.ada, **added).status_code == 302
    for weekday in (5, 6):
        # Counted from the Monday of that week.
        assert rows(world.ada, weekday) == [("09:00-12:00", 2, world.monday), ("13:00-16:00", 2, world.monday)]


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"starts": ""}, "starts", "Say from when until when."),
        ({"weekdays": []}, "weekdays", "Say on which days."),
        ({"ends": "08:00"}, "ends", "The end must come after the start."),
        ({"pause_starts": "12:00"}, "pause_starts", "Say from when until when."),
        ({"pause_starts": "17:00", "pause_ends": "18:00"}, "pause_starts", "The break must lie between start and end."),
        ({"every_weeks": "2", "anchor_on": ""}, "anchor_on", "Alternating weeks want a week to count from."),
        ({"weekdays": ["0"]}, "__all__", "Monday 09:00–16:00 overlaps Monday 09:00–13:00."),
    ],
)
def test_what_is_wrong_with_new_hours_stands_beside_them(wrong, field, sentence, ada, world):
    added = {"weekdays": ["5"], "starts": "09:00", "ends": "16:00", **wrong}
    response = save(ada, world.ada, **{f"several-{name}": value for name, value in added.items()})
    assert response.status_code == 200
    assert response.context["page"].several.errors[field][0] == sentence
    assert world.ada.working_hours.count() == 10


def test_row_that_overlaps_another_is_refused_beside_it(ada, world):
    response = save(ada, world.ada, **{"weekly-1-starts": "12:30"})
    errors = [form.non_field_errors() for form in response.context["page"].weekly]
    assert errors[1] == ["Monday 12:30–18:00 overlaps Monday 09:00–13:00."]
    assert not any(errors[:1] + errors[2:])


def test_rows_are_changed_and_removed_in_one_go(ada, world):
    assert save(ada, world.ada, **{"weekly-0-DELETE": "on", "weekly-1-starts": "12:30"}).status_code == 302
    assert rows(world.ada, 0) == [("12:30-18:00", 1, None)]


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
        forged = {"weekly-TOTAL_FORMS": 0, "weekly-INITIAL_FORMS": 0, "several-weekdays": ["5"]}
        times = {"several-starts": "09:00", "several-ends": "12:00"}
        assert save(client, world.ada, **forged, **times).status_code == 302
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
    response = save(ada, world.ada, **{"weekly-0-id": theirs.pk, "weekly-0-ends": "12:00"})
    assert response.status_code == 200
    theirs.refresh_from_db()
    assert theirs.practitioner == world.ben


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
