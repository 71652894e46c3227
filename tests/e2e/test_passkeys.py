"""Passkeys in Chromium, with its virtual authenticator: added, used for each step, removed.

tests/auth/test_passkeys.py has what is refused.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import PASSWORD, Person
from tests.e2e.test_accessibility import DESK, PHONE, seen
from tests.e2e.test_keyboard import press

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def look(person: Person, state: str) -> None:
    """Fail if axe-core finds a problem on a small dark page or a large light one."""
    for size, scheme in ((PHONE, "dark"), (DESK, "light")):
        assert seen(person, size, scheme) == [], state


@pytest.fixture
def owner(deployment, visit) -> Person:
    """Somebody who has signed up at a host that has a name, with a device that holds passkeys."""
    person = visit(deployment.url.replace("127.0.0.1", "localhost"))
    person.sign_up()
    person.device = person.context.new_cdp_session(person.page)
    person.device.send("WebAuthn.enable")
    made = person.device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    person.device_id = made["authenticatorId"]
    return person


def test_a_passkey_from_its_addition_to_its_removal(owner):
    page = owner.page
    page.goto("/auth/account")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My laptop")
    look(owner, "new passkey")
    press(owner, "Add a passkey")
    expect(page.locator("pre.recovery-codes")).to_contain_text(re.compile(r"(\w{4}-){5}\w{4}"))
    look(owner, "recovery codes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert page.locator("pre").inner_text() in download.value.path().read_text()
    page.get_by_role("link", name="I’ve saved them").click()
    expect(page.get_by_text("10 of 10 left.")).to_be_visible()
    look(owner, "factors")

    page.goto("/auth/factors/app")
    look(owner, "authenticator app")
    page.goto("/auth/factors/passkeys/new")
    press(owner, "Add a passkey")
    expect(page.get_by_text("on that device already")).to_be_visible()

    owner.log_out()
    press(owner, "Log in with a passkey")
    expect(page).to_have_url(re.compile("/finance/$"))

    owner.log_out()
    page.get_by_label("Username").fill(owner.name)
    page.get_by_label("Password").fill(PASSWORD)
    owner.press("Log in")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    look(owner, "second step")
    press(owner, "Use a passkey")
    expect(page).to_have_url(re.compile("/finance/$"))

    page.goto("/auth/confirm?next=/auth/factors")
    look(owner, "confirm")
    press(owner, "Use a passkey")
    expect(page).to_have_url(re.compile("/auth/factors$"))
    press(owner, "Remove my password")
    expect(page.get_by_text("Your password is removed.")).to_be_visible()
    owner.log_out()
    press(owner, "Log in with a passkey")
    expect(page).to_have_url(re.compile("/finance/$"))


def test_a_person_who_cancels_can_try_again(owner):
    page = owner.page
    owner.device.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": owner.device_id, "isUserVerified": False},
    )
    page.goto("/auth/factors/passkeys/new")
    button = page.get_by_role("button", name="Add a passkey")
    button.click()
    expect(page.get_by_text("No passkey was used. Try again.")).to_be_visible()
    expect(button).to_be_focused()
    owner.device.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": owner.device_id, "isUserVerified": True},
    )
    button.click()
    expect(page.locator("pre.recovery-codes")).to_be_visible()


def test_without_javascript_there_is_no_button_that_does_nothing(deployment, visit):
    page = visit(deployment.url.replace("127.0.0.1", "localhost"), javascript=False).page
    page.goto("/auth/login")
    button = page.locator("[data-passkey]")
    expect(button).to_have_count(1)
    expect(button).to_be_hidden()
