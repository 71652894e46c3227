"""Edit one transaction or many, and undo an edit.

HTMX gets the rows as they are now, the totals, and a notice with *Undo*. A plain form is redirected
to the page it came from, which shows the notice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement
from werkzeug import Response

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.extensions import db
from plaidapp.formats import number
from plaidapp.htmx import is_htmx, notice, retarget
from plaidapp.store.people import users
from plaidapp.store.transactions import edits, reader, same_merchant, transactions
from plaidapp.store.transactions.edits import Applied, TooManyRowsError

from ..base.blueprint import blueprint
from . import explorer_request
from .edit_forms import BulkForm, EditForm
from .explorer import detail_of
from .filter_urls import address
from .listing import Listing

Answer = str | Response | tuple[str, int]
CHANGED = {"HX-Trigger": "ledger-changed"}
REDRAWN = 200
"""Up to this many edited rows are sent one by one. For more, the whole list is sent."""


@blueprint.post("/transactions/<int:transaction_id>")
def edit_transaction(transaction_id: int) -> Answer:
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    listing = explorer_request.listing()
    form = EditForm(request.form)
    if not form.validate():
        shown = detail_of(row, listing, form)
        if is_htmx():
            html = render_template("finance/transactions/_edit_form.html", **shown)
            return retarget(html, f"#edit-{row.id}", 422)
        return render_template("finance/transactions/transaction.html", **shown), 422
    # "Not a transfer" separates two rows. To match them again, it is enough to allow it for one.
    ids = [row.id, row.other_side_id] if form.not_transfer.data and row.other_side_id else [row.id]
    applied = edits.apply(person().id, edits.of_ids(person().id, ids), form.change())
    db.session.commit()
    back = address(listing.query, "finance.transaction", transaction_id=row.id)
    return _answer(listing, applied, ids, back, offers_others="own_category" in form.change())


@blueprint.post("/transactions/<int:transaction_id>/others")
def edit_others(transaction_id: int) -> Answer:
    """Give the merchant's other transactions the category that the person chose for this one."""
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    listing = explorer_request.listing()
    if not row.own_choice:
        return _refuse(_("Choose a category for this transaction first."), listing)
    conditions, change = same_merchant.others(row), {"own_category": row.own_choice}
    back = address(listing.query, "finance.transaction", transaction_id=row.id)
    # The overview has no list to redraw: its poll brings the rows.
    ids = [row.id] if listing.is_latest else None
    return _apply_to_many(listing, conditions, change, ids, back)


@blueprint.post("/transactions/edit")
def edit_transactions() -> Answer:
    listing = explorer_request.listing()
    form = BulkForm(request.form)
    if not form.validate():
        return _refuse(form.complaint, listing)
    every = bool(form.all.data)
    conditions = listing.filter.conditions() if every else edits.of_ids(person().id, form.ids)
    ids = None if every else form.ids
    return _apply_to_many(listing, conditions, form.change(), ids, listing.address)


def _apply_to_many(
    listing: Listing,
    conditions: Sequence[ColumnElement[bool]],
    change: Mapping[str, Any],
    ids: Sequence[int] | None,
    back: str,
) -> Answer:
    try:
        applied = edits.apply(person().id, conditions, change)
    except TooManyRowsError:
        db.session.rollback()
        most = number(edits.MOST_ROWS)
        return _refuse(
            _(
                "You can change at most %(most)s transactions at once. Narrow the filter.",
                most=most,
            ),
            listing,
        )
    db.session.commit()
    return _answer(listing, applied, ids, back)


@blueprint.post("/edits/<int:edit_id>/undo")
def undo(edit_id: int) -> Answer:
    edit = owned_or_404(edits.owned, edit_id, LARGEST_BIG_ID)
    listing = explorer_request.listing()
    ids = edits.ids_of(edit, REDRAWN)
    undone = edits.undo(edit)
    db.session.commit()
    sentence = _undone_sentence(undone)
    if not is_htmx():
        flash(sentence)
        return redirect(listing.address)
    html = _redrawn(listing, ids, sentence)
    return Response(html, headers=CHANGED)


def _answer(
    listing: Listing,
    applied: Applied,
    ids: Sequence[int] | None,
    back: str,
    *,
    offers_others: bool = False,
) -> Answer:
    """`ids` are the rows that the person chose, None for all rows of the filter. With
    `offers_others`, the notice offers the same category for the first one's merchant."""
    if applied.read_only and not applied.rows:
        return _refuse(_read_only_sentence(applied.read_only), listing)
    edit, sentence = applied.edit, _changed_sentence(applied)
    undo_url = address(listing.query, "finance.undo", edit_id=edit.id) if edit else None
    if not is_htmx():
        flash(sentence, undo_url or "message")
        return redirect(back)
    if ids is None or len(ids) > REDRAWN:
        return render_template(
            "finance/transactions/_redrawn_all.html",
            listing=listing,
            sentence=sentence,
            undo=undo_url,
        )
    html = _redrawn(listing, ids, sentence, undo_url, offers_others=offers_others)
    # The overview shows more than the row: its poll brings the figures at once.
    return Response(html, headers=CHANGED) if listing.is_latest else html


def _redrawn(
    listing: Listing,
    ids: Sequence[int],
    sentence: str,
    undo_url: str | None = None,
    *,
    offers_others: bool = False,
) -> str:
    """Each row and the totals of its day as they are now. Hidden rows are removed if the filter
    leaves them out."""
    user_id, zone = person().id, person().zone
    revision = users.ledger_revision(user_id)
    shown_before = users.version_of(revision - 1, zone)
    rows = reader.by_ids(user_id, ids)
    is_only_change = request.form.get("revision") == shown_before
    return render_template(
        "finance/transactions/_redrawn.html",
        listing=listing,
        rows=rows,
        sentence=sentence,
        undo=undo_url,
        others=same_merchant.count_others(rows[0]) if offers_others and rows else None,
        # If something else changed too, the page still has to poll for it.
        version=users.version_of(revision, zone) if is_only_change else None,
    )


def _refuse(sentence: str, listing: Listing) -> Answer:
    """Say why nothing was changed."""
    if is_htmx():
        return notice(sentence, 422)
    flash(sentence)
    explorer = Listing(listing.user_id, listing.form)
    return render_template("finance/transactions/transactions.html", listing=explorer), 422


def _changed_sentence(applied: Applied) -> str:
    if not applied.rows:
        return str(_("Nothing changed."))
    changed_text = ngettext(
        "%(count)s transaction changed.",
        "%(count)s transactions changed.",
        applied.rows,
        count=number(applied.rows),
    )
    return " ".join(filter(None, (changed_text, _read_only_sentence(applied.read_only))))


def _read_only_sentence(rows: int) -> str:
    """Empty if there are no such rows."""
    if not rows:
        return ""
    return ngettext(
        "%(count)s transaction can’t be changed, because you disconnected its bank.",
        "%(count)s transactions can’t be changed, because you disconnected their banks.",
        rows,
        count=number(rows),
    )


def _undone_sentence(undone: edits.Undone) -> str:
    undone_text = ngettext(
        "Undone: %(count)s transaction restored.",
        "Undone: %(count)s transactions restored.",
        undone.rows,
        count=number(undone.rows),
    )
    kept_text = ngettext(
        "%(count)s transaction was edited again later and was left unchanged.",
        "%(count)s transactions were edited again later and were left unchanged.",
        undone.skipped,
        count=number(undone.skipped),
    )
    texts = [
        undone_text if undone.rows else "",
        kept_text if undone.skipped else "",
        _read_only_sentence(undone.read_only),
    ]
    return " ".join(filter(None, texts)) or _("This was already undone.")
