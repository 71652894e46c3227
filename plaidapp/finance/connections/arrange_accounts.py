"""The page that arranges accounts, and its actions: rename, hide, show, and move up or down.

The page of a connection has the same actions for its accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from werkzeug import Response
from wtforms import Field, StringField, ValidationError

from plaidapp.auth.access import LARGEST_BIG_ID, id_in_form, owned_or_404, person
from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.htmx import is_htmx, notice
from plaidapp.name_case import in_normal_case
from plaidapp.store import Account
from plaidapp.store.connections import accounts, arranged_accounts, former_accounts
from plaidapp.store.connections import merged_accounts as merged
from plaidapp.store.people import users

from ..base.account_kinds import KINDS, kind_of
from ..base.blueprint import blueprint
from ..base.ledger_polls import nothing_new

Answer = str | Response | tuple[str, int]
LONGEST_NAME = 100  # characters


class NameForm(TextForm):
    """An empty name brings the bank's name back."""

    name = StringField()

    def validate_name(self, field: Field) -> None:
        field.data = (field.data or "").strip()
        if len(field.data) > LONGEST_NAME:
            raise ValidationError(
                _("A name can have at most %(most)s characters.", most=LONGEST_NAME)
            )
        if not field.data.isprintable():
            raise ValidationError(_("A name is one line of text."))


@dataclass(frozen=True)
class Kind:
    """The accounts of a kind that are open and shown, in the person's order."""

    title: LazyString
    accounts: Sequence[Account]


@blueprint.get("/accounts")
def arrange_accounts() -> str | Response:
    """The page; for HTMX the part that changes, or 204 if nothing changed since `revision`."""
    if is_htmx() and (answer := nothing_new(person().ledger_version)):
        return answer
    theirs = [row for row in accounts.of_user(person().id) if row.closed_at is None]
    shown = [row for row in theirs if not row.is_hidden]
    kinds = [
        Kind(title, [row for row in shown if kind_of(row) == key]) for key, title, _types in KINDS
    ]
    template = "_arrange.html" if is_htmx() else "arrange.html"
    return render_template(
        f"finance/connections/{template}",
        kinds=[kind for kind in kinds if kind.accounts],
        hidden=[row for row in theirs if row.is_hidden],
        mergeable=merged.mergeable(person().id),
        separable=former_accounts.separable(person().id),
    )


@blueprint.post("/accounts/<int:account_id>/rename")
def rename_account(account_id: int) -> Answer:
    account, form = _account(account_id), NameForm(request.form)
    if not form.validate():
        return _answer(account, form.errors["name"][0], 422)
    name = form.name.data
    of_bank = {"", account.name, in_normal_case(account.name)}
    arranged_accounts.rename(account, None if name in of_bank else name)
    if account.nickname:
        return _answer(account, _("This account is now called %(name)s.", name=account.title))
    return _answer(account, _("This account has its bank’s name: %(name)s.", name=account.title))


@blueprint.post("/accounts/<int:account_id>/hide")
def hide_account(account_id: int) -> Answer:
    account = _account(account_id)
    arranged_accounts.hide(account, hidden=True)
    if request.form.get("page") == "account":  # which says what that means
        return _answer(account, _("%(name)s is hidden.", name=account.title))
    sentence = _("%(name)s is hidden: lists and totals leave it out.", name=account.title)
    return _answer(account, sentence)


@blueprint.post("/accounts/<int:account_id>/show")
def show_account(account_id: int) -> Answer:
    account = _account(account_id)
    arranged_accounts.hide(account, hidden=False)
    return _answer(account, _("%(name)s is shown again.", name=account.title))


@blueprint.post("/accounts/<int:account_id>/move")
def move_account(account_id: int) -> Answer:
    """Put it `before` or `after` the account with this id: its neighbor in the list.

    The first and the last of a list name no neighbor.
    """
    account = _account(account_id)
    after = "after" in request.form
    neighbor = id_in_form("after" if after else "before", LARGEST_BIG_ID)
    if neighbor is None:
        place = _("It is the last one already.") if after else _("It is the first one already.")
        return _answer(account, place)
    other = owned_or_404(merged.owned, neighbor, LARGEST_BIG_ID)
    if other.id == account.id:
        return _answer(account, _("Choose two accounts."), 422)
    arranged_accounts.move(account, other, after=after)
    names = {"name": account.title, "other": other.title}
    moved = _("%(name)s comes after %(other)s now.", **names)
    return _answer(account, moved if after else _("%(name)s comes before %(other)s now.", **names))


def neighbors(account: Account) -> tuple[Account | None, Account | None]:
    """Return what comes before and after the account in the list of its kind, for `move_account`.

    A hidden or closed account is in no list.
    """
    of_kind = [
        row
        for row in accounts.of_user(account.user_id)
        if row.closed_at is None and not row.is_hidden and kind_of(row) == kind_of(account)
    ]
    if account not in of_kind:
        return None, None
    place = of_kind.index(account)
    return next(reversed(of_kind[:place]), None), next(iter(of_kind[place + 1 :]), None)


def _account(account_id: int) -> Account:
    users.lock_ledger(person().id)
    return owned_or_404(merged.owned, account_id, LARGEST_BIG_ID)


def _answer(account: Account, sentence: str, status: int = 200) -> Answer:
    """Say what happened. A plain form goes back to its page, where the account is open."""
    if status == 200:
        db.session.commit()
    if is_htmx():
        answer = notice(sentence, status)
        answer.headers["HX-Trigger"] = "ledger-changed"
        return answer
    flash(sentence)
    if status != 200:
        return arrange_accounts(), status  # type: ignore[return-value]
    anchor = f"account-{account.id}"
    if request.form.get("page") == "account":
        page = url_for("finance.account", account_id=account.id)
    elif request.form.get("page") == "item":
        page = url_for("finance.item", item_id=account.item_id, open=account.id, _anchor=anchor)
    else:
        page = url_for("finance.arrange_accounts", open=account.id, _anchor=anchor)
    return redirect(page)
