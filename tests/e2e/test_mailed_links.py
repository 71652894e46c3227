"""Links in mails, by keyboard alone, with JavaScript and without it.

tests/e2e/test_factors.py has the link to a new password.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import PASSWORD
from tests.e2e.test_account import fill, follow
from tests.e2e.test_keyboard import press
from tests.mailbox import link_in


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain forms"])
def test_an_email_address_is_confirmed_and_changed(deployment, visit, javascript):
    person = visit(deployment.url, javascript=javascript)
    person.join()
    page, notice = person.page, person.page.locator("#notice")
    shown = page.locator("#email")
    first, second = f"{person.name}@example.com", f"{person.name}@example.org"

    page.goto("/auth/account")
    expect(shown).to_contain_text("Not confirmed yet.")
    page.goto(link_in(deployment.take_mail(first, "Confirm your email address")))
    expect(page.get_by_text(f"{first} is the address of the account {person.name}")).to_be_visible()
    press(person, "Confirm")
    expect(notice).to_contain_text(f"{first} is confirmed.")
    expect(shown).to_contain_text("Confirmed.")

    follow(person, "Change your email address")
    fill(person, "Email", second)
    page.keyboard.press("Enter")
    expect(notice).to_contain_text(f"A link is on its way to {second}.")
    ended = link_in(deployment.take_mail(second, "Confirm your new email address"))
    press(person, "Keep the present address")
    expect(notice).to_contain_text("Your email address stays as it is.")
    page.goto(ended)
    expect(page.get_by_role("heading", name="This link doesn’t work")).to_be_visible()

    follow(person, "Go to your account")
    follow(person, "Change your email address")
    fill(person, "Email", second)
    page.keyboard.press("Enter")
    expect(shown).to_contain_text(f"We mailed a link to {second}.")
    phone = visit(deployment.url, javascript=javascript)  # where nobody is logged in
    phone.page.goto(link_in(deployment.take_mail(second, "Confirm your new email address")))
    press(phone, "Confirm")
    expect(phone.page.locator("#notice")).to_contain_text(f"{second} is confirmed.")
    fill(phone, "Username or email", second)
    fill(phone, "Password", PASSWORD)
    phone.page.keyboard.press("Enter")
    expect(phone.page).to_have_url(re.compile("/finance/$"))
    deployment.take_mail(first, "Your email address was changed")
    page.goto("/auth/account")
    expect(shown).to_contain_text(second)
    person.complaints.clear()  # a 404 is an error on the browser's console
