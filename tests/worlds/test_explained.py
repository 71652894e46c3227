"""Every figure opens into its sum, and the sums hold: a random world, read as a person reads it."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.base.dates import months_later
from plaidapp.store.connections import accounts
from tests.logged_in import logged_in
from tests.pages import VOID, Page

from . import world
from .world import STEPS, World

FIGURES = 100
DEPTH = 3
"""How many explanations are followed from one to the next."""
MONEY = re.compile(r"[−+]?[$€]\s?[\d,]+\.\d\d|[\d,]+\.\d\d\s?[$€]")
ROWS = frozenset({"li", "tr", "dd"})
BLOCKS = ROWS | {"p", "h1", "h2", "h3", "h4", "details"}
LEADS_ON = re.compile(r"/finance/(accounts/\d+|transactions\?)")
"""A figure may also be in a link to the page of its account, or to its rows."""
UNEXPLAINED = ("readout", "axis", "receipt")


@dataclass
class Explained:
    """A receipt: its figure; each line, how often it has what its address has; and its results."""

    figure: Decimal
    shown: str
    lines: list[tuple[Decimal, int, str | None]] = field(default_factory=list)
    results: list[tuple[Decimal, int]] = field(default_factory=list)


@pytest.fixture
def here(app, today) -> World:
    made = world.new(app, today)
    number = random.Random(15)
    for bank in range(world.BANKS):
        for _ in range(40):
            made.spend(bank, number.randrange(1000), number.randrange(1000))
        made.connect(bank, 0, 0)
    for _ in range(60):
        step = number.choice(STEPS)
        step(made, *(number.randrange(1000) for _ in range(3)))
    made.settle()
    return made


@pytest.mark.both_databases
def test_every_figure_opens_and_a_hundred_are_what_their_rows_add_up_to(here):
    """Wherever a page shows money, the figure or the sentence that has it can be opened. The amount
    of a transaction is in a row that leads to the transaction."""
    client = logged_in(here.app, here.user_id)
    figures, closed = set(), []
    for path in pages(here):
        shown = read(client, path)
        figures |= set(links(shown))
        closed += [(path, text) for text in closed_money(shown.text)]
    for number in rows_to_open(here):
        figures |= set(links(read(client, f"/finance/transactions/{number}")))
    assert closed == []
    assert len(figures) >= FIGURES

    for text, url in random.Random(15).sample(sorted(figures), FIGURES):
        found = explained(client, url)
        assert digits(found.shown) in map(digits, MONEY.findall(text)), url
        check(client, url, found, DEPTH)


def pages(here: World) -> list[str]:
    with here.app.app_context():
        ids = [account.id for account in accounts.of_user(here.user_id)]
        db.session.remove()
    return [
        *(f"/finance/?period={period}" for period in ("6M", "all")),
        "/finance/transactions",
        "/finance/transactions?scope=all",
        "/finance/transactions?scope=flow&sort=largest",
        "/finance/transactions?pending=without&hidden=any&sort=oldest",
        "/finance/transactions?direction=out&category=TRAVEL&category=TRANSFER_OUT",
        "/finance/recurring",
        *spending_pages(here.today),
        "/finance/recurring/calendar",
        "/finance/items",
        *(f"/finance/accounts/{number}" for number in ids),
        *(f"/finance/transactions?account={number}" for number in ids),
    ]


def spending_pages(today: date) -> list[str]:
    """Of this month and the one before, in each currency."""
    months = (f"{each:%Y-%m}" for each in (today, months_later(today, -1)))
    queries = (f"month={month}&currency={code}" for month in months for code in ("USD", "EUR"))
    return [f"/finance/spending?{query}&category=TRAVEL" for query in queries]


def rows_to_open(here: World) -> list[int]:
    with here.app.app_context():
        query = select(Transaction.id).where(Transaction.removed_at.is_(None))
        ids = list(db.session.scalars(query.order_by(Transaction.id).limit(10)))
        db.session.remove()
    return ids


def read(client: FlaskClient, url: str):
    answer = client.get(url, follow_redirects=True)
    assert answer.status_code == 200, url
    return answer


def links(answer) -> Iterator[tuple[str, str]]:
    """The text and address of each figure that can be opened."""
    for tag, attributes, inside in Page(answer.text).elements:
        if tag == "a" and "data-explain" in attributes and MONEY.search("".join(inside)):
            yield "".join(inside).strip(), attributes["href"] or ""


def digits(text: str) -> str:
    return "".join(re.findall(r"[\d.]", text))


@cache
def explained(client: FlaskClient, url: str) -> Explained:
    page = Page(read(client, url).text)
    found: Explained | None = None
    href: str | None = None
    is_result = False
    for tag, attributes, inside in page.elements:
        if tag == "li":
            is_result, href = (attributes.get("class") or "").startswith("result"), None
        if tag == "a":
            href = attributes.get("href")
        if tag == "data":
            amount = Decimal(attributes["value"] or "")
            if found is None:
                found = Explained(amount, "".join(inside))
            elif is_result:
                found.results.append((amount, int(attributes.get("data-divisor") or 1)))
            else:
                found.lines.append((amount, int(attributes.get("data-times") or 1), href))
    assert found is not None, url
    return found


def check(client: FlaskClient, url: str, found: Explained, depth: int) -> None:
    """The lines add up, and each is what its rows or its own explanation add up to."""
    total = sum((amount for amount, _, _ in found.lines), Decimal(0))
    for amount, divisor in found.results:
        assert amount == total / divisor, url
    assert found.figure == found.results[-1][0], url
    for amount, times, address in found.lines:
        if address is None:
            continue
        if "/explain/" in address:
            inner = explained(client, address)
            assert inner.figure * times in (amount, -amount), (url, address)
            if depth > 1 and address != url:
                check(client, address, inner, depth - 1)
        else:
            assert rows_of(client, address) in (amount, -amount), (url, address)


@cache
def rows_of(client: FlaskClient, address: str) -> Decimal:
    """What the rows behind a link add up to, as transactions.json lists them."""
    parts = urlsplit(address)
    one = re.fullmatch(r"/finance/transactions/(\d+)", parts.path)
    if one:
        sent = re.search(r'title="(-?[\d.]+) ', read(client, address).text)
        assert sent, address
        return Decimal(sent[1])
    assert parts.path == "/finance/transactions", address
    filters = parse_qsl(parts.query)
    named = any(name in ("account", "hidden") for name, _ in filters)
    page: str | None = f"/finance/transactions.json?{urlencode(filters)}"
    rows: list[dict[str, str]] = []
    while page:
        answer = read(client, page)
        rows += answer.json["transactions"]
        page = answer.json["next"]
    return sum((Decimal(row["amount"]) for row in rows if named or not row["hidden"]), Decimal(0))


def closed_money(html: str) -> Iterator[str]:
    """The texts with money in a block without a way to open it."""
    parser = _Blocks(html)
    yield from parser.found


class _Blocks(Page):
    """Finds the innermost block around each amount of money."""

    def __init__(self, html: str) -> None:
        self.stack: list[dict[str, object]] = []
        self.found: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        attributes = dict(attrs)
        names = (attributes.get("class") or "").split()
        if tag == "a" and ("data-explain" in attributes or self._is_row(attributes)):
            for each in self.stack:
                each["opens"] = True
        if tag not in VOID:
            silent = tag in ("svg", "option", "script", "title") or bool(
                set(names) & set(UNEXPLAINED)
            )
            is_link = tag == "a" and "data-explain" in attributes
            leads_on = tag == "a" and bool(LEADS_ON.match(attributes.get("href") or ""))
            self.stack.append(
                {"tag": tag, "opens": is_link, "text": [], "silent": silent or leads_on}
            )

    @staticmethod
    def _is_row(attributes) -> bool:
        return bool(re.match(r"/finance/transactions/\d+", attributes.get("href") or ""))

    def handle_data(self, data):
        super().handle_data(data)
        if not any(each["silent"] for each in self.stack):
            around = [each for each in self.stack if each["tag"] in BLOCKS]
            rows = [each for each in around if each["tag"] in ROWS]
            if around:
                (rows or around)[-1]["text"].append(data)
            elif MONEY.search(data) and not any(each["opens"] for each in self.stack):
                self.found.append(data.strip())

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        while self.stack:
            closed = self.stack.pop()
            text = "".join(closed["text"])
            if not closed["opens"] and MONEY.search(text):
                self.found.append(" ".join(text.split()))
            if closed["tag"] == tag:
                break
