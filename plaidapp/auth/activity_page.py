"""What happened in the person's account: the latest on the account page, all on a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, request
from flask_login import login_required

from plaidapp.store.people import activity

from .access import LARGEST_ID, person
from .activity_sentences import sentence_of, source_of
from .blueprint import blueprint

LATEST = 5
PAGE = 50


@dataclass(frozen=True)
class Line:
    """`count` is above 1 if the same happened again shortly after."""

    at: datetime
    sentence: str
    count: int
    source: str


def context() -> dict[str, Any]:
    return {"latest": [_line_of(row) for row in activity.latest(person().id, LATEST)]}


@blueprint.get("/activity")
@login_required
def all_activity() -> str:
    """`before` is the id of the last row of the page before."""
    before = request.args.get("before", type=int)
    rows = activity.latest(person().id, PAGE + 1, min(before, LARGEST_ID) if before else None)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "auth/activity.html", lines=[_line_of(row) for row in rows[:PAGE]], before=more
    )


def _line_of(row: activity.Activity) -> Line:
    return Line(row.created_at, sentence_of(row), row.count, source_of(row))
