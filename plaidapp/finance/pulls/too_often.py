"""What a person is told who has asked too often for something that Plaid bills or limits."""

import math
from datetime import datetime

from flask import make_response
from flask_babel import gettext
from werkzeug import Response

from plaidapp.days import inline_moment
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds
from plaidapp.texts import gettext_noop

SENTENCES = {
    kinds.ACCOUNTS: gettext_noop(
        "You got account data often within the last hour. Plaid bills each time, so there is a"
        " limit. You can get it again %(when)s."
    ),
    kinds.REFRESH: gettext_noop(
        "You asked your banks often within the last hour. Plaid bills each time, so there is a"
        " limit. You can ask again %(when)s."
    ),
    kinds.CHECK: gettext_noop(
        "You checked often within the last hour. Each check may read a whole history, so there is a"
        " limit. You can check again %(when)s."
    ),
    kinds.REPAIR: gettext_noop(
        "You repaired often within the last hour. Each time, a whole history is read, so there is a"
        " limit. You can repair again %(when)s."
    ),
}


def sentence(kind: str, until: datetime) -> str:
    return gettext(SENTENCES[kind], when=inline_moment(until))


def until(moment: datetime, answer: str | Response | tuple[str, int]) -> Response:
    """Return the answer with the header that says when the button works again."""
    response: Response = make_response(answer)
    response.headers["Retry-After"] = str(max(math.ceil((moment - now()).total_seconds()), 1))
    return response
