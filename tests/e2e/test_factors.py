"""An authenticator app, from its setup to its removal, by keyboard alone and without JavaScript.

With JavaScript it is the same: its forms are plain ones. Passkeys need JavaScript:
tests/e2e/test_passkeys.py. pyotp is the app.
"""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pyotp
from playwright.sync_api import expect

from plaidapp.auth.second_factor.codes import INTERVAL
from tests.e2e.person import PASSWORD, Person
from tests.e2e.test_account import fill, follow
from tests.e2e.test_keyboard import press, tab_to
from tests.mailbox import link_in

NEW = "another battery and a new horse"


def give_password(person: Person, password: str) -> None:
    """Take the first step of a log-in."""
    fill(person, "Username or email", person.name)
    fill(person, "Password", password)
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("heading", name="Second step")).to_be_visible()


def log_out(person: Person) -> None:
    press(person, "Account")
    press(person, "Log out")


def use_recovery_code(person: Person, code: str) -> None:
    tab_to(person, person.page.get_by_text("Use a recovery code"))
    person.page.keyboard.press("Enter")
    fill(person, "Recovery code", code)
    person.page.keyboard.press("Enter")


def test_an_authenticator_app_and_a_forgotten_password(deployment, visit):
    person = visit(deployment.url, javascript=False)
    person.join()
    page, notice = person.page, person.page.locator("#notice")
    address = f"{person.name}@example.com"
    page.goto(link_in(deployment.take_mail(address, "Confirm your email address")))
    press(person, "Confirm")

    follow(person, "Manage your second factor")
    follow(person, "Set up an app")
    expect(page.get_by_role("img", name="QR code for an authenticator app")).to_be_visible()
    key = page.locator("kbd.key").inner_text().replace(" ", "")
    link = page.get_by_role("link", name="open the app on this device").get_attribute("href")
    assert parse_qs(urlsplit(str(link)).query)["secret"] == [key]
    app = pyotp.TOTP(key)
    fill(person, "Code from the app", "000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is wrong.")).to_be_visible()
    fill(person, "Code from the app", app.now())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your authenticator app is turned on.")).to_be_visible()
    codes = page.locator("pre").inner_text().split()
    follow(person, "I’ve saved them")
    expect(page.get_by_text("10 of 10 left.")).to_be_visible()

    log_out(person)
    give_password(person, PASSWORD)
    fill(person, "Code from your authenticator app", app.at(time.time() + INTERVAL))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/finance/$"))

    log_out(person)
    follow(person, "Forgot your password?")
    fill(person, "Email", address)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"If an account has the address {address}")).to_be_visible()
    page.goto(link_in(deployment.take_mail(address, "Choose a new password")))
    fill(person, "New password", NEW)
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("Your password is changed. Log in with it.")
    give_password(person, NEW)
    use_recovery_code(person, "2222-2222-2222-2222-2222-2222")
    expect(page.get_by_text("This code is wrong, or it was used before.")).to_be_visible()
    fill(person, "Recovery code", codes[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/finance/$"))

    page.goto("/auth/factors")
    expect(page.get_by_text("9 of 10 left.")).to_be_visible()
    press(person, "Turn off")
    expect(notice).to_contain_text("Your authenticator app is turned off.")
    person.complaints.clear()  # a 401 and a 422 are errors on the browser's console
