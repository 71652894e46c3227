"""Writing on transactions: one, many at once, and taking it back.

With HTMX the answer is the rows as they are now, the totals, and a notice that undoes; a plain form
is sent back to where it came from, where the notice stands.
"""

from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug import Response

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.extensions import db
from plaidapp.formats import number
from plaidapp.htmx import is_htmx, notice, retarget
from plaidapp.store.people import users
from plaidapp.store.transactions import edits, reader, transactions
from plaidapp.store.transactions.edits import Applied, TooManyRowsError

from ..blueprint import blueprint
from . import listing
from .edit_forms import BulkForm, EditForm
from .explorer import detail_of
from .filter_urls import address
from .listing import Listing

Answer = str | Response | tuple[str, int]
REDRAWN = 200
"""Rows that are each put in their place; after a larger edit the list is drawn anew."""


@blueprint.post("/transactions/<int:transaction_id>")
def edit_transaction(transaction_id: int) -> Answer:
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    found = _listing()
    form = EditForm(row.own_category)
    if not form.validate():
        shown = detail_of(row, found, form)
        if is_htmx():
            html = render_template("finance/transactions/_edit_form.html", **shown)
            return retarget(html, f"#edit-{row.id}", 422)
        return render_template("finance/transactions/transaction.html", **shown), 422
    applied = edits.apply(person().id, edits.of_ids(person().id, [row.id]), form.change())
    db.session.commit()
    back = address(found.query, "finance.transaction", transaction_id=row.id)
    return _answer(found, applied, [row.id], back)


@blueprint.post("/transactions/edit")
def edit_transactions() -> Answer:
    found = _listing()
    form = BulkForm()
    if not form.validate():
        return _refuse(form.complaint, found)
    user_id = person().id
    every = bool(form.all.data)
    conditions = found.wanted.conditions() if every else edits.of_ids(user_id, form.ids)
    try:
        applied = edits.apply(user_id, conditions, form.change())
    except TooManyRowsError:
        db.session.rollback()
        most = number(edits.MOST_ROWS)
        return _refuse(
            _("That is more than %(most)s at once. Narrow the filter.", most=most), found
        )
    db.session.commit()
    return _answer(found, applied, None if every else form.ids, address(found.query))


@blueprint.post("/edits/<int:edit_id>/undo")
def undo(edit_id: int) -> Answer:
    edit = owned_or_404(edits.owned, edit_id, LARGEST_BIG_ID)
    found = _listing()
    ids = edits.ids_of(edit, REDRAWN)
    undone = edits.undo(edit)
    db.session.commit()
    sentence = _undone_said(undone)
    if not is_htmx():
        flash(sentence)
        return redirect(address(found.query))
    html = _redrawn(found, ids, sentence)
    return Response(html, headers={"HX-Trigger": "ledger-changed"})


def _listing() -> Listing:
    return listing.of_request(person().id) or abort(400)


def _answer(found: Listing, applied: Applied, ids: Sequence[int] | None, back: str) -> Answer:
    """`ids` are the rows that were meant, None for all of the filter."""
    edit, sentence = applied.edit, _said(applied.rows)
    take_back = address(found.query, "finance.undo", edit_id=edit.id) if edit else None
    if not is_htmx():
        flash(sentence, take_back or "message")
        return redirect(back)
    if ids is None or len(ids) > REDRAWN:
        return render_template(
            "finance/transactions/_redrawn_all.html",
            listing=found,
            sentence=sentence,
            undo=take_back,
        )
    return _redrawn(found, ids, sentence, take_back)


def _redrawn(
    found: Listing, ids: Sequence[int], sentence: str, take_back: str | None = None
) -> str:
    """Each row as it is now, or gone if the filter leaves hidden ones out."""
    user_id = person().id
    revision = users.ledger_revision(user_id)
    asked = request.form.get("revision", type=int)
    return render_template(
        "finance/transactions/_redrawn.html",
        listing=found,
        rows=reader.by_ids(user_id, ids),
        sentence=sentence,
        undo=take_back,
        # Somebody else's change in between is still to be fetched.
        revision=revision if asked == revision - 1 else None,
    )


def _refuse(sentence: str, found: Listing) -> Answer:
    """Nothing was changed."""
    if is_htmx():
        return notice(sentence, 422)
    flash(sentence)
    return render_template("finance/transactions/transactions.html", listing=found), 422


def _said(rows: int) -> str:
    if not rows:
        return str(_("That is how it was already."))
    return str(ngettext("%(num)s transaction changed.", "%(num)s transactions changed.", rows))


def _undone_said(undone: edits.Undone) -> str:
    said = ngettext(
        "Undone: %(num)s transaction is as it was before.",
        "Undone: %(num)s transactions are as they were before.",
        undone.rows,
    )
    left = ngettext(
        "%(num)s transaction was edited again since, and stays as it is.",
        "%(num)s transactions were edited again since, and stay as they are.",
        undone.skipped,
    )
    if undone.rows and undone.skipped:
        return f"{said} {left}"
    if undone.skipped:
        return str(left)
    return str(said if undone.rows else _("That was undone already."))
