"""The buttons. Each writes a pull, which ringing the queue commits, and shows the pull's panel.

With HTMX the answer is the panel; a plain form is sent back to the dashboard, where it stands too.
"""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug import Response

from plaidapp.auth.access import owned_or_404, person
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx, notice, retarget
from plaidapp.jobs import queue
from plaidapp.store import Pull
from plaidapp.store.base import encryption
from plaidapp.store.connections import items, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls, transitions
from plaidapp.store.transactions import reader

from ..blueprint import blueprint
from ..forms import ConnectTestBankForm, PublicTokenForm, RangeForm
from ..views import render_dashboard, render_pull

Answer = str | Response | tuple[str, int]
NO_BANK = lazy_gettext("Connect a bank first: there is nothing to ask yet.")
REPLACED = lazy_gettext("You connected this bank again. Sync the newer connection.")
NO_TEST_BANKS = lazy_gettext("Test banks are there in Plaid's Sandbox only.")


@blueprint.post("/items/sandbox")
def connect_test_bank() -> Answer:
    if current_app.config["PLAIDAPP"].plaid_env != "sandbox":
        return _refuse(str(NO_TEST_BANKS))
    form = ConnectTestBankForm(request.form)
    if not form.validate():
        if is_htmx():
            html = render_template("finance/connections/_connect_form.html", connect_form=form)
            return retarget(html, "#connect-form", 422)
        return render_dashboard(person().id, connect_form=form), 422
    sealed = None
    if form.override_username.data:
        sealed = _seal(
            username=form.override_username.data, password=form.override_password.data or ""
        )
    pull = _begin(pulls.LINK, institution_id=form.institution_id.data, sealed=sealed)
    return _show(pull, connect_form=ConnectTestBankForm(formdata=None))


@blueprint.post("/items")
def connect_bank() -> Answer:
    form = PublicTokenForm(request.form)
    if not form.validate():
        return _refuse(form.errors["public_token"][0])
    pull = _begin(pulls.LINK, sealed=_seal(public_token=form.public_token.data))
    return _show(pull)


def _seal(**values: str) -> bytes:
    return encryption.seal(current_app.extensions["cipher"], values)


@blueprint.post("/pulls/accounts")
def get_accounts() -> Answer:
    connected = items.of_user(person().id)
    if not connected:
        return _refuse(str(NO_BANK))
    return _show(_begin(pulls.ACCOUNTS, items=connected))


@blueprint.post("/pulls/transactions")
def get_transactions() -> Answer:
    return _begin_range(pulls.TRANSACTIONS)


@blueprint.post("/pulls/total")
def get_total() -> Answer:
    return _begin_range(pulls.TOTAL)


@blueprint.post("/items/<int:item_id>/sync")
def sync_item(item_id: int) -> Answer:
    item = owned_or_404(items.owned, item_id)
    if item.state == items.REPLACED:
        return _refuse(str(REPLACED))
    sync_progress.request_sync([item.id])
    return _show(_begin(pulls.TRANSACTIONS, items=[item]))


@blueprint.post("/pulls/<int:pull_id>/retry")
def try_again(pull_id: int) -> Answer:
    pull = owned_or_404(pulls.owned, pull_id)
    if transitions.queue_again(pull.id):
        queue.ring(pull)
        db.session.refresh(pull)  # it was changed in SQL alone
    return _show(pull)


@blueprint.post("/pulls/<int:pull_id>/dismiss")
def dismiss(pull_id: int) -> Answer:
    """Its panel goes, here and on every open page; one that is tried again meanwhile stays."""
    pull = owned_or_404(pulls.owned, pull_id)
    if transitions.dismiss(pull.id):
        users.ledger_changed(pull.user_id)
        db.session.commit()
        db.session.refresh(pull)  # it was changed in SQL alone
    if pull.state != pulls.DISMISSED:
        return _show(pull)
    return "" if is_htmx() else redirect(url_for("finance.dashboard", _anchor="activity"))


def _begin_range(kind: str) -> Answer:
    form = RangeForm(reader.first_date(person().id), formdata=request.form)
    if not form.validate():
        if is_htmx():
            html = render_template("finance/pulls/_range_form.html", range_form=form)
            return retarget(html, "#range-form", 422)
        return render_dashboard(person().id, range_form=form), 422
    connected = items.of_user(person().id)
    if not connected:
        return _refuse(str(NO_BANK))
    sync_progress.request_sync([item.id for item in connected])
    days = {"start_date": form.start_date.data, "end_date": form.end_date.data}
    return _show(_begin(kind, items=connected, **days), range_form=form)


def _begin(kind: str, **fields: Any) -> Pull:
    pull = pulls.add(person().id, kind, **fields)
    queue.ring(pull)
    return pull


def _show(pull: Pull, **forms: FlaskForm) -> Answer:
    """The pull's panel, and with HTMX the form it came from, without what was wrong before."""
    if is_htmx():
        return render_pull(pull) + render_template("finance/pulls/_accepted.html", **forms)
    return redirect(url_for("finance.dashboard", _anchor=f"pull-{pull.id}"))


def _refuse(sentence: str) -> Answer:
    """Nothing was begun."""
    if is_htmx():
        return notice(sentence, 422)
    flash(sentence)
    return render_dashboard(person().id), 422
