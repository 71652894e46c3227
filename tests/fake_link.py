"""Hosted Link without its pages: a test says what the person did there.

For what depends on the moment, such as a tab that is closed. tests/link_walker.py walks through the
sandbox's own pages.
"""

import itertools
import json
from datetime import UTC, datetime, timedelta

from werkzeug.wrappers import Request, Response

CREATE, GET = "/link/token/create", "/link/token/get"


def moment(age=0):
    return (datetime.now(UTC) - timedelta(seconds=age)).isoformat()


class FakeLink:
    """Answers the two endpoints of link tokens; the sandbox answers everything else.

    `sessions` is what has happened, by link token. `created` are the requests, in order.
    """

    def __init__(self, bank_server):
        self.bank = bank_server
        self.honest = bank_server.server.app
        self.sessions, self.created, self.looks = {}, [], 0
        self._numbers = itertools.count(1)

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] not in (CREATE, GET):
            return self.honest(environ, start_response)
        sent = json.loads(Request(environ).get_data())
        answer = self._create(sent) if environ["PATH_INFO"] == CREATE else self._get(sent)
        response = Response(json.dumps(answer), mimetype="application/json")
        return response(environ, start_response)

    def _create(self, sent):
        number = next(self._numbers)
        token = f"link-sandbox-{number}"
        self.created.append(sent)
        self.sessions[token] = []
        return {
            "link_token": token,
            "hosted_link_url": f"https://secure.plaid.com/hl/lp{number}",
            "expiration": moment(-1800),
            "request_id": "r",
        }

    def _get(self, sent):
        self.looks += 1
        return {
            "link_token": sent["link_token"],
            "expiration": moment(-1800),
            "link_sessions": self.sessions[sent["link_token"]],
            "request_id": "look",
        }

    def public_token(self, institution="ins_109508", **options):
        answer = self.bank.call(
            "/sandbox/public_token/create",
            institution_id=institution,
            initial_products=["transactions"],
            options=options,
        )
        return answer["public_token"]

    def add(self, token, *results, **fields):
        """Add a session to the link token. `results` are what `result` returns."""
        session = {"link_session_id": f"s{len(self.sessions[token])}", "started_at": moment()}
        if results:
            session |= {"finished_at": moment(), "results": {"item_add_results": list(results)}}
        self.sessions[token].append(session | fields)

    def leave(self, token, code=None, status="requires_credentials"):
        error = code and {"error_type": "ITEM_ERROR", "error_code": code, "error_message": "m"}
        told = {"status": status, "link_session_id": "left", "request_id": "why", "institution": {}}
        self.add(token, finished_at=moment(), exit={"error": error, "metadata": told})

    def result(self, institution="ins_109508", name="First Platypus Bank", accounts=(), **options):
        return {
            "public_token": self.public_token(institution, **options),
            "institution": {"institution_id": institution, "name": name},
            "accounts": list(accounts),
        }


CHECKING = {
    "id": "a",
    "name": "Plaid Checking",
    "mask": "0000",
    "type": "depository",
    "subtype": "checking",
}
OTHER = CHECKING | {"id": "b", "name": "Another", "mask": "9999"}
