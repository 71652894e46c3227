"""Connect a bank, or log in to one again: to Plaid's Hosted Link and back.

No address or token of Plaid's is in a page: a small form goes to our own address, which redirects.
https://plaid.com/docs/link/hosted-link/
"""

from urllib.parse import urlsplit

from flask import current_app, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp import policy
from plaidapp.auth.access import id_in_form, owned_or_404, person
from plaidapp.bank.client import Bank
from plaidapp.bank.error_sentences import UNREADABLE_TOKEN
from plaidapp.bank.errors import BankError
from plaidapp.extensions import allow_writes, db
from plaidapp.htmx import is_htmx, notice, redirect
from plaidapp.jobs import queue
from plaidapp.jobs.connections import connect_results, link_looks, update_mode
from plaidapp.store import Item, LinkSession, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, item_states, items, link_results, link_sessions
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, link_pulls, pulls

from ..base import standing_lines
from ..base.blueprint import blueprint
from ..pulls import pull_view
from . import connection_pages

Answer = str | Response | tuple[str, int]


@blueprint.post("/connections")
def connect_bank() -> Answer:
    """Begin a session of Link for a new connection and send the browser there."""
    return _begin(link_sessions.CONNECT)


@blueprint.post("/items/<int:item_id>/reconnect")
def reconnect(item_id: int) -> Answer:
    """Have the person log in again, or choose other accounts, at a bank they have."""
    item = owned_or_404(items.owned, item_id)
    if item.state in item_states.ENDED or not item.access_token:
        return _refuse(gettext("This connection has ended. Connect the bank again."), 422)
    chooses = standing_lines.line(item).button != standing_lines.LOG_IN
    if chooses or accounts.any_missing(item.id):
        return _begin(link_sessions.CHOOSE_ACCOUNTS, item)
    return _begin(link_sessions.REPAIR, item)


def _begin(purpose: str, item: Item | None = None) -> Answer:
    """Make the link, with no transaction open, then the pull that follows it."""
    session = link_sessions.add(person().id, purpose, item.id if item else None)
    opaque_id = users.opaque_id_of(person())
    db.session.commit()
    try:
        link = _bank().create_link(
            person().id,
            opaque_id,
            completion_url(session.id),
            item.token if item else None,
            choose_accounts=purpose == link_sessions.CHOOSE_ACCOUNTS,
        )
    except BankError as error:
        db.session.delete(session)
        db.session.commit()
        if item:
            update_mode.note_refusal(item.id, error)
        if error.code == UNREADABLE_TOKEN:  # a new connection takes over all rows
            return _begin(link_sessions.CONNECT)
        return _refuse(error.message, 503 if error.retryable else 502)
    kind, its_items = (kinds.RECONNECT, [item]) if item else (kinds.CONNECT, [])
    link_pulls.dismiss_earlier(person().id, kind, its_items)  # of a link that nobody finished
    pull = pulls.add(
        person().id,
        kind,
        its_items,
        run_after=now() + policy.LINK_LOOK_INTERVAL,  # the clock rings for it
    )
    link_sessions.change(
        session.id,
        pull_id=pull.id,
        look_after=link_sessions.look_later(),
        **link._asdict(),
    )
    users.ledger_changed(person().id)
    db.session.refresh(session)  # an UPDATE changed it behind the session's back
    db.session.commit()
    return _to_plaid(session)


def completion_url(session_id: int) -> str:
    """Return where Plaid sends the browser back to: the host that the person is on.

    So the return is logged in. Behind a proxy, PUBLIC_URL knows whether that is https.
    """
    path = url_for("finance.link_session", session_id=session_id)
    public = current_app.config["PLAIDAPP"].public_url
    if public and urlsplit(public).netloc == request.host:
        return f"{public}{path}"
    return f"{request.scheme}://{request.host}{path}"


@blueprint.post("/connections/<int:session_id>/continue")
def continue_at_plaid(session_id: int) -> Answer:
    """Send the browser to Plaid again, because the tab was lost."""
    session = owned_or_404(link_sessions.owned, session_id)
    if not (session.is_open and _bank().can_read(session.address)):
        return _refuse(gettext("This link to Plaid has expired. Connect the bank again."), 422)
    return _to_plaid(session)


@blueprint.get("/connections/<int:session_id>")
def link_session(session_id: int) -> Answer:
    """Plaid sends the browser here: ring for the pull that follows the session, and show it.

    With `shown`, the page reloads itself: that is no return from Plaid.
    """
    session = owned_or_404(link_sessions.owned, session_id)
    if session.sealed_token is not None and "shown" not in request.args:
        _ring(session)
    view = pull_view.view_of(owned_or_404(pulls.owned, session.pull_id or 0))
    return render_template(
        "finance/connections/link_session.html", view=view, purpose=session.purpose
    )


def _ring(session: LinkSession) -> None:
    """Have the session looked at now. A pull that is over starts again: another tab may have
    finished."""
    allow_writes()
    link_sessions.note_return(session.id)
    starts_again = link_pulls.revive(session.pull_id or 0)
    pull = link_looks.request(session, pulls.CLOCK)
    if starts_again:
        pull = db.session.get_one(Pull, session.pull_id)
    if pull:
        queue.ring(pull)
    db.session.commit()


@blueprint.post("/connections/<int:session_id>/separate")
def connect_separately(session_id: int) -> Answer:
    """Exchange what looked like a connection that the person has: it is another log-in.

    `result` names one connection if the session has several. A second press changes nothing.
    """
    session = owned_or_404(link_sessions.owned, session_id)
    pull = owned_or_404(pulls.owned, session.pull_id or 0)
    result_id = id_in_form("result")
    if not connect_results.approve(session, result_id):
        if link_results.is_held(session.id, result_id):
            sentence = gettext("This can’t be connected anymore. Connect the bank again.")
        else:
            sentence = gettext("This is decided already.")
        return _refuse(sentence, 422)
    queue.ring(pull)
    db.session.refresh(pull)  # an UPDATE changed it behind the session's back
    return pull_view.answer(pull)


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def _to_plaid(session: LinkSession) -> Response:
    """Only a header has the address; Flask's own redirect would repeat it in a page."""
    address = _bank().address_of(session.address)
    return redirect(address) if is_htmx() else Response(status=303, headers={"Location": address})


def _refuse(sentence: str, status: int) -> Answer:
    if is_htmx():
        return notice(sentence, status)
    flash(sentence)
    return connection_pages.render_page(), status
