"""Confirming and changing an email address, and signing up without being told who is here."""

import threading

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from tests.conftest import PASSWORD
from tests.mailbox import link_in
from tests.pages import Page

DORA = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}


@pytest.fixture
def sign_up(app, mailbox, send_mails):
    """Sign up in a new browser, and have the mails sent."""

    def post(**changes):
        browser = app.test_client()
        answer = browser.post("/auth/signup", data=DORA | changes)
        assert (answer.status_code, answer.location) == (302, "/finance/")
        send_mails()
        return browser

    return post


@pytest.fixture
def confirmed(app, alice, mailbox):
    """Alice, whose address is confirmed."""
    with app.app_context():
        users.by_id(alice.id).email_confirmed_at = now()
        db.session.commit()
    return alice


@pytest.fixture
def change(send_mails):
    def post(person, email):
        answer = person.client.post("/auth/email", data={"email": email})
        send_mails()
        return answer

    return post


@pytest.fixture
def log_in(app):
    def post(name, password=PASSWORD):
        form = {"username": name, "password": password}
        return app.test_client().post("/auth/login", data=form).status_code

    return post


@pytest.fixture
def address_of(app):
    def read(username):
        with app.app_context():
            user = users.by_name(username)
            return user.email, bool(user.email_confirmed_at)

    return read


def about_email(person):
    return Page(getattr(person, "client", person).get("/auth/account").text).find(id="email")[1]


@pytest.mark.both_databases
def test_an_address_counts_once_its_link_was_used(
    app, client, sign_up, mailbox, send_mails, log_in, address_of
):
    browser = sign_up()
    mail = mailbox.take()
    assert mail["To"] == "dora@example.com"
    assert "Not confirmed yet." in about_email(browser)
    assert log_in("dora@example.com") == 401
    assert log_in("dora") == 302
    client.post("/auth/forgot", data={"email": "dora@example.com"})
    send_mails()
    assert mailbox.mails == [], "it resets a password"

    page = client.get(link_in(mail))
    assert "dora@example.com" in page.text
    assert "dora" in page.text
    assert address_of("dora") == ("dora@example.com", False), "a GET uses it up"
    answer = client.post(link_in(mail))

    assert (answer.status_code, answer.location) == (303, "/auth/login")
    assert address_of("dora") == ("dora@example.com", True)
    assert "Confirmed." in about_email(browser)
    assert log_in("dora@example.com") == 302
    assert client.post(link_in(mail)).status_code == 404
    assert client.get(link_in(mail)).status_code == 404


@pytest.mark.both_databases
def test_a_sign_up_does_not_tell_whether_an_address_is_known(
    app, confirmed, sign_up, mailbox, log_in, address_of
):
    """Only the owner of the address learns of it."""
    known = sign_up(username="known", email="ALICE@example.com")
    told = mailbox.take()
    other = sign_up(username="other", email="OTHER@example.com")
    link = mailbox.take()

    assert about_email(known).replace("ALICE", "X") == about_email(other).replace("OTHER", "X")
    assert (told["To"], told["Subject"]) == ("alice@example.com", "You have an account already")
    assert "Your username is alice." in " ".join(told.get_content().split())
    assert "known" not in told.get_content(), "a stranger writes into the mail"
    assert link["To"] == "OTHER@example.com"
    assert "other" not in link.get_content().lower().replace("other@example.com", "")
    assert log_in("alice@example.com") == 302
    assert address_of("alice") == ("alice@example.com", True)


@pytest.mark.both_databases
def test_of_two_who_typed_an_address_it_belongs_to_who_confirms_it(
    client, sign_up, mailbox, address_of
):
    sign_up()
    sign_up(username="eve")
    of_dora, of_eve = (link_in(mail) for mail in mailbox.take_all())

    assert client.post(of_eve).status_code == 303
    refused = client.post(of_dora)

    assert refused.status_code == 409
    assert "belongs to another account" in refused.text
    assert address_of("eve") == ("dora@example.com", True)
    assert address_of("dora") == ("dora@example.com", False)


def test_an_address_from_before_there_was_a_mail_server_gives_way_to_who_confirms_it(
    client, alice, sign_up, mailbox, log_in, address_of
):
    assert log_in("alice@example.com") == 302, "nobody has confirmed it, and nobody else has it"
    sign_up(email="alice@example.com")

    client.post(link_in(mailbox.take()))

    assert address_of("dora") == ("alice@example.com", True)
    assert log_in("alice") == 302
    assert log_in("alice@example.com") == 302, "it is Dora's, with the same password"
    assert "Not confirmed yet." in about_email(alice)


@pytest.mark.both_databases
def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(
    client, confirmed, change, mailbox, send_mails, address_of
):
    assert change(confirmed, "new@example.com").status_code == 303

    warning, mail = sorted(mailbox.take_all(), key=lambda mail: mail["To"])
    assert (warning["To"], mail["To"]) == ("alice@example.com", "new@example.com")
    assert "about to change" in warning["Subject"]
    assert address_of("alice") == ("alice@example.com", True)
    assert "We mailed a link to new@example.com." in about_email(confirmed)
    client.post(link_in(mail))
    send_mails()

    assert address_of("alice") == ("new@example.com", True)
    told = mailbox.take()
    assert (told["To"], told["Subject"]) == ("alice@example.com", "Your email address was changed")
    assert "new@example.com" not in told.get_content()


def test_a_link_is_ended_by_a_newer_one_a_new_password_and_its_time(
    app, client, confirmed, change, mailbox, later, address_of
):
    change(confirmed, "first@example.com")
    (first,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "first@example.com")
    change(confirmed, "second@example.com")
    (second,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "second@example.com")
    assert client.post(first).status_code == 404
    with app.app_context():
        users.by_id(confirmed.id).password_hash = "another"
        db.session.commit()
    assert client.post(second).status_code == 404
    change(confirmed, "third@example.com")
    (third,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "third@example.com")
    later(hours=24, seconds=1)

    assert client.post(third).status_code == 404
    assert address_of("alice") == ("alice@example.com", True)


def test_a_change_can_be_canceled_and_its_link_sent_again(
    client, confirmed, change, mailbox, send_mails
):
    change(confirmed, "new@example.com")
    (first,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "new@example.com")
    assert confirmed.client.post("/auth/email/resend").status_code == 303
    send_mails()
    (second,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "new@example.com")
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200

    answer = confirmed.htmx("POST", "/auth/email/cancel")

    assert answer.headers["HX-Redirect"] == "/auth/account"
    assert client.get(second).status_code == 404
    assert "new@example.com" not in about_email(confirmed)


def test_a_bad_or_the_same_address_is_refused(confirmed, change, dump, subtests):
    for email in ("", "word", "alice@example.com", "a@b.org\nBcc: c@d.org", "ab" * 200 + "@b.org"):
        with subtests.test(email[:20]):
            before = dump()
            answer = change(confirmed, email)
            assert answer.status_code == 422
            assert Page(answer.text).complaints() == {"email"}
            assert dump()["mail"] == before["mail"]


def test_nobody_can_fill_a_mailbox(client, confirmed, mailbox, send_mails, pass_time):
    answers = [
        client.post("/auth/forgot", data={"email": spelled})
        for spelled in ("alice@example.com", "Alice@Example.com", " alice@example.com ") * 3
    ]
    send_mails()

    assert [answer.status_code for answer in answers] == [200] * policy.FREE_MAILS + [429] * 4
    assert answers[-1].headers["Retry-After"] == "30"
    assert "Try again in" in answers[-1].text
    assert len(mailbox.take_all()) == policy.FREE_MAILS
    pass_time(seconds=31)
    client.post("/auth/forgot", data={"email": "alice@example.com"})
    send_mails()
    mailbox.take()


def test_sign_ups_cannot_fill_a_mailbox_either(sign_up, mailbox):
    for number in range(policy.FREE_MAILS + 2):
        sign_up(username=f"dora{number}")

    assert len(mailbox.take_all()) == policy.FREE_MAILS


@pytest.mark.both_databases
def test_without_a_mail_server_a_new_address_counts_at_once(alice, charlie, log_in, address_of):
    answer = alice.client.post("/auth/email", data={"email": "new@example.com"})
    assert answer.status_code == 303
    assert log_in("new@example.com") == 302
    assert log_in("alice@example.com") == 401

    taken = alice.client.post("/auth/email", data={"email": "charlie@example.com"})

    assert taken.status_code == 422
    assert address_of("alice")[0] == "new@example.com"


@pytest.mark.both_databases
def test_of_two_who_confirm_an_address_at_once_one_gets_it(
    app, sign_up, mailbox, monkeypatch, address_of
):
    sign_up()
    sign_up(username="eve")
    links = [link_in(mail) for mail in mailbox.take_all()]
    together = threading.Barrier(2)
    answers = []

    def confirm(link):
        browser = app.test_client()
        browser.get(link)
        together.wait(timeout=10)
        answers.append(browser.post(link).status_code)

    threads = [threading.Thread(target=confirm, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [303, 409]
    with app.app_context():
        held = db.session.query(User).filter(User.email_confirmed_at.is_not(None)).count()
    assert held == 1


def test_a_page_behind_a_link_tells_its_address_to_nobody(client, confirmed, change, mailbox):
    change(confirmed, "new@example.com")
    (link,) = (link_in(mail) for mail in mailbox.take_all() if mail["To"] == "new@example.com")

    for path in (link, "/auth/email/confirm/nothing", "/auth/reset/nothing"):
        answer = client.get(path)
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "https://" not in answer.text


def test_another_site_cannot_have_a_link_lead_to_it(app, client, confirmed, mailbox, send_mails):
    """Anybody can send any Host header."""
    page = client.get("/auth/login", base_url="http://evil.example").text
    assert "Forgot your password?" not in page

    answer = client.post(
        "/auth/forgot", data={"email": "alice@example.com"}, base_url="http://evil.example"
    )
    send_mails()

    assert answer.status_code == 503
    assert mailbox.mails == []
