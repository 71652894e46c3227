"""A sandbox served over HTTP, a clock that the test turns, and plaid-python to call it."""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import plaid
import pytest
import requests
from plaid.api import plaid_api
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.products import Products
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import (
    SandboxPublicTokenCreateRequestOptions,
)
from plaid.model.sandbox_public_token_create_request_options_transactions import (
    SandboxPublicTokenCreateRequestOptionsTransactions,
)
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox import create_app

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
INITIAL_DELAY, HISTORICAL_DELAY = 10, 60


class Clock:
    """Stands still until it is turned."""

    def __init__(self, now=START):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args):
        pass


class Live:
    """A served sandbox. `call` is plain HTTP with exact numbers, `api` is plaid-python."""

    def __init__(self, server, app, clock):
        self.server = server
        self.app = app
        self.clock = clock
        self.url = f"http://127.0.0.1:{server.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.api_client = plaid.ApiClient(
            plaid.Configuration(host=self.url, api_key={"clientId": "me", "secret": "mine"})
        )
        self.api = plaid_api.PlaidApi(self.api_client)

    def call(self, path, _status=200, **fields):
        answer = self.session.post(
            self.url + path, json={"client_id": "me", "secret": "mine", **fields}, timeout=30
        )
        assert answer.status_code == _status, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def public_token(self, products=("transactions",), days=730, **options):
        if days is not None:
            options["transactions"] = SandboxPublicTokenCreateRequestOptionsTransactions(
                days_requested=days
            )
        return self.api.sandbox_public_token_create(
            SandboxPublicTokenCreateRequest(
                institution_id="ins_109508",
                initial_products=[Products(product) for product in products],
                options=SandboxPublicTokenCreateRequestOptions(**options),
            )
        )["public_token"]

    def link(self, *args, **options):
        """A new Item's access token; its transactions are not ready yet."""
        request = ItemPublicTokenExchangeRequest(public_token=self.public_token(*args, **options))
        return self.api.item_public_token_exchange(request)["access_token"]

    def link_ready(self, *args, **options):
        """A new Item whose history is all there."""
        token = self.link(*args, **options)
        self.clock.advance(HISTORICAL_DELAY)
        return token

    def link_custom(self, user, **options):
        text = user if isinstance(user, str) else json.dumps(user)
        return self.link_ready(override_username="user_custom", override_password=text, **options)

    def drain(self, access_token, cursor="", count=500, **fields):
        """All pages of an update: lists of updates, and the last answer."""
        updates = {"added": [], "modified": [], "removed": []}
        while True:
            page = self.call(
                "/transactions/sync",
                access_token=access_token, cursor=cursor, count=count, **fields,
            )  # fmt: skip
            for name, rows in updates.items():
                rows += page[name]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return updates, page

    def close(self):
        self.session.close()
        self.api_client.rest_client.pool_manager.clear()
        self.api_client.close()
        self.server.shutdown()
        self.server.server_close()
        self.app.extensions["sandbox"].close()


@pytest.fixture
def serve():
    """Serves a sandbox with `create_app`'s arguments; any number of them."""
    with contextlib.ExitStack() as stack:

        def start(**arguments):
            clock = arguments.setdefault("clock", Clock())
            arguments.setdefault("initial_delay", INITIAL_DELAY)
            arguments.setdefault("historical_delay", HISTORICAL_DELAY)
            app = create_app(**arguments)
            server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            live = Live(server, app, clock)
            stack.callback(live.close)
            return live

        yield start


@pytest.fixture
def live(serve):
    return serve()


@pytest.fixture
def eventually():
    """Asks until the answer is true, and returns it."""

    def ask(question, seconds=10):
        deadline = time.monotonic() + seconds
        while not (answer := question()):
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.01)
        return answer

    return ask
