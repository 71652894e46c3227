"""The page that finds anything. HTMX gets the list alone, for the dialog that every page has."""

from flask import render_template, request

from plaidapp.auth.access import person
from plaidapp.htmx import is_htmx

from ..base.blueprint import blueprint
from ..transactions.filter_form import LONGEST_SEARCH
from .search import Found, find


@blueprint.get("/find", endpoint="find")
def page() -> str | tuple[str, int]:
    template = "finance/find/_found.html" if is_htmx() else "finance/find/find.html"
    typed = request.args.get("q", "").strip()
    if len(typed) > LONGEST_SEARCH:
        too_long = Found(typed[:LONGEST_SEARCH], ())
        return render_template(template, found=too_long, longest=LONGEST_SEARCH), 422
    return render_template(template, found=find(person().id, typed))
