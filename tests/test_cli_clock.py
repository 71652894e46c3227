"""The clock as a process of its own: how it ends, and what is left when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from plaidapp import policy
from plaidapp.auth import bank_mails
from plaidapp.extensions import db
from plaidapp.jobs import presence
from plaidapp.jobs.mail import postman
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, notices, state_changes
from plaidapp.store.people import users

ROOT = Path(__file__).parent.parent
IS_BLOCKED = text("SELECT count(*) FROM pg_locks WHERE relation = 'mail'::regclass AND NOT granted")


@pytest.fixture
def start_clock(app, database_url, redis_url):
    """`start_clock()` starts `flask clock` with the settings of the test's app."""
    config, started = app.config["PLAIDAPP"], []

    def start():
        settings = app.config["PLAIDAPP"]
        mail = {"MAIL_URL": settings.mail_url, "MAIL_FROM": settings.mail_from}
        environment = os.environ | {
            "SECRET_KEY": config.secret_keys[0],
            "TOKEN_KEYS": config.token_keys[0],
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PLAID_BASE_URL": config.plaid_url,
            **{name: value for name, value in mail.items() if value},
        }
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "clock"]
        clock = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
        started.append(clock)
        return clock

    yield start
    for clock in started:
        clock.kill()
        clock.communicate()


def noted(app):
    with app.app_context():
        return presence.duties_done().keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_clock_exits_cleanly_on_a_signal(app, start_clock, number, poll, alice, work):
    """A real process rings for the waiting pull, notes what it and its threads did, then exits
    with 0."""
    with app.app_context():
        db.session.add(Pull(user_id=alice.id, kind="transactions"))
        db.session.commit()
    clock = start_clock()
    try:
        redis = app.extensions["redis"]
        poll(lambda: redis.llen("rq:queue:default"), seconds=120, what="the clock's ring")
        poll(lambda: noted(app) == presence.DUTIES, seconds=120, what="all duties")
    finally:
        clock.send_signal(number)
        _, errors = clock.communicate(timeout=120)
    assert clock.returncode == 0, errors


def test_a_clock_that_is_killed_while_it_stores_a_mail_neither_loses_nor_doubles_it(
    context, start_clock, poll, alice, mailbox, monkeypatch
):
    """A lock holds the clock between the end of the notice and the mail."""
    users.by_id(alice.id).email_confirmed_at = now()
    item = items.add(user_id=alice.id, plaid_item_id="i", access_token=b"")
    monkeypatch.setattr(policy, "NOTICE_QUIET", policy.NOTICE_QUIET * 0)
    state_changes.set_state(item.id, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED", "It asks.")
    db.session.commit()

    with db.engine.connect() as holder, holder.begin():
        holder.execute(text("LOCK TABLE mail IN SHARE MODE"))
        clock = start_clock()

        def is_blocked():
            with db.engine.connect() as watcher:
                return watcher.scalar(IS_BLOCKED)

        poll(is_blocked, seconds=120, what="the clock's mail")
        clock.kill()
        clock.wait(timeout=120)

    assert notices.due(10) == [alice.id], "lost"
    db.session.commit()
    for _ in range(2):
        bank_mails.write_due()
        postman.send_due()
    assert mailbox.take()["To"] == "alice@example.com"
