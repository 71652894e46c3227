"""Restarts, kills and concurrent threads; and the command `python -m sandbox`."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sandbox import create_app
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
KEYS = {"client_id": "me", "secret": "mine"}
LINK = {"institution_id": "ins_109508", "initial_products": ["transactions"]}


def test_a_state_file_keeps_everything(serve, tmp_path):
    state = tmp_path / "state.sqlite"
    first = serve(state=state)
    token = first.link_ready()
    before, page = first.sync_all(token)
    key = first.app.extensions["sandbox"].webhook_queue.key.public_jwk()

    second = serve(state=state, clock=first.clock)
    assert second.sync_all(token)[0] == before
    assert second.sync_all(token, page["next_cursor"])[0]["added"] == []
    assert second.app.extensions["sandbox"].webhook_queue.key.public_jwk() == key
    assert second.link_ready() != token


def test_a_state_file_of_another_version_is_rejected(tmp_path):
    state = tmp_path / "state.sqlite"
    with contextlib.closing(sqlite3.connect(state)) as db:
        db.execute("CREATE TABLE item (number INTEGER)")
    with pytest.raises(ValueError, match=r"state\.sqlite is the state of another version"):
        create_app(state=state)


def test_unsent_webhooks_are_sent_after_a_restart(serve, tmp_path, eventually):
    state = tmp_path / "state.sqlite"
    first = serve(state=state)
    first.link(webhook="http://127.0.0.1:9/hook")
    first.app.extensions["sandbox"].webhook_queue.close()
    first.clock.advance(10)

    def attempts():
        with second.app.extensions["sandbox"].store.read() as db:
            return db.execute("SELECT attempts FROM delivery WHERE attempts > 0").fetchone()

    second = serve(state=state, clock=first.clock)
    assert eventually(attempts)["attempts"] == 1


def test_sixteen_threads_link_and_sync(live):
    def link_and_sync(_):
        token = live.link(days=60)
        live.clock.advance(1)
        live.call("/transactions/sync", access_token=token)
        return live.call("/item/get", access_token=token)["item"]["item_id"], token

    with ThreadPoolExecutor(16) as pool:
        items = list(pool.map(link_and_sync, range(48)))
    assert len({item_id for item_id, _ in items}) == 48
    live.clock.advance(60)
    with ThreadPoolExecutor(16) as pool:
        updates = list(pool.map(lambda item: live.sync_all(item[1], count=50)[0]["added"], items))
    assert {len(added) for added in updates} == {len(updates[0])}
    seen = [row["transaction_id"] for added in updates for row in added]
    assert len(set(seen)) == len(seen) > 48 * 100


def test_sixteen_threads_exchange_a_token_for_the_same_item(live):
    token = live.public_token()

    def exchange(_):
        answer = live.call("/item/public_token/exchange", public_token=token)
        return answer["access_token"], answer["item_id"]

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(exchange, range(16)))) == 1


def test_sixteen_threads_add_transactions_once(live):
    token = live.link(("auth",), days=None)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: live.call("/transactions/sync", access_token=token), range(16))
        )
    assert {answer["transactions_update_status"] for answer in answers} == {"NOT_READY"}
    live.clock.advance(60)
    ids = [row["transaction_id"] for row in live.sync_all(token)[0]["added"]]
    assert len(set(ids)) == len(ids) > 100


def test_each_read_during_changes_is_a_snapshot(live):
    token = live.link_ready(override_username="user_transactions_dynamic")

    def change(_):
        live.be_active(token)

    def read(_):
        body = {**KEYS, "access_token": token, "count": 500}
        page = requests.post(live.url + "/transactions/sync", json=body, timeout=30).json()
        ids = [row["transaction_id"] for row in page["added"]]
        replaced = {row["pending_transaction_id"] for row in page["added"]}
        # A snapshot never has both a pending row and the posted row that replaced it.
        return len(set(ids)) == len(ids) and not replaced & set(ids)

    with ThreadPoolExecutor(16) as pool:
        changes = [pool.submit(change, n) for n in range(20)]
        assert all(pool.map(read, range(60)))
        for done in changes:
            done.result()


# --- The command


@pytest.fixture
def command():
    """Start `python -m sandbox`, wait until it responds, and return (process, URL)."""
    started = []

    def start(*arguments):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(port), *map(str, arguments)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.post(url + "/categories/get", json={}, timeout=5).raise_for_status()
            except requests.ConnectionError:
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return process, url

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def call(url, path, **fields):
    answer = requests.post(url + path, json={**KEYS, **fields}, timeout=10)
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_command(command, stop):
    process, url = command()
    call(url, "/sandbox/public_token/create", **LINK)
    # Signal the whole process group, like Ctrl-C in a terminal.
    os.killpg(process.pid, stop)
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == b""


def test_a_killed_command_loses_nothing(command, tmp_path):
    state = tmp_path / "state.sqlite"
    process, url = command("--state", state)
    public_token = call(url, "/sandbox/public_token/create", **LINK)["public_token"]
    token = call(url, "/item/public_token/exchange", public_token=public_token)["access_token"]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    _, url = command("--state", state, "--initial-delay", "0", "--historical-delay", "0")
    page = call(url, "/transactions/sync", access_token=token)
    assert page["transactions_update_status"] == "HISTORICAL_UPDATE_COMPLETE"
    assert len(page["added"]) == 100


def test_help_lists_options_and_ignored_fields():
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    text = re.sub(r"\s+", " ", done.stdout)
    for part in ("identity", "liability", "inflow_model", "holdings", "version"):
        assert part in text
    for flag in ("--host", "--port", "--seed", "--state", "--initial-delay", "--historical-delay"):
        assert flag in text
