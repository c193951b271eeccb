"""A real browser on a real server: its fixtures, how somebody signs in, and pictures of what there is to see."""

import os
import shutil
from pathlib import Path

import pytest
from django.db import connections

from tests import factories as make

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "images"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"))


@pytest.fixture
def browser(monkeypatch):
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the ORM would refuse to work beside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
        # Beside a running loop Django keeps connections of their own, which the clean-up would not find.
        connections.close_all()


@pytest.fixture
def new_page(browser, live_server):
    """`new_page(**options of the browser's context)`: a page on our server.

    What any of them complains about, a breach of the content security policy among it, fails the test.
    """
    contexts, complaints = [], []

    def heard(message):
        if message.type == "error":
            complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def open_page(**options):
        context = browser.new_context(**{"base_url": live_server.url, "viewport": WIDE, **options})
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page):
    return new_page()


def sign_in(page, user):
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/")


def sign_out(page):
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")


def picture(page, name, *, sizes=("wide",)):
    """Pictures for the documentation in light and dark, when SCREENSHOTS asks for them."""
    if not os.environ.get("SCREENSHOTS"):
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        page.set_viewport_size({"wide": WIDE, "phone": PHONE}[size])
        if size == "phone":
            # All of the page, with what sticks to its end at its end.
            page.set_viewport_size(PHONE | {"height": page.evaluate("document.documentElement.scrollHeight")})
        for scheme in ("light", "dark"):
            # The theme looks at the scheme when a page loads; this is what it does then.
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
            page.emulate_media(color_scheme=scheme)
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", animations="disabled")
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.set_viewport_size(WIDE)
