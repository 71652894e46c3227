"""Say that two accounts are the same one, or different ones, and separate them again.

The page of an account offers the others that it may be. What a bank and the transactions leave
open is also asked on the page of all connections.
"""

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response

from plaidapp import htmx
from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.extensions import db
from plaidapp.jobs.connections import same_accounts
from plaidapp.store import Account
from plaidapp.store.connections import account_questions, accounts, former_accounts
from plaidapp.store.connections import merged_accounts as merged
from plaidapp.store.people import users

from ..base.blueprint import blueprint
from . import account_comparison
from .connection_pages import connections

Answer = str | Response | tuple[str | Response, int]
MOST_OFFERED = 50
"""Other accounts that the page of an account offers, those that look most like it first."""


@blueprint.get("/accounts/<int:account_id>/same")
def same_account_page(account_id: int) -> str:
    """Both accounts side by side if `other` is the id of another one; otherwise the choice."""
    account = _account(account_id)
    chosen = request.args.get("other", type=int)
    pairs = [] if chosen is None else [(account, _account(chosen))]
    return render_template(
        "finance/connections/same_account.html",
        account=account,
        comparisons=account_comparison.of_pairs(pairs),
        offered=[] if pairs else _offered(account),
        is_merged=bool(former_accounts.of_account(account.id)),
    )


def _offered(account: Account) -> Sequence[Account]:
    """Return open accounts of the same type at other connections, the most alike first."""
    others = [
        other
        for other in accounts.of_user(person().id)
        if other.closed_at is None
        and other.type == account.type
        and other.item_id != account.item_id
    ]
    others.sort(
        key=lambda other: (other.mask != account.mask, other.name != account.name, other.id)
    )
    return others[:MOST_OFFERED]


@blueprint.post("/accounts/<int:account_id>/same")
def same_account(account_id: int) -> Answer:
    account, other = _both(account_id)
    if other is None or account.id == other.id:
        return _refuse(_("Choose two accounts."))
    if not same_accounts.may_merge(account, other):
        return _refuse(_("One connection lists both accounts, so they are different."))
    same_accounts.merge(account, other)
    return _done(_("They are one account now. You can separate them on the connection’s page."))


@blueprint.post("/accounts/<int:account_id>/different")
def different_accounts(account_id: int) -> Answer:
    account, other = _both(account_id)
    if other is None or account.id == other.id:
        return _refuse(_("Choose two accounts."))
    account_questions.note_different(person().id, (account.id, other.id))
    users.ledger_changed(person().id)
    return _done(_("They stay two accounts."))


@blueprint.post("/accounts/<int:account_id>/separate")
def separate_account(account_id: int) -> Answer:
    users.lock_ledger(person().id)
    if same_accounts.separate(_account(account_id)) is None:
        return _refuse(_("This account was never merged with another one."))
    return _done(_("They are two accounts again."))


def _both(account_id: int) -> tuple[Account, Account | None]:
    """Return the account and the one that the form names as `other`, if it names any."""
    users.lock_ledger(person().id)
    other = request.form.get("other", type=int)
    return _account(account_id), None if other is None else _account(other)


def _account(account_id: int) -> Account:
    return owned_or_404(merged.owned, account_id, LARGEST_BIG_ID)


def _done(sentence: str) -> Answer:
    db.session.commit()
    flash(sentence)
    page = url_for("finance.connections")
    return htmx.redirect(page) if htmx.is_htmx() else redirect(page)


def _refuse(sentence: str) -> Answer:
    db.session.rollback()
    if htmx.is_htmx():
        return htmx.notice(sentence, 422)
    flash(sentence)
    return connections(), 422
