"""Hours that practitioners keep, visits that reception moves out of their way, holidays that close one town alone."""

import datetime as dt

import pytest
from django.utils import timezone

from clinic.models import Appointment, ClinicSettings
from clinic.services import holidays
from tests import factories as make
from tests.browser.conftest import picture, sign_in, sign_out


@pytest.fixture
def morning(world):
    """Three visits on Ada's Tuesday morning, where practitioners keep their own hours."""
    ClinicSettings.objects.update_or_create(pk=1, defaults={"keep_hours": True, "factor_roles": []})
    return [world.visit(f"{9 + number:02}:00", days=1, patient=make.make_patient()) for number in range(3)]


def test_practitioner_keeps_hours_and_reception_moves_what_they_hit(page, world, morning):
    sign_in(page, world.ada_user)
    page.get_by_role("link", name="My hours").first.click()
    add_saturdays_with_a_break(page, world)
    assert [
        (f"{row.starts:%H:%M}-{row.ends:%H:%M}", row.every_weeks, row.anchor_on)
        for row in world.ada.working_hours.filter(weekday=5)
    ] == [("09:00-12:00", 2, world.monday), ("13:00-16:00", 2, world.monday)]
    block_the_morning(page, world)
    sign_out(page)

    sign_in(page, world.reception)
    page.locator(".desk-count", has_text="3").first.wait_for()
    page.get_by_role("link", name="To rebook").first.click()
    picture(page, "rebooking", sizes=("wide", "phone"))
    before = {visit.pk: visit.start_at for visit in morning}
    for visit in morning:
        card = page.locator(f"#visit-{visit.pk}")
        card.get_by_text("Ada Conti is off until").wait_for()
        card.get_by_role("group", name="Move to").get_by_role("button").first.click()
        card.wait_for(state="detached")
    page.get_by_text("Nothing is to be moved.").wait_for()
    moved = Appointment.objects.filter(pk__in=before)
    assert {visit.version for visit in moved} == {1}
    assert {visit.practitioner for visit in moved} == {world.ada}
    blocked = (world.at("08:00", 1), world.at("13:00", 1))
    assert not [visit for visit in moved if blocked[0] < visit.end_at and visit.start_at < blocked[1]]


def add_saturdays_with_a_break(page, world):
    page.get_by_text("Add hours that hold every other week").click()
    new = page.get_by_role("group", name="New hours")
    new.get_by_label("Saturday").fill("9–12, 13–16")
    assert not new.get_by_label("Counted from the week of").is_visible()
    new.get_by_label("How often").select_option("2")
    new.get_by_label("Counted from the week of").fill(world.monday.isoformat())
    picture(page, "hours", sizes=("wide", "phone"))
    # The table of hours fits on a desk and on a phone.
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Save all").click()
    page.get_by_text("The hours are saved.").wait_for()


def block_the_morning(page, world):
    off = page.get_by_role("region", name="Time off")
    off.get_by_label("First day").fill((world.monday + dt.timedelta(days=1)).isoformat())
    off.get_by_label("From", exact=True).fill("08:00")
    off.get_by_label("Until", exact=True).fill("13:00")
    off.get_by_label("Reason").fill("Course")
    page.get_by_role("button", name="Save all").click()
    page.get_by_text("3 booked visits lose their time.").wait_for()
    page.get_by_role("button", name="Save all the same").click()
    page.get_by_role("link", name="3 visits lie outside these hours or in time off: rebook them.").wait_for()


def a_holiday_of_milan(today: dt.date) -> dt.date:
    """The next day that is a holiday in Milan and nowhere else in Italy: Sant'Ambrogio, unless it falls on Sunday."""
    days = (dt.date(today.year + years, 12, 7) for years in range(4))
    return next(day for day in days if day > today and day.weekday() != 6)


def test_holiday_closes_one_location_and_not_the_other(page, world):
    for place, subdivision in ((world.camerino, "MI"), (world.macerata, "MC")):
        place.close_on_holidays, place.subdivision = True, subdivision
        place.save()
    make.make_opening_hours(world.macerata, weekdays=[5])
    day = a_holiday_of_milan(timezone.localdate())
    assert holidays.closes("IT", "MI", day)
    world.ben.working_hours.all().delete()
    make.make_working_hours(world.ben, world.camerino, weekdays=range(6), starts="09:00", ends="12:00")
    make.make_working_hours(world.ben, world.macerata, weekdays=range(6), starts="13:00", ends="17:00")
    sign_in(page, world.reception)
    page.goto(f"/admin/clinic/appointment/add/?service={world.massage.pk}&on={day}")
    times = page.locator("#times:not([aria-busy])")
    choose_place(page, "Macerata")
    times.get_by_text("13:00").first.wait_for()
    choose_place(page, "Camerino")
    times.get_by_text("No free time on this day.").wait_for()
    sign_out(page)

    sign_in(page, world.manager)
    page.goto(f"/admin/clinic/location/{world.camerino.pk}/change/")
    picture(page, "holidays")
    page.get_by_role("button", name=f"Open on {day:%-d %B %Y}").click()
    page.get_by_text("open 08:00–20:00").wait_for()


def choose_place(page, name):
    page.get_by_label("Location").select_option(label=name)
