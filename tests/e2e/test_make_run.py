"""A fresh clone and `make run`: from sign-up to the latest transactions, and back after Ctrl-C."""

import fcntl
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.person import PASSWORD, Person, be_done
from tests.e2e.processes import ROOT, Bank, Running, clean_env, post_json, wait_until
from tests.ports import free_port

# What Plaid's user_good has: name, mask, subtype, available, current, limit.
ACCOUNTS = [
    ("Plaid Checking", "0000", "checking", "100", "110", None),
    ("Plaid Saving", "1111", "savings", "200", "210", None),
    ("Plaid CD", "2222", "cd", None, "1000", None),
    ("Plaid Credit Card", "3333", "credit card", None, "410", "2000"),
    ("Plaid Money Market", "4444", "money market", "43200", "43200", None),
    ("Plaid IRA", "5555", "ira", None, "320.76", None),
    ("Plaid 401k", "6666", "401k", None, "23631.9805", None),
    ("Plaid Student Loan", "7777", "student", None, "65262", None),
    ("Plaid Mortgage", "8888", "mortgage", None, "56302.06", None),
]


RESET = "/auth/reset/"


class Clone:
    """The checkout as a fresh clone, including changes that are not committed yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = ""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True)
        for name in filter(None, names.stdout.split("\0")):
            if (ROOT / name).is_file():  # git lists a deleted file until the deletion is committed
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, directory / name)
        # The packages are installed already. Without this file, make would install them again.
        if (ROOT / ".venv").is_dir():
            (directory / ".venv").symlink_to(ROOT / ".venv")

    def make_run(self) -> Running:
        port = free_port()
        self.url = f"http://localhost:{port}"
        log = self.directory.parent / "make-run.log"
        running = Running(["make", "run", f"PORT={port}"], log, clean_env(), self.directory)
        try:
            running.wait_for(f"{self.url}/readyz", 300)
        except BaseException:
            running.stop()
            raise
        return running

    def bank(self, running: Running) -> Bank:
        """The local sandbox. Only its command line has its port."""
        commands = [" ".join(process.cmdline()) for process in running.family()]
        ports = {
            found[1] for line in commands if (found := re.search(r"sandbox --port (\d+)", line))
        }
        return Bank(f"http://127.0.0.1:{ports.pop()}")

    def newest_access_token(self) -> str:
        state = sqlite3.connect(f"file:{self.directory}/instance/sandbox.db?mode=ro", uri=True)
        try:
            query = "SELECT access_token FROM item ORDER BY number DESC LIMIT 1"
            return state.execute(query).fetchone()[0]
        finally:
            state.close()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    directory = tmp_path_factory.mktemp("home") / "a fresh clone"
    directory.mkdir()
    return Clone(directory)


@pytest.fixture(scope="module")
def runs(clone: Clone) -> Iterator[list[Running]]:
    """The starts of `make run`, one after the other."""
    started = [clone.make_run()]
    yield started
    for running in started:
        running.stop()


@pytest.fixture
def running(clone: Clone, runs: list[Running]) -> Running:
    """The last start. It is up, and starts again if a test has ended it."""
    if runs[-1].ended:
        runs.append(clone.make_run())
    return runs[-1]


@pytest.fixture(params=[True, False], ids=["htmx", "plain forms"])
def anna(
    clone: Clone, running: Running, visit: Callable[..., Person], request: pytest.FixtureRequest
) -> Person:
    """A person who has signed up. In the second round, without JavaScript."""
    person = visit(clone.url, javascript=request.param)
    person.sign_up()
    return person


def test_from_sign_up_to_the_latest_transactions(clone, running, anna):
    bank = clone.bank(running)
    calls = bank.calls("/transactions/sync")
    bank.misbehave("delay", "/transactions/sync", after=1, seconds=600)
    try:
        panel = anna.connect()
        loads = anna.page_loads
        expect(panel).to_have_attribute("data-state", re.compile("queued|running"))
        expect(panel).to_contain_text("First Platypus Bank")
        expect(panel.get_by_role("progressbar")).to_be_visible()
    finally:
        bank.behave()
    be_done(panel)
    assert bank.calls("/transactions/sync") > calls
    nine_accounts(anna)
    expect(panel).to_contain_text("connected. 9 accounts")
    agree_with_the_sandbox(anna, bank, clone.newest_access_token())
    if anna.javascript:
        assert anna.page_loads == loads

    the_three_buttons(anna)
    anna.log_out()
    anna.log_in()
    nine_accounts(anna)
    agree_with_the_sandbox(anna, bank, clone.newest_access_token())


def test_a_link_to_a_new_password_is_in_the_terminal(running, anna):
    """By keyboard."""

    def printed():
        lines = running.log.read_text().splitlines()
        return [line.split("| ")[1] for line in lines if "| http" in line and RESET in line]

    page, before = anna.page, len(printed())
    anna.log_out()
    page.get_by_role("link", name="Forgot your password?").press("Enter")
    page.get_by_label("Email").fill(f"{anna.name}@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_text("a link to a new password is on its way")).to_be_visible()
    wait_until(lambda: len(printed()) > before, 30, "a link")

    page.goto(printed()[-1])
    if anna.javascript:
        assert anna.barriers() == []
    page.get_by_label("New password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.locator("#notice")).to_contain_text("Your password is changed.")
    anna.log_in()


def test_ctrl_c_ends_every_process_and_keeps_everything(clone, runs, running, visit):
    anna = visit(clone.url)
    anna.join()
    be_done(anna.connect())
    before = anna.transactions()
    anna.leave()

    assert len(running.family()) > 6
    running.send(signal.SIGINT)
    running.wait()
    assert running.family() == []
    output = running.log.read_text()
    assert output.endswith("\nplaidapp has stopped. Your data is in instance/.\n")
    left = list((clone.directory / "instance").rglob("*"))
    assert [path for path in left if path.stat().st_mode & 0o077] == []
    assert "make: ***" not in output

    runs.append(clone.make_run())
    back = visit(clone.url)
    back.name = anna.name
    back.log_in()
    assert back.transactions() == before
    back.page.get_by_role("link", name="Connections").first.click()
    back.page.get_by_role("link", name="First Platypus Bank").first.click()
    back.press("Sync now")
    newest = back.page.locator("#activity > [id^=pull-]").first
    be_done(newest)
    expect(newest).to_contain_text("nothing new")
    assert back.transactions() == before


def test_a_second_start_is_refused_with_a_sentence(clone, running):
    again = subprocess.run(
        ["make", "run", f"PORT={free_port()}"],
        cwd=clone.directory,
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode != 0
    assert "is running already in this folder" in again.stderr
    assert "Traceback" not in again.stderr
    assert running.is_up()


def test_a_closed_terminal_leaves_nothing_behind(clone, running):
    running.send(signal.SIGHUP)
    running.wait()
    assert running.family() == []
    with (clone.directory / "instance/running.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # so the next start is not refused


def nine_accounts(person: Person) -> None:
    rows = person.page.locator("#accounts li")
    expect(rows).to_have_count(9)
    stored = [
        (
            *(account[name] for name in ("name", "mask", "subtype")),
            *(account["balances"][name] for name in ("available", "current", "limit")),
        )
        for account in person.json("/finance/accounts.json")["accounts"]
    ]
    assert sorted(stored) == sorted(ACCOUNTS)
    for name, mask, _, _, current, _ in ACCOUNTS:
        row = rows.filter(has_text=f"{name} {mask}")
        expect(row.get_by_title(f"{current} USD")).to_be_visible()
        expect(row).to_contain_text(f"{Decimal(current):,.2f}")


def agree_with_the_sandbox(person: Person, bank: Bank, access_token: str) -> None:
    """Check that exactly the sandbox's rows are stored, and that the page shows the newest."""
    stored = person.transactions()
    theirs = all_transactions(bank, access_token)
    assert {(t["transaction_id"], t["date"], Decimal(t["amount"])) for t in stored} == {
        (t["transaction_id"], t["date"], Decimal(t["amount"])) for t in theirs
    }
    assert len(stored) == len(theirs)
    wait_until(person.sees_all, 30, "the page's own count")

    rows = person.page.locator("#latest li:not(.moved)").all()  # .moved: both sides of a transfer
    assert len(rows) >= 5
    newest = iter(stored[: 3 * len(rows)])
    for row in rows:
        assert any(shows(row, transaction) for transaction in newest), row.inner_text()


def shows(row: Locator, transaction: dict[str, Any]) -> bool:
    name = transaction["merchant_name"] or transaction["name"]
    amount = row.get_by_title(f"{transaction['amount']} USD", exact=True)
    return name in row.inner_text() and amount.count() == 1


def all_transactions(bank: Bank, access_token: str) -> list[dict[str, Any]]:
    today = datetime.now(UTC).date()
    call: dict[str, Any] = {
        "access_token": access_token,
        "start_date": str(today - timedelta(days=800)),
        "end_date": str(today),
    }
    found: list[dict[str, Any]] = []
    while True:
        options = {"count": 500, "offset": len(found)}
        page = post_json(f"{bank.url}/transactions/get", call | {"options": options})
        found += page["transactions"]
        if len(found) == page["total_transactions"]:
            return found


def the_three_buttons(person: Person) -> None:
    accounts = person.pull("Get account data")
    be_done(accounts)
    expect(accounts).to_contain_text("9 accounts")

    today = datetime.now(UTC).date()
    start, end = today - timedelta(days=90), today - timedelta(days=30)
    address = f"/finance/transactions.json?start_date={start}&end_date={end}"
    stored = person.json(address)
    expected = stored["total_transactions"]
    assert expected > 50
    for button in ("Get transaction data", "Get total number of transactions"):
        person.open_refresh()
        form = person.page.locator("#range-form")
        form.get_by_label("From").fill(str(start))
        form.get_by_label("To").fill(str(end))
        panel = person.pull(button)
        be_done(panel)
        say_how_many(panel, expected)
        if button == "Get transaction data":
            newest = panel.locator("li").first
            expect(
                newest.get_by_title(f"{stored['transactions'][0]['amount']} USD")
            ).to_be_visible()


def say_how_many(panel: Locator, expected: int) -> None:
    expect(panel).to_contain_text(re.compile(rf"\b{expected} transactions from "))
