"""The buttons that begin a pull. Each stores the pull, rings the queue and shows the pull's panel.

HTMX gets the panel. A plain form is redirected to the dashboard, which shows the panel too.
"""

from collections.abc import Sequence

from flask import current_app, flash, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug import Response

from plaidapp import body_limits, policy
from plaidapp.auth.access import owned_or_404, person
from plaidapp.days import inline_moment
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx, notice, retarget
from plaidapp.jobs import queue
from plaidapp.jobs.press import TooOftenError, press
from plaidapp.store import Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, refreshes
from plaidapp.store.connections.refreshes import Offer
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, parameters, pulls
from plaidapp.store.transactions import reader
from plaidapp.texts import gettext_noop

from ..base.blueprint import blueprint
from ..connections.connect_forms import ConnectTestBankForm
from ..pulls import pull_view, too_often
from ..pulls.range_form import RangeForm
from . import content

Answer = str | Response | tuple[str, int]
NO_BANK = lazy_gettext("Connect a bank first.")
REPLACED = lazy_gettext("You connected this bank again. Use the newer connection instead.")
ASK_AGAIN = gettext_noop("You can ask the bank again %(when)s.")
NOT_ON_DEMAND = lazy_gettext("This bank can’t be asked for new transactions right now.")
DISCONNECTED = lazy_gettext("You disconnected this bank. Connect it again to update its accounts.")
NEEDS_LOG_IN = lazy_gettext("Log in again first: until then this bank can’t be asked.")
NO_TEST_BANKS = lazy_gettext("Test banks are available only in Plaid’s sandbox.")


@blueprint.post("/items/sandbox")
@body_limits.allow(policy.MAX_BODY)
def connect_test_bank() -> Answer:
    if current_app.config["PLAIDAPP"].plaid_env != "sandbox":
        return _refuse(str(NO_TEST_BANKS))
    form = ConnectTestBankForm(request.form)
    if not form.validate():
        if is_htmx():
            html = render_template("finance/connections/_connect_form.html", connect_form=form)
            return retarget(html, "#connect-form", 422)
        return content.render_page(person().id, connect_form=form), 422
    sealed = None
    if form.override_username.data:
        user, password = form.override_username.data, form.override_password.data or ""
        cipher = current_app.extensions["cipher"]
        values = {"username": user, "password": password}
        sealed = parameters.seal(cipher, person().id, form.institution_id.data, values)
    pull = pulls.add(
        person().id, kinds.LINK, institution_id=form.institution_id.data, sealed=sealed
    )
    queue.ring(pull)  # commits
    return pull_view.answer(pull, connect_form=ConnectTestBankForm())


@blueprint.post("/pulls/sync")
def sync_everything() -> Answer:
    return _press_all(kinds.TRANSACTIONS)


@blueprint.post("/pulls/accounts")
def get_accounts() -> Answer:
    return _press_all(kinds.ACCOUNTS)


@blueprint.post("/pulls/transactions")
def get_transactions() -> Answer:
    return _begin_range(kinds.TRANSACTIONS)


@blueprint.post("/pulls/total")
def get_total() -> Answer:
    return _begin_range(kinds.TOTAL)


@blueprint.post("/items/<int:item_id>/sync")
def sync_item(item_id: int) -> Answer:
    return _press_of_item(kinds.TRANSACTIONS, item_id)


@blueprint.post("/items/<int:item_id>/check")
def check_item(item_id: int) -> Answer:
    """Compare what is stored with the bank, row by row."""
    return _compare(kinds.CHECK, item_id)


@blueprint.post("/items/<int:item_id>/repair")
def repair_item(item_id: int) -> Answer:
    """Read everything again; the person's edits stay."""
    return _compare(kinds.REPAIR, item_id)


@blueprint.post("/items/<int:item_id>/refresh")
def ask_bank(item_id: int) -> Answer:
    """Have Plaid look for new transactions at the bank, once in policy.REFRESH_INTERVAL."""
    item = owned_or_404(items.owned, item_id)
    offer = refreshes.offer(item)
    users.lock_clicks(item.user_id)  # before the Item, as everywhere
    if offer is Offer.NOW and refreshes.claim(item.id):
        return _press(kinds.REFRESH, [item])
    if offer in (Offer.IMPOSSIBLE, Offer.REFUSED):
        return _refuse(str(NOT_ON_DEMAND))
    db.session.refresh(item)  # another click may have come first
    after = item.refresh_after or now()
    return too_often.until(after, _refuse(gettext(ASK_AGAIN, when=inline_moment(after)), 429))


def _begin_range(kind: str) -> Answer:
    form = RangeForm(reader.first_date(person().id), formdata=request.form)
    if not form.validate():
        if is_htmx():
            html = render_template("finance/pulls/_range_form.html", range_form=form)
            return retarget(html, "#range-form", 422)
        return content.render_page(person().id, range_form=form), 422
    connected = items.connected(person().id)
    if not connected:
        return _refuse(str(NO_BANK))
    days = {"start_date": form.start_date.data, "end_date": form.end_date.data}
    pull = press(person().id, kind, connected, **days)
    return pull_view.answer(pull, range_form=form)


def _press_of_item(kind: str, item_id: int) -> Answer:
    item = owned_or_404(items.owned, item_id)
    if item.state in item_states.ENDED:
        return _refuse(str(REPLACED if item.state == item_states.REPLACED else DISCONNECTED))
    return _press(kind, [item])


def _compare(kind: str, item_id: int) -> Answer:
    """Pages offer it only where the bank can be asked."""
    state = owned_or_404(items.owned, item_id).state
    if state in item_states.NOT_SYNCED and state not in item_states.ENDED:
        return _refuse(str(NEEDS_LOG_IN))
    return _press_of_item(kind, item_id)


def _press_all(kind: str) -> Answer:
    connected = items.connected(person().id)
    return _press(kind, connected) if connected else _refuse(str(NO_BANK))


def _press(kind: str, items: Sequence[Item]) -> Answer:
    try:
        return pull_view.answer(press(person().id, kind, items))
    except TooOftenError as limit:
        refusal = _refuse(too_often.sentence(kind, limit.until), 429)
        return too_often.until(limit.until, refusal)


def _refuse(sentence: str, status: int = 422) -> Answer:
    """Say why no pull was begun."""
    if is_htmx():
        return notice(sentence, status)
    flash(sentence)
    return content.render_page(person().id), status
