"""Sending the outbox by a real mail server: what is tried again, what ends, what is sent once."""

import socket
import threading
from dataclasses import replace

import pytest
from aiosmtpd.smtp import SMTP

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs.mail import postman
from plaidapp.store import Mail, MailLink
from plaidapp.store.base.types import now
from plaidapp.store.people import mail_links, outbox, users
from plaidapp.store.people.outbox import USERNAME, Content
from tests.mailbox import PASSWORD, USER, Mailbox, certificate, check_password
from tests.ports import free_port


@pytest.fixture
def waiting(context):
    def count():
        db.session.rollback()
        return db.session.query(Mail).count()

    return count


@pytest.fixture
def write(context, owner):
    """`write()` puts a mail to Olive into the outbox."""

    def add(kind=outbox.NOTICE, to="olive@example.com", text="Hello.\n", user_id=owner, token=None):
        cipher = context.extensions["cipher"]
        token_hash = token and mail_links.hash_of(token)
        outbox.add(cipher, user_id, kind, Content(to, "A subject", text), token_hash)
        db.session.commit()

    return add


@pytest.fixture
def use(context):
    """`use(url)` sets MAIL_URL."""

    def change(url):
        config = context.config["PLAIDAPP"]
        context.config["PLAIDAPP"] = replace(config, mail_url=url, mail_from="us@example.com")

    return change


@pytest.fixture
def serve(use):
    """`serve(...)` starts a mail server with these options and uses it."""
    started = []

    def start(user="", **options):
        server = Mailbox(**options)
        server.start()
        started.append(server)
        use(server.url.replace("://", f"://{user}"))
        return server

    yield start
    for server in started:
        server.stop()


def test_a_mail_is_sent_once_and_its_row_is_gone(write, mailbox, waiting):
    write(text="Grüße.\n")

    postman.send_due()
    postman.send_due()

    mail = mailbox.take()
    assert (mail["From"], mail["To"]) == ("plaidapp <no-reply@example.com>", "olive@example.com")
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("A subject", "auto-generated")
    assert mail.get_content().strip() == "Grüße."
    assert mailbox.envelopes == [("no-reply@example.com", ["olive@example.com"])]
    assert waiting() == 0


def test_what_is_stored_tells_nothing(write, dump):
    write(text="https://example.com/auth/reset/token\n", token="token")

    stored = repr(dump()["mail"])

    assert "olive@example.com" not in stored
    assert "token'" not in stored
    assert "reset" not in stored


def test_while_the_server_is_away_one_mail_is_tried_and_each_later_and_later(
    write, use, waiting, later
):
    use(f"smtp://127.0.0.1:{free_port()}")
    write()
    write()

    postman.send_due()
    assert sorted(mail.attempts for mail in db.session.scalars(db.select(Mail))) == [0, 1]
    postman.send_due()
    assert sorted(mail.attempts for mail in db.session.scalars(db.select(Mail))) == [1, 1]
    postman.send_due()
    later(seconds=9 * (1 + policy.JITTER) + 4)
    postman.send_due()

    assert sorted(mail.attempts for mail in db.session.scalars(db.select(Mail))) == [1, 2]
    later(hours=25)
    postman.send_due()
    assert waiting() == 0, "it is tried for ever"


def test_a_recipient_who_is_refused_for_good_ends_it(write, mailbox, waiting):
    mailbox.answers = ["550 No such user"]
    write()

    postman.send_due()

    assert (mailbox.mails, waiting()) == ([], 0)


def test_a_recipient_who_is_refused_for_now_does_not_stop_the_others(
    write, mailbox, waiting, later
):
    mailbox.answers = ["450 Try again later"]
    write()
    write(to="other@example.com")

    postman.send_due()
    assert mailbox.take()["To"] == "other@example.com"
    later(minutes=1)
    postman.send_due()

    assert mailbox.take()["To"] == "olive@example.com"
    assert waiting() == 0


def test_a_mail_whose_process_died_is_sent_by_another_with_the_same_id(write, mailbox, later):
    write()
    (mail_id,) = outbox.due(10)
    assert outbox.claim(mail_id)
    db.session.commit()

    postman.send_due()
    assert mailbox.mails == [], "two processes send it"
    later(seconds=policy.MAIL_CLAIMED.total_seconds() + 1)
    message_id = db.session.get(Mail, mail_id).message_id
    postman.send_due()

    assert mailbox.take()["Message-ID"] == f"<{message_id}@example.com>"


def test_of_two_processes_one_claims_a_mail(write):
    write()
    (mail_id,) = outbox.due(10)

    assert outbox.claim(mail_id) is not None
    db.session.commit()
    assert outbox.claim(mail_id) is None


def test_a_server_that_answers_for_ever_is_left(write, use, waiting, monkeypatch):
    """Each line comes in time, the end never does."""
    monkeypatch.setattr(policy, "MAIL_DEADLINE", 0.5)
    over = threading.Event()

    def drip(listener):
        connection, _ = listener.accept()
        with connection:
            while not over.wait(0.05):
                try:
                    connection.sendall(b"220-wait\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        use(f"smtp://127.0.0.1:{listener.getsockname()[1]}")
        write()
        postman.send_due()
        over.set()
        thread.join()

    assert waiting() == 1


@pytest.mark.parametrize(
    "options",
    [
        {"auth_require_tls": False},
        {"tls_context": True, "require_starttls": True, "auth_required": True},
        {"ssl_context": True, "auth_require_tls": False},
    ],
    ids=["in clear on this machine", "STARTTLS", "smtps"],
)
def test_it_logs_in(write, serve, use, options):
    made = {name: certificate() for name in options if name.endswith("context")}
    server = serve(
        f"{USER.replace('@', '%40')}:{PASSWORD.replace(' ', '%20').replace('/', '%2F')}@",
        authenticator=check_password,
        **options | made,
    )
    if "ssl_context" in options:
        use(f"smtps://mailer%40example.com:a%20p%40ss%2Fword@127.0.0.1:{server.port}")
    write()

    postman.send_due()

    assert server.take()["To"] == "olive@example.com"
    assert server.logged_in == [True]


def test_a_wrong_password_is_tried_again(write, serve, waiting, caplog):
    server = serve("mailer:wrong-password@", authenticator=check_password, auth_require_tls=False)
    write()

    postman.send_due()

    assert (server.mails, waiting()) == ([], 1)
    assert "it does not accept the name and password in MAIL_URL" in caplog.text
    assert "wrong-password" not in caplog.text


def test_a_password_never_leaves_this_machine_in_clear(write, serve, use, waiting, monkeypatch):
    server = serve(authenticator=check_password, auth_require_tls=False)
    here = f"name-of-another-machine:{server.port}"
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *rest, **named: resolve("127.0.0.1", *rest, **named)
    )
    seen = []
    monkeypatch.setattr(SMTP, "smtp_AUTH", lambda *_: seen.append("AUTH"))
    use(f"smtp://user:password@{here}")
    write()

    postman.send_due()

    assert (seen, server.mails, waiting()) == ([], [], 1)


def test_a_link_works_from_the_first_try_on_and_a_newer_one_ends_it(write, mailbox, owner):
    for token in ("first", "second"):
        write(outbox.RESET, text=f"For {USERNAME}.\n", user_id=None, token=token)
    user = users.by_id(owner)
    user.email_confirmed_at = now()
    db.session.commit()

    postman.send_due()

    assert [mail.get_content().strip() for mail in mailbox.take_all()] == ["For olive."] * 2
    alive = [
        token
        for token in ("first", "second")
        if mail_links.find(mail_links.RESET, mail_links.hash_of(token))
    ]
    assert alive == ["second"]


def test_a_link_that_is_over_is_not_sent_again(write, mailbox, owner, waiting, later):
    users.by_id(owner).email_confirmed_at = now()
    mailbox.answers = ["450 Later"] * 5
    write(outbox.RESET, user_id=None, token="token")
    postman.send_due()
    db.session.query(MailLink).delete()  # used, or replaced by a newer one
    db.session.commit()
    later(minutes=1)
    mailbox.answers = []

    postman.send_due()

    assert (mailbox.mails, waiting()) == ([], 0)
    assert db.session.query(MailLink).count() == 0


def test_an_address_that_nobody_has_confirmed_gets_no_link(write, mailbox, owner, waiting):
    write(outbox.RESET, user_id=None, token="token")
    write(outbox.RESET, to="nobody@example.com", user_id=None, token="other")
    write(outbox.RESET, to="no\0body@example.com", user_id=None, token="third")

    postman.send_due()

    assert (mailbox.mails, waiting()) == ([], 0)


def test_a_mail_goes_to_the_address_that_was_confirmed_however_it_is_spelled(write, mailbox, owner):
    """Another spelling may be another mailbox."""
    users.by_id(owner).email_confirmed_at = now()
    db.session.commit()
    write(outbox.RESET, to="OLIVE@Example.com", user_id=None, token="token")

    postman.send_due()

    assert mailbox.take()["To"] == "olive@example.com"


def test_a_domain_beyond_ascii_is_written_as_the_network_does(write, mailbox):
    write(to="olive@bücher.example")

    postman.send_due()

    assert mailbox.take()["To"] == "olive@xn--bcher-kva.example"


def test_under_make_run_a_mail_is_printed_with_its_link_on_a_line_of_its_own(write, use, capsys):
    use("terminal:")
    write(text="Open this:\n\nhttp://localhost:8000/auth/reset/token\n")

    postman.send_due()

    lines = capsys.readouterr().out.splitlines()
    assert "To: olive@example.com" in lines
    assert "http://localhost:8000/auth/reset/token" in lines
