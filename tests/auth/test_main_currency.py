"""Choosing the currency that the overview begins with."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, User
from tests.pages import Page

PATH = "/finance/main-currency"


@pytest.fixture
def euro(app, connected):
    """One of the person's two accounts is in euros, the other in dollars."""
    with app.app_context():
        account = db.session.scalars(db.select(Account).order_by(Account.id.desc())).first()
        account.iso_currency_code = "EUR"
        db.session.commit()
    return connected


@pytest.fixture
def chosen(ask):
    def read(person):
        return next(user.main_currency for user in ask(User) if user.id == person.id)

    return read


def figure(person):
    return Page(person.client.get("/finance/").text).find(**{"class": "figure"})[1]


def test_who_has_one_currency_has_nothing_to_choose(connected):
    assert not Page(connected.client.get("/auth/account").text).has(id="main-currency")


@pytest.mark.both_databases
def test_the_chosen_currency_leads(euro, charlie, chosen):
    page = Page(euro.client.get("/auth/account").text)
    assert "US Dollar" in page.find(id="currency")[1]
    for currency, sign in (("EUR", "€"), ("USD", "$"), ("EUR", "€")):
        answer = euro.client.post(PATH, data={"main_currency": currency})
        assert (answer.status_code, answer.location) == (302, "/auth/account#preferences")
        assert sign in figure(euro)
    answer = euro.htmx("POST", PATH, data={"main_currency": ""})
    assert answer.headers["HX-Trigger"] == "ledger-changed"
    assert "now begins with the currency of the most accounts" in answer.text
    assert (chosen(euro), chosen(charlie)) == (None, None)


@pytest.mark.parametrize("sent", ["GBP", "eur", "\0"])
def test_another_value_is_refused_and_changes_nothing(euro, dump, sent):
    euro.client.post(PATH, data={"main_currency": "EUR"})
    before = dump()
    for answer in (
        euro.client.post(PATH, data={"main_currency": sent}),
        euro.htmx("POST", PATH, data={"main_currency": sent}),
    ):
        assert answer.status_code == 422
        assert Page(answer.text).beside("main_currency").startswith("Choose one from the list.")
    assert dump() == before
