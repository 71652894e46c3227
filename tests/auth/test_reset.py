"""A forgotten password: the link, the page behind it, and what a new password ends."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import LoginSession
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from tests.conftest import PASSWORD
from tests.mailbox import link_in
from tests.pages import Page

NEW = "another battery, another staple"


@pytest.fixture
def confirmed(app, alice):
    """Alice, whose address is confirmed."""
    with app.app_context():
        users.by_id(alice.id).email_confirmed_at = now()
        db.session.commit()
    return alice


@pytest.fixture
def ask(client, mailbox, send_mails):
    """Ask for a link as a stranger, and have the mail sent."""

    def post(email="alice@example.com"):
        answer = client.post("/auth/forgot", data={"email": email})
        send_mails()
        return answer

    return post


@pytest.fixture
def log_in(app):
    def post(password, username="alice"):
        form = {"username": username, "password": password}
        return app.test_client().post("/auth/login", data=form)

    return post


@pytest.mark.both_databases
def test_a_link_leads_to_a_new_password(confirmed, client, ask, mailbox, log_in):
    assert ask().status_code == 200
    mail = mailbox.take()
    assert mail["To"] == "alice@example.com"
    assert "alice" in mail.get_content()
    page = Page(client.get(link_in(mail)).text)
    assert page.find(name="password")[0]["autocomplete"] == "new-password"

    answer = client.post(link_in(mail), data={"password": NEW})

    assert (answer.status_code, answer.location) == (303, "/auth/login")
    assert "Your password is changed." in client.get("/auth/login").text
    assert client.get("/finance/").status_code == 302, "logged in without a second factor"
    assert log_in(PASSWORD).status_code == 401
    assert log_in(NEW).status_code == 302


def test_a_new_password_ends_every_session_and_is_told(
    app, confirmed, client, ask, mailbox, send_mails
):
    ask()
    client.post(link_in(mailbox.take()), data={"password": NEW})
    send_mails()

    assert confirmed.client.get("/finance/").status_code == 302
    with app.app_context():
        assert db.session.scalars(db.select(LoginSession)).all() == []
    told = mailbox.take()
    assert (told["To"], told["Subject"]) == ("alice@example.com", "Your password was changed")


def test_whoever_is_logged_in_there_is_logged_out_for_good(app, confirmed, charlie, ask, mailbox):
    """Another person's session is not left behind without a cookie."""
    ask()

    charlie.client.post(link_in(mailbox.take()), data={"password": NEW})

    assert charlie.client.get("/finance/").status_code == 302
    with app.app_context():
        assert db.session.scalars(db.select(LoginSession)).all() == []
