"""Logos come from our own database, and a browser keeps them."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import BankLogo, MerchantLogo, Transaction
from plaidapp.store.identity import logos
from tests.pages import Page


@pytest.fixture
def addresses(app, connected):
    """Alice's bank and the merchant of one of her rows have a logo."""
    with app.app_context():
        row = db.session.query(Transaction).filter_by(name="Pay").one()
        row.merchant_name = "Northwind"
        logos.want("ins_109508", {"Northwind": "https://plaid-merchant-logos.plaid.com/a.png"})
        db.session.flush()
        kept = db.session.get(MerchantLogo, "Northwind"), db.session.get(BankLogo, "ins_109508")
        for logo in kept:
            logos.store(logo, b"RIFF a picture")
        db.session.commit()
        db.session.expire_all()
        return [f"/finance/logos/{logo.address}" for logo in kept]


def test_pages_show_the_logo_of_a_merchant_and_of_a_bank(connected, addresses, subtests):
    merchant, bank = addresses
    pages = {"/finance/": merchant, "/finance/transactions": merchant, "/finance/items": bank}
    pages |= {"/finance/items/1": bank, "/finance/find?q=pay": merchant}
    pages |= {"/finance/find?q=platypus": bank}
    for path, address in pages.items():
        with subtests.test(path=path):
            picture, _ = Page(connected.client.get(path).text).find(src=address)
            assert (picture["alt"], picture["loading"]) == ("", "lazy")
            assert picture["width"] == picture["height"]


def test_a_browser_keeps_a_logo_and_a_proxy_does_not(connected, addresses):
    for address in addresses:
        answer = connected.client.get(address)
        assert answer.data == b"RIFF a picture"
        assert answer.mimetype == "image/webp"
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers


def test_only_people_who_are_logged_in_see_logos(client, connected, addresses):
    assert client.get(addresses[0]).location.startswith("/auth/login")


@pytest.mark.parametrize("address", ["x", "1", "0", "a" * 5000, "%00", "..%2f"])
def test_an_address_can_not_be_guessed(alice, address):
    assert alice.client.get(f"/finance/logos/{address}").status_code == 404
