"""Logos: a sync notes them, the clock's thread fetches them once, and everybody shares them."""

import json
from dataclasses import replace

import pytest

from plaidapp import policy
from plaidapp.bank.logo_hosts import LogoError
from plaidapp.extensions import db
from plaidapp.jobs.identity import logo_fetcher
from plaidapp.store import BankLogo, MerchantLogo
from plaidapp.store.base.types import now
from plaidapp.store.identity import logos
from sandbox.merchants import NETFLIX
from tests.jobs.identity.test_small_picture import SVG, file_of

HOST = "https://plaid-merchant-logos.plaid.com"
LOGO = f"{HOST}/netflix_1.png"


class Host:
    """Plaid's host of logos, as far as the app sees it: a pool of connections to it."""

    def __init__(self):
        self.asked, self.body, self.status = [], file_of("PNG"), 200

    def request(self, method, url, **_):
        self.asked.append(url)
        return self

    @property
    def data(self):
        return self.body


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def fetch(context, host):
    def once():
        logo_fetcher.fetch_due(host)
        db.session.remove()

    return once


def want(**urls):
    logos.want(None, urls)
    db.session.commit()


def merchant(name="Netflix"):
    db.session.rollback()
    return db.session.get(MerchantLogo, name, populate_existing=True)


def test_a_sync_notes_the_logos_of_merchants_and_of_the_bank(
    context, alice, connect, today, monkeypatch
):
    known = replace(NETFLIX, logo_url=LOGO)
    monkeypatch.setattr("sandbox.custom_users.from_description", _with(known))
    day = str(today)
    move = {"date_transacted": day, "date_posted": day, "currency": "USD", "amount": 9}
    moves = [move | {"description": text} for text in ("NETFLIX.COM", "A SHOP", "NETFLIX.COM")]
    account = {"type": "depository", "subtype": "checking", "transactions": moves}
    user = {"override_accounts": [account]}
    connect(alice, override_username="user_custom", override_password=json.dumps(user))

    assert [(row.name, row.url) for row in db.session.query(MerchantLogo)] == [("Netflix", LOGO)]
    assert [row.institution_id for row in db.session.query(BankLogo)] == ["ins_109508"]


def _with(known):
    from sandbox.bank_records import from_description

    def make(*args, **options):
        row = from_description(*args, **options)
        return replace(row, merchant=known) if row.merchant else row

    return make


def test_a_logo_is_fetched_once_for_everybody(fetch, host):
    want(Netflix=LOGO)
    fetch()
    want(Netflix=LOGO, Hulu=f"{HOST}/hulu.png")
    fetch()
    fetch()

    assert host.asked == [LOGO, f"{HOST}/hulu.png"]
    assert logos.picture_at(merchant().address).startswith(b"RIFF")
    assert merchant().address != merchant("Hulu").address
    assert logos.picture_at("unknown") is None


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (302, b""), (200, b"<html>"), (200, SVG), (200, b"")]
)
def test_what_is_no_picture_is_asked_for_later_and_not_forever(
    fetch, host, pass_time, status, body
):
    host.status, host.body = status, body
    want(Netflix=LOGO)
    fetch()
    want(Netflix=LOGO)
    fetch()
    assert len(host.asked) == 1
    assert merchant().look_at > now()

    for tries in range(1, policy.LOGO_TRIES):
        pass_time(seconds=policy.logo_delay(tries).total_seconds())
        fetch()
        fetch()
    assert len(host.asked) == policy.LOGO_TRIES

    pass_time(days=100)
    want(Netflix=LOGO)
    fetch()
    assert len(host.asked) == policy.LOGO_TRIES
    assert merchant().address is None

    host.status, host.body = 200, file_of("PNG")
    want(Netflix=f"{HOST}/netflix_2.png")
    fetch()
    assert merchant().address


def test_an_address_that_is_not_plaids_is_never_asked(fetch, host):
    want(Netflix="https://example.com/a.png", Hulu="http://169.254.169.254/latest/meta-data")
    fetch()

    assert host.asked == []
    assert merchant().tries == 1


def test_while_the_host_is_away_one_logo_is_tried_at_a_time(fetch, context):
    want(**{f"Shop {number}": LOGO for number in range(5)})
    from plaidapp.bank import logo_hosts

    with pytest.raises(LogoError):
        logo_hosts.fetch(LOGO, Away())
    logo_fetcher.fetch_due(Away())

    assert sorted(row.tries for row in db.session.query(MerchantLogo)) == [0, 0, 0, 0, 1]


class Away:
    def request(self, *_args, **_options):
        from urllib3.exceptions import NewConnectionError

        raise NewConnectionError(None, "no route")


def test_two_clocks_ask_once(fetch):
    want(Netflix=LOGO)

    assert logos.claim(MerchantLogo, "Netflix").url == LOGO
    assert logos.claim(MerchantLogo, "Netflix") is None


def test_a_bank_has_its_logo_and_its_color(fetch, bank_server):
    logos.want("ins_109511", {})
    logos.want("ins_3", {})  # no test bank: it has a color alone
    logos.want("ins_unknown", {})
    db.session.commit()
    fetch()

    def bank(key):
        return db.session.get(BankLogo, key)

    assert logos.picture_at(bank("ins_109511").address).startswith(b"RIFF")
    assert bank("ins_109511").color == "#14532d"
    assert (bank("ins_3").address, bank("ins_3").color) == (None, "#095aa6")
    assert bank("ins_3").look_at is None
    assert bank("ins_unknown").look_at > now()
