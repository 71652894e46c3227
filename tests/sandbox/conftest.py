"""A sandbox served over HTTP, a clock that tests move, and plaid-python to call it."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
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

from sandbox import bank_activity, create_app
from tests.link_walker import walk
from tests.sandbox.faulty_server import FaultyServer, serve_with_faults

PLAID_ERROR = {
    "display_message",
    "documentation_url",
    "error_code",
    "error_code_reason",
    "error_message",
    "error_type",
    "request_id",
    "suggested_action",
}
START = datetime(2026, 3, 15, 12, tzinfo=UTC)
INITIAL_DELAY, HISTORICAL_DELAY = 10, 60
FIRST_BANK, OAUTH_BANK = "ins_109508", "ins_127287"
BACK = "https://app.test/finance/connections/7"
LINK_REQUEST = {
    "client_name": "plaidapp",
    "language": "en",
    "country_codes": ["US"],
    "user": {"client_user_id": "7"},
    "products": ["transactions"],
    "hosted_link": {"completion_redirect_uri": BACK},
}


class Clock:
    """A clock that only moves when a test calls `advance`."""

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


class ServedSandbox:
    """A running sandbox. `call` uses plain HTTP and keeps exact numbers; `api` is plaid-python."""

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
        response = self.session.post(
            self.url + path, json={"client_id": "me", "secret": "mine", **fields}, timeout=30
        )
        assert response.status_code == _status, response.text
        return json.loads(response.text, parse_float=Decimal)

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
        """Link an Item whose transactions are not ready yet, and return its access token."""
        request = ItemPublicTokenExchangeRequest(public_token=self.public_token(*args, **options))
        return self.api.item_public_token_exchange(request)["access_token"]

    def link_ready(self, *args, **options):
        """Link an Item, and move the clock until its whole history is available."""
        token = self.link(*args, **options)
        self.clock.advance(HISTORICAL_DELAY)
        return token

    def link_custom(self, user, **options):
        text = user if isinstance(user, str) else json.dumps(user)
        return self.link_ready(override_username="user_custom", override_password=text, **options)

    def sync_all(self, access_token, cursor="", count=500, **fields):
        """Get all pages of an update. Return the lists of rows and the last page."""
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

    def be_active(self, access_token):
        """Let the bank have activity. /transactions/refresh is limited to two calls a minute."""
        bank_activity.refresh(self.app.extensions["sandbox"], access_token)

    def close(self):
        self.session.close()
        self.api_client.rest_client.pool_manager.clear()
        self.api_client.close()
        self.server.shutdown()
        self.server.server_close()
        self.app.extensions["sandbox"].close()


def api_error(call):
    """Make a plaid-python call that must fail; return (status, error_type, error_code)."""
    with pytest.raises(plaid.ApiException) as caught:
        call()
    error = json.loads(caught.value.body)
    assert set(error) == PLAID_ERROR
    assert len(error["request_id"]) == 15
    assert error["request_id"].isalnum()
    return caught.value.status, error["error_type"], error["error_code"]


@pytest.fixture
def serve():
    """Start a sandbox with `create_app`'s arguments. A test may start several."""
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
            live = ServedSandbox(server, app, clock)
            stack.callback(live.close)
            return live

        yield start


@pytest.fixture
def live(serve):
    return serve()


@pytest.fixture
def error_of(live):
    """Make a call that must fail; return (error_type, error_code, error_message)."""

    def call(path, status=400, **fields):
        error = live.call(path, _status=status, **fields)
        assert set(error) == PLAID_ERROR
        assert len(error["request_id"]) == 15
        return error["error_type"], error["error_code"], error["error_message"]

    return call


@pytest.fixture
def hosted_link(live):
    """Create a link token with a hosted link, and return the answer."""

    def create(**fields):
        return live.call("/link/token/create", **(LINK_REQUEST | fields))

    return create


@pytest.fixture
def sessions_of(live):
    """Return the sessions of a link token, oldest first."""
    return lambda link: live.call("/link/token/get", link_token=link["link_token"])["link_sessions"]


@pytest.fixture
def connect(live, hosted_link, sessions_of):
    """Connect a bank through Hosted Link, and return its access token."""

    def walk_and_exchange(bank=FIRST_BANK, **fields):
        names = {"accounts", "username", "password"} & fields.keys()
        steps = {name: fields.pop(name) for name in names}
        link = hosted_link(**fields)
        assert walk(link["hosted_link_url"], bank=bank, **steps) == BACK
        (result,) = sessions_of(link)[-1]["results"]["item_add_results"]
        exchanged = live.call("/item/public_token/exchange", public_token=result["public_token"])
        return exchanged["access_token"]

    return walk_and_exchange


@pytest.fixture
def eventually():
    """Call a function until its result is true, and return that result."""

    def poll(function, seconds=10):
        deadline = time.monotonic() + seconds
        while not (result := function()):
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.01)
        return result

    return poll


@pytest.fixture
def server(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[FaultyServer]:
    """Serve a small app with faults. The test fails if the server itself logs an error."""
    with serve_with_faults() as server:
        yield server
    assert "Traceback" not in capfd.readouterr().err
    assert "ERROR" not in [record.levelname for record in caplog.get_records("call")]
