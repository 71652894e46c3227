"""The account page by keyboard alone, with JavaScript and without it."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import PASSWORD, Person
from tests.e2e.test_keyboard import press, tab_to

DARK = "rgb(19, 20, 18)"
NEW = "another battery and a new horse"


def follow(person: Person, name: str) -> None:
    """Tab to the link and open it."""
    tab_to(person, person.page.get_by_role("link", name=name, exact=True))
    person.page.keyboard.press("Enter")


def fill(person: Person, label: str, text: str) -> None:
    field = person.page.get_by_label(label, exact=True)
    tab_to(person, field)
    person.page.keyboard.press("ControlOrMeta+a")
    person.page.keyboard.type(text)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain forms"])
def test_settings_are_changed_by_keyboard(deployment, visit, javascript):
    person = visit(deployment.url, javascript=javascript)
    person.sign_up()
    page, notice = person.page, person.page.locator("#notice")
    tablet = visit(deployment.url)
    tablet.name = person.name
    tablet.log_in()

    press(person, "Account")
    follow(person, "Your account")
    # Its style says where one is, without a script.
    expect(page.get_by_role("link", name="Logging in")).to_have_css("font-weight", "600")
    follow(person, "Preferences")
    expect(page).to_have_url(re.compile("#preferences$"))
    zone = page.get_by_label("Time zone", exact=True)
    tab_to(person, zone)
    page.keyboard.type("Tokyo")
    press(person, "Save time zone")
    expect(notice).to_contain_text("Days and times are now those of Asia/Tokyo.")
    expect(zone).to_have_value("Asia/Tokyo")

    press(person, "Dark")
    expect(page.locator("body")).to_have_css("background-color", DARK)
    expect(page.get_by_role("button", name="Dark", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )

    page.goto("/auth/account")
    follow(person, "Change your username")
    fill(person, "Username", person.name.upper())
    page.keyboard.press("Enter")
    expect(notice).to_contain_text(f"Your username is now {person.name.upper()}.")

    follow(person, "Change your password")
    fill(person, "Current password", "wrong")
    fill(person, "New password", NEW)
    page.keyboard.press("Enter")
    expect(page.locator(".error")).to_have_text("This is not your password.")
    page.goto("/auth/password")
    fill(person, "Current password", PASSWORD)
    fill(person, "New password", NEW)
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("Your password is changed.")
    expect(page.locator("#devices li")).to_have_count(1)
    expect(tablet.page).to_have_url(re.compile("/auth/login"))  # its next poll leads there

    follow(person, "All activity")
    expect(page.locator(".happened .what")).to_have_text(
        [
            "Password changed",
            "Wrong password",
            f"Username changed to {person.name.upper()}",
            "Time zone changed to Asia/Tokyo",
            *("Logged in", "Logged in", "Signed up"),
        ]
    )
    person.complaints.clear()  # a 422 is an error on the browser's console
    tablet.complaints.clear()  # so is a 401
