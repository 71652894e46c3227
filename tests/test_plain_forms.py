"""Every action as a plain form, as a browser without JavaScript sends it.

tests/e2e/test_without_javascript.py has what only a real browser can show.
"""

from datetime import timedelta
from urllib.parse import urlsplit

import pyotp
import pytest

from plaidapp import policy
from plaidapp.auth import stop_links
from plaidapp.extensions import db
from plaidapp.store import Account, Item, Pull, Transaction, Webhook
from plaidapp.store.people import passkeys, users
from tests.conftest import PASSWORD
from tests.link_walker import walk
from tests.logged_in import logged_in
from tests.mailbox import link_in
from tests.plain_browser import PlainBrowser

NOT_PRESSED = {
    "webhooks.receive",  # Plaid sends it
    *("auth.log_in_with_passkey", "auth.confirm_with_passkey", "auth.new_passkey"),
}
"""The rest needs JavaScript."""
DYNAMIC = {"override_username": "user_transactions_dynamic", "override_password": "any"}
BROKEN = {"status": 400, "error_type": "ITEM_ERROR", "error_code": "ITEM_LOCKED"}


@pytest.fixture
def browser(app):
    """A browser without a log-in. Its forms need their CSRF tokens."""
    app.config["WTF_CSRF_ENABLED"] = True
    return PlainBrowser(app.test_client(), app.url_map.bind("localhost"))


@pytest.fixture
def at_work(browser, work):
    """Let the worker finish, then reload the dashboard; returns its pulls, newest first."""

    def reload():
        work()
        page = browser.get("/finance/")
        return [
            attributes["data-state"]
            for _, attributes, _ in page.elements
            if (attributes.get("id") or "").startswith("pull-")
        ]

    return reload


def test_every_form_works_without_javascript(
    app, browser, at_work, bank_server, mailbox, send_mails, monkeypatch
):
    """Compare with the app's own list of POST routes, so that no action is missed."""
    monkeypatch.setattr(policy, "REFRESH_SYNC_DELAY", timedelta())
    sign_up(browser)
    assert browser.press("Light").has(**{"data-theme": "light"})
    browser.press("Log out")
    browser.get("/auth/login")
    browser.press("Log in", username="anna", password=PASSWORD)

    browser.press("Connect a test bank", **DYNAMIC)
    assert at_work() == ["done"]
    for button in (
        *("Get transaction data", "Get total number of transactions"),
        *("Get account data", "Sync everything"),
    ):
        browser.press(button)
        assert at_work()[0] == "done"

    fail(browser, at_work, bank_server)
    browser.press("Try again")
    assert at_work()[0] == "done"
    fail(browser, at_work, bank_server)
    before = len(at_work())
    browser.press("Dismiss")
    assert len(at_work()) == before - 1
    browser.press("Get account data")  # the bank works again
    assert at_work()[0] == "done"
    browser.get("/finance/items")
    browser.press("Sync now")
    assert at_work()[0] == "done"

    browser.get("/finance/items/1")
    browser.press("Ask the bank again")
    assert at_work()[0] == "done"
    check_and_repair(app, browser, at_work)

    change_account(app, browser)
    arrange(browser)
    edit_one(browser)
    edit_many(browser)
    choose_recurring(browser)
    merge_accounts(browser, at_work)
    disconnect(browser, at_work)
    connect_at_plaid(browser, at_work)
    log_out_devices(app, browser)
    follow_links_in_mails(browser, mailbox, send_mails)
    choose_mails(app, browser)
    change_factors(app, browser)
    operate(app, browser)
    delete_everything(browser)
    forms = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert browser.posted == forms - NOT_PRESSED


def sign_up(browser):
    browser.get("/auth/signup")
    browser.press("Sign up", username="anna", email="anna@example.com", password=PASSWORD)
    assert browser.path == "/finance/"


def fail(browser, at_work, bank_server):
    bank_server.misbehave(kind="error", path="/accounts/balance/get", **BROKEN)
    browser.get("/finance/")
    browser.press("Get account data")
    assert at_work()[0] == "failed"
    bank_server.faults.rulebook.clear()


def check_and_repair(app, browser, at_work):
    """*Repair* is there only while something differs from the bank."""
    with app.app_context():
        change = db.update(Transaction).where(Transaction.id == 1).values(amount=7)
        db.session.execute(change)
        db.session.commit()
    for button, differences in (("Check against the bank", "1"), ("Repair", "0")):
        browser.get("/finance/items/1")
        browser.press(button)
        assert at_work()[0] == "done"
        check = browser.get("/finance/items/1").find(id="check")
        assert check[0]["data-differences"] == differences


def arrange(browser):
    browser.get("/finance/accounts")
    assert "is now called Mine" in browser.press("Rename", name="Mine").text
    for button in ("Move down", "Move up"):
        assert browser.press(button).find(id="notice")[1]
    assert "is hidden" in browser.press("Hide").text
    assert "is shown again" in browser.press("Show").text


def edit_one(browser):
    """Edit a transaction on its own page, then restore its category."""
    ids = rows(browser)
    texts = (
        "".join(text).split()
        for _, fields, text in browser.page.elements
        if fields.get("class") == "name"
    )
    names = [" ".join(words) for words in texts]
    often = max(names, key=names.count)
    browser.get(f"/finance/transactions/{ids[names.index(often)]}")
    page = browser.press("Save", category="HOME_IMPROVEMENT", note="with Zoë")
    assert "with Zoë" in page.text
    assert " changed." in browser.press("Also change").text
    browser.press("Use the bank’s category")
    assert "Use the bank’s category" not in browser.page.text


def edit_many(browser):
    row = rows(browser)[1]
    browser.press("Hide", row=row)
    assert rows(browser, "?hidden=only") == [row]
    browser.press("Unhide", row=row)
    assert rows(browser, "?hidden=only") == []
    row = rows(browser)[1]
    browser.press("Save note", row=row, note="for the garden")
    assert rows(browser, "?q=garden") == [row]
    browser.get("/finance/transactions")
    browser.press("Undo last change")
    assert rows(browser, "?q=garden") == []


def choose_recurring(browser):
    for button, sentence in (("Not recurring", "is not recurring."), ("Ended", "has ended.")):
        browser.get("/finance/recurring")
        assert sentence in browser.press(button).find(id="notice")[1]
        assert "Undone: " in browser.press("Undo", at="/undo").find(id="notice")[1]
    browser.get("/auth/calendar")
    assert "has a new address" in browser.press("Turn on").find(id="notice")[1]
    assert "leaves amounts out" in browser.press("Leave amounts out").find(id="notice")[1]
    assert "Your calendar is off" in browser.press("Turn off").find(id="notice")[1]


def merge_accounts(browser, at_work):
    """Another bank lists accounts with the same names, masks and rows."""
    browser.get("/finance/")
    browser.press("Connect a test bank", institution_id="ins_109509", **DYNAMIC)
    assert at_work()[0] == "done"
    browser.get("/finance/items")
    assert "They stay two accounts." in browser.press("Different accounts").text
    merged = browser.page.find(id="questions")[1]
    page = browser.press("Same account")
    assert "They are one account now." in page.text
    assert page.find(id="questions")[1] != merged
    for path in links(browser.get("/finance/items/2"), "/same"):
        if "Separate" in browser.get(path).text:
            assert "They are two accounts again." in browser.press("Separate").text
            return


def disconnect(browser, at_work):
    browser.get("/finance/items/1")
    browser.get("/finance/items/1/disconnect")
    browser.press("Disconnect", history="keep")
    assert at_work()[0] == "done"
    browser.get("/finance/items/1/disconnect")
    browser.press("Delete the history")
    assert at_work()[0] == "done"


def connect_at_plaid(browser, at_work):
    """Connect a bank in a second tab, once more separately, and log in to it again."""
    browser.get("/finance/items")
    browser.leave("Connect a bank")
    browser.get("/finance/")
    return_from(browser, browser.leave("Continue at Plaid"))
    assert at_work()[0] == "done"
    return_from(browser, browser.leave("Connect a bank"))
    assert at_work()[0] == "failed"
    browser.press("Connect it separately")
    assert at_work()[0] == "done"
    item = links(browser.get("/finance/items"), "/items/3")[0]
    browser.get(item)
    return_from(browser, browser.leave("Choose accounts"))
    assert at_work()[0] == "done"


def change_account(app, browser):
    browser.get("/auth/account")
    page = browser.press("Save time zone", time_zone="Asia/Tokyo")
    assert "Days and times are now those of Asia/Tokyo." in page.text
    with app.app_context():  # with one currency there is nothing to choose
        db.session.scalars(db.select(Account).limit(1)).one().iso_currency_code = "EUR"
        db.session.commit()
    browser.get("/auth/account")
    page = browser.press("Save currency", main_currency="EUR")
    assert "The overview now begins with Euro." in page.text
    browser.get("/auth/name")
    browser.press("Change username", username="Anna")
    browser.get("/auth/password")
    page = browser.press("Change password", current_password=PASSWORD, password=PASSWORD[::-1])
    assert "Your password is changed." in page.text
    browser.get("/auth/confirm?next=/auth/activity")
    page = browser.press("Confirm", password=PASSWORD[::-1])
    for sentence in (
        "Password changed",
        "Username changed to Anna",
        "First Platypus Bank connected",
    ):
        assert sentence in page.text
    assert "Wrong password" not in page.text


def log_out_devices(app, browser):
    with app.app_context():
        logged_in(app, users.by_name("anna").id)
        logged_in(app, users.by_name("anna").id)
    browser.get("/auth/account")
    assert "Firefox on Linux is logged out." in browser.press("Log out", at="/revoke").text
    page = browser.press("Log out everywhere else")
    assert "You are logged out everywhere else." in page.text


def change_factors(app, browser):
    page = browser.get("/auth/factors/app")
    secret = page.find(**{"class": "key"})[1].replace(" ", "")
    page = browser.press("Turn on", code=pyotp.TOTP(secret).now())
    codes = page.texts_of("pre")[0].split()
    browser.press("Log out")
    browser.press("Log in", username="anna", password=PASSWORD[::-1])
    browser.press("Log in with the recovery code", recovery_code=codes[0])
    with app.app_context():
        key = {"host": "localhost", "name": "Key", "sign_count": 0, "can_be_copied": False}
        for number in (b"1", b"2"):
            me = users.by_name("anna").id
            passkeys.add(me, credential_id=number, public_key=number, **key)
        db.session.commit()
    browser.get("/auth/factors")
    assert "is now called “Mine”" in browser.press("Rename", name="Mine").text
    assert "“Mine” no longer logs you in" in browser.press("Remove", at="/remove").text
    assert "is turned off" in browser.press("Turn off").text
    assert len(browser.press("Make new codes").texts_of("pre")[0].split()) == len(codes)
    browser.get("/auth/factors")
    assert "Log in with a passkey from now on" in browser.press("Remove my password").text


def operate(app, browser):
    """Anna is an operator, and some pull of somebody's has failed."""
    with app.app_context():
        users.by_name("anna").is_operator = True
        pull_id = db.session.scalar(db.select(db.func.max(Pull.id)))
        db.session.execute(db.update(Pull).where(Pull.id == pull_id).values(state="failed"))
        item_id = db.session.scalar(db.select(Item.id).order_by(Item.id.desc()))
        body = '{"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE"}'
        db.session.add(Webhook(token="t", item_id=item_id, body=body))
        db.session.commit()
    browser.get("/ops/pulls")
    assert f"Pull {pull_id} waits for a worker." in browser.press("Retry").text
    browser.get("/ops/webhooks")
    assert "is handled again in a moment." in browser.press("Replay").text
    browser.get("/ops/doctor")
    assert browser.press("Run the checks").has(**{"data-check": "plaid_keys"})


def delete_everything(browser):
    browser.get("/auth/account")
    assert browser.download("Download").startswith(b"PK")
    browser.get("/auth/delete")
    assert browser.download("Download").startswith(b"PK")
    page = browser.press("Delete everything")  # confirmed lately, and without a password
    assert browser.path == "/auth/login"
    assert "everything is being deleted" in page.text


def follow_links_in_mails(browser, mailbox, send_mails):
    def newest_link():
        send_mails()
        return link_in(mailbox.take_all()[-1])

    browser.get("/auth/account")
    browser.press("Send a link")  # the first one ended with the password
    browser.get(newest_link())
    assert "anna@example.com is confirmed." in browser.press("Confirm").text
    for button in ("Keep the present address", "Confirm"):
        browser.get("/auth/email")
        browser.press("Change email address", email="new@example.com")
        if button == "Confirm":
            browser.get(newest_link())
        browser.press(button)
    browser.get("/auth/forgot")
    browser.press("Send a link", email="new@example.com")
    browser.get(newest_link())
    page = browser.press("Change password", password=PASSWORD[::-1])
    assert "Your password is changed." in page.text
    browser.press("Log in", username="anna", password=PASSWORD[::-1])


def choose_mails(app, browser):
    browser.get("/auth/account")
    browser.press("Email me when a bank needs me")
    assert (
        "You get a mail when a bank needs you."
        in browser.press("Email me when a bank needs me").text
    )
    with app.app_context():
        browser.get(stop_links.path_to(users.by_name("anna")))
    assert "You get no more of these mails" in browser.press("Stop these mails").text


def return_from(browser, address):
    browser.get(urlsplit(walk(address, bank="ins_109511", accounts=["0000"])).path)


def links(page, end):
    """Return the addresses on the page with this end."""
    found = (attributes.get("href") or "" for _, attributes, _ in page.elements)
    return [href for href in found if href.endswith(end)]


def rows(browser, query=""):
    """Return the ids of the transactions on the page."""
    page = browser.get(f"/finance/transactions{query}")
    return [fields["value"] for _, fields, _ in page.elements if fields.get("name") == "row"]
