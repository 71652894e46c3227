"""What the transactions of a filter add up to: the explorer's sums, also those of a day."""

from flask import request
from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.formats import listed
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import filter_totals

from ..base import asked
from ..base.blueprint import blueprint
from ..transactions import explorer_request, filter_urls
from ..transactions.filter_form import NO_CURRENCY, ExplorerForm
from ..transactions.filter_urls import Query
from ..transactions.listing import MOST_COUNTED
from . import row_lines
from .explanation import Explanation, Result, answer
from .row_lines import IN, NET, OUT


@blueprint.get("/explain/transactions")
def explain_transactions() -> str:
    """Of the filter in the address, in its currency or, without one, in the one that leads.

    With `left_out`, of the rows that totals leave out.
    """
    part = asked.part(IN, OUT, NET)
    form = explorer_request.valid(request.args)
    query = filter_urls.without(filter_urls.query_of(form), "sort")
    codes = query.pop("currency", [asked.currency()])
    currency = "" if codes == [NO_CURRENCY] else codes[0]
    titles = {IN: gettext("Money in"), OUT: gettext("Money out"), NET: gettext("Net")}
    about = listed(chip.label for chip in _chips(form, query)) or gettext("All transactions")
    wanted = row_lines.filter_of(query)
    if not filter_totals.has_totals(wanted) and filter_totals.tally(wanted, MOST_COUNTED).is_more:
        too_many = gettext("There are too many to add up. Narrow the filter to see totals.")
        return answer(Explanation(titles[part], about, currency, (), notes=[too_many]))
    left_out = "left_out" in request.args
    found = row_lines.of(query, part, {currency}, left_out=left_out)
    notes = []
    if left_out:
        notes.append(gettext("Totals leave these transactions out."))
    elif "scope" not in query and "category" not in query:
        notes.append(gettext("Transfers between your own accounts are left out."))
    return answer(
        Explanation(
            titles[part],
            about,
            currency,
            [*found.lines(), Result(titles[part], found.amount)],
            notes=notes,
            links=[found.link] if found.rows and not left_out else [],
            is_signed=part == NET,
            is_change=part == NET,
        )
    )


def _chips(form: ExplorerForm, query: Query) -> list[filter_urls.Chip]:
    named = {row.id: row for row in accounts.of_user(person().id)} if "account" in query else {}
    return list(filter_urls.chips(form, query, named))
