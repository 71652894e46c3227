"""Every way through Plaid's pages and back to the panel, as Chromium goes it.

tests/e2e/test_connect.py has wrong passwords, duplicates and lost tabs.
"""

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.person import Person, be_done

FIRST, SECOND, OAUTH = "ins_109508", "ins_109511", "ins_127287"
DEVICE = {"mfa": {"type": "device"}}
STEPS = [
    ("institution", None, None, "requires_credentials"),
    ("credentials", FIRST, None, "requires_credentials"),
    ("oauth", OAUTH, None, "requires_oauth"),
    ("recaptcha", FIRST, {"recaptcha": "good"}, "requires_recaptcha"),
    ("device", FIRST, DEVICE, "choose_device"),
    ("code", FIRST, DEVICE, "requires_code"),
    ("questions", FIRST, {"mfa": {"type": "questions"}}, "requires_questions"),
    ("selections", FIRST, {"mfa": {"type": "selections"}}, "requires_selections"),
    ("error", FIRST, {"force_error": "ITEM_LOCKED"}, "The bank has locked your account."),
    ("accounts", FIRST, {}, "requires_account_selection"),
]
"""Where a person can cancel, the bank and the fields of the log-in that lead there, and what the
panel says then. An exit status is in its details."""


class AtPlaid:
    """A person who goes to Plaid, what they do on its pages, and the panel when they are back.

    They log in to each bank as `small_user`, so that there is little to import.
    """

    def __init__(self, person: Person, user: dict[str, str]) -> None:
        self.page, self.press = person.page, person.press
        self._user = json.loads(user["override_password"])

    def go(self, button: str = "Connect a bank") -> None:
        self.press(button)
        expect(self.page).to_have_url(re.compile(r"/hl/\w+/"))

    def go_on(self, step: str) -> None:
        """Press the main button, which leads to this step."""
        self.page.locator("#main button.main").click()
        expect(self.page.locator("main")).to_have_attribute("data-step", step)

    def choose(self, bank: str, then: str = "credentials") -> None:
        self.page.locator(f"input[value={bank}]").check()
        self.go_on(then)

    def log_in(self, then: str, **fields: object) -> None:
        """`fields` are those of a custom user that ask for more than a password."""
        self.page.get_by_label("User name").fill("user_custom")
        self.page.get_by_label("Password").fill(json.dumps(self._user | fields))
        self.go_on(then)

    def leave(self, *words: str) -> None:
        self.press("Cancel, back to plaidapp")
        self.press("Leave")
        self.has_failed(*words)

    def has_failed(self, *words: str) -> None:
        expect(self._panel()).to_have_attribute("data-state", "failed")
        for each in words:
            expect(self._panel()).to_contain_text(each)

    def is_done(self, *banks: str) -> None:
        self.press("Back to plaidapp")
        be_done(self._panel())
        for bank in banks:
            expect(self._panel()).to_contain_text(f"{bank} connected.")

    def _panel(self) -> Locator:
        expect(self.page).to_have_url(re.compile(r"/finance/connections/\d+(\?shown=1)?$"))
        return self.page.locator("[data-state]").first


@pytest.fixture
def at_plaid(person, small_user):
    return AtPlaid(person, small_user)


def test_a_bank_that_wants_more_than_a_password(at_plaid):
    """After a wrong code, the person logs in again."""
    page = at_plaid.page
    at_plaid.go()
    at_plaid.choose(FIRST)
    for code, then in (("9999", "credentials"), ("1234", "accounts")):
        at_plaid.log_in("recaptcha", recaptcha="good", **DEVICE)
        page.get_by_label("I am not a robot").check()
        at_plaid.go_on("device")
        at_plaid.go_on("code")
        page.get_by_label("Code").fill(code)
        at_plaid.go_on(then)
    at_plaid.go_on("connected")
    at_plaid.is_done("First Platypus Bank")


def test_a_bank_with_its_own_page_is_denied_and_then_allowed(at_plaid):
    at_plaid.go()
    at_plaid.choose(OAUTH, "oauth")
    at_plaid.go_on("bank")
    at_plaid.press("Go back without logging in")
    at_plaid.go_on("institution")
    for answer in ("Don’t allow", "Allow"):
        at_plaid.choose(OAUTH, "oauth")
        at_plaid.go_on("bank")
        at_plaid.log_in("grant")
        at_plaid.press(answer)
        if answer != "Allow":
            at_plaid.leave("You have not allowed the bank to share this data.")
            at_plaid.go("Start again")
    at_plaid.is_done("Platypus OAuth Bank")


def test_leaving_at_every_step(at_plaid, subtests):
    button = "Connect a bank"
    for step, bank, fields, words in STEPS:
        with subtests.test(step):
            at_plaid.go(button)
            button = "Start again"
            if bank:
                at_plaid.choose(bank, "oauth" if bank == OAUTH else "credentials")
            if fields is not None:
                at_plaid.log_in("device" if step == "code" else step, **fields)
            if step == "code":
                at_plaid.go_on(step)
            at_plaid.leave(words)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
def test_a_link_that_expires_while_the_person_is_at_plaid(
    deployment, visit, small_user, javascript
):
    person = visit(deployment.url, javascript=javascript)
    person.join()
    at_plaid = AtPlaid(person, small_user)
    at_plaid.go()
    at_plaid.choose(FIRST)
    deployment.let_links_expire()
    at_plaid.log_in("refused")
    person.complaints.clear()  # a 410 is an error on the browser's console
    at_plaid.page.get_by_role("link", name="Back to plaidapp").click()
    at_plaid.has_failed("The link to Plaid has expired. Nothing has changed.")
    at_plaid.go("Start again")


def test_two_banks_in_one_session(deployment, at_plaid):
    at_plaid.go()
    deployment.let_links_add_several_banks()
    for bank in (FIRST, SECOND):
        at_plaid.choose(bank)
        at_plaid.log_in("accounts")
        at_plaid.go_on("connected")
        if bank == FIRST:
            at_plaid.press("Add another bank")
    at_plaid.is_done("First Platypus Bank", "Tartan Bank")
