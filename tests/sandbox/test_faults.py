"""What a client sees of each kind of fault, over HTTP from a real server."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import requests

from sandbox.faults import Faults
from tests.sandbox.faulty_server import (
    ACCOUNTS,
    FOREVER,
    PAGE,
    SYNC,
    FaultyServer,
    error_rule,
    rule,
    serve_with_faults,
    small_app,
    wait_until_fired,
)


def test_without_rules_the_app_responds(server: FaultyServer) -> None:
    assert server.call().content == PAGE
    assert server.received == [SYNC]


def test_error_is_plaids_error_object(server: FaultyServer) -> None:
    server.set(error_rule(status=503, error_message="the server is down"))
    answer = server.call()
    assert answer.status_code == 503
    error = answer.json()
    assert error.pop("request_id")
    assert error == {
        "error_type": "ITEM_ERROR",
        "error_code": "ITEM_LOGIN_REQUIRED",
        "error_message": "the server is down",
        "display_message": None,
    }
    assert server.received == []


def test_delay_is_slow_and_correct(server: FaultyServer) -> None:
    server.set(rule("delay", seconds=0.3))
    began = time.monotonic()
    assert server.call().content == PAGE
    assert time.monotonic() - began >= 0.3


def test_delay_can_exceed_the_clients_timeout(server: FaultyServer) -> None:
    server.set(rule("delay", seconds=FOREVER))
    with pytest.raises(requests.exceptions.ReadTimeout):
        server.call(timeout=0.2)


def test_hang_lasts_until_the_clients_timeout(server: FaultyServer) -> None:
    server.set(rule("hang", seconds=FOREVER))
    with pytest.raises(requests.exceptions.ReadTimeout):
        server.call(timeout=0.2)
    assert server.received == []


def test_hang_ends_without_a_response(server: FaultyServer) -> None:
    server.set(rule("hang", seconds=0.3))
    began = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectionError):
        server.call()
    assert time.monotonic() - began >= 0.3


def test_a_hanging_call_blocks_no_other_and_new_rules_release_it(server: FaultyServer) -> None:
    server.set(rule("hang", seconds=FOREVER))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(server.call, timeout=30)
        wait_until_fired(server)
        assert server.call(ACCOUNTS).content == PAGE
        assert not hanging.done()
        server.set()
        assert isinstance(hanging.exception(timeout=10), requests.exceptions.ConnectionError)


def test_drip_is_complete_and_slow_despite_a_shorter_read_timeout(server: FaultyServer) -> None:
    server.set(rule("drip", seconds=2))
    began = time.monotonic()
    assert server.call(timeout=1.5).content == PAGE
    assert time.monotonic() - began >= 2


def test_drip_of_an_empty_body_is_empty() -> None:
    with serve_with_faults() as server:
        server.set({"kind": "drip", "path": "*", "seconds": FOREVER})
        assert requests.get(server.url + "/empty", timeout=10).content == b""


def test_truncate_sends_less_than_content_length(server: FaultyServer) -> None:
    server.set(rule("truncate"))
    with requests.post(server.url + SYNC, json={}, timeout=10, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(len(PAGE))
        assert answer.raw.read(len(PAGE) // 2) == PAGE[: len(PAGE) // 2]
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        server.call()


def test_garbage_is_200_and_neither_json_nor_utf8(server: FaultyServer) -> None:
    server.set(rule("garbage"))
    answer = server.call()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


@pytest.mark.parametrize(
    ("field", "type_"),
    [("added", list[Any]), ("has_more", bool), ("next_cursor", str), ("x", None)],
)
def test_wrong_types_changes_every_field(server: FaultyServer, field: str, type_: Any) -> None:
    client = msgspec.defstruct("Client", [(field, type_)])
    msgspec.json.decode(server.call().content, type=client)
    server.set(rule("wrong_types"))
    answer = server.call()
    assert answer.status_code == 200
    assert set(answer.json()) == set(json.loads(PAGE))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(answer.content, type=client)


def test_missing_field_leaves_the_rest_unchanged(server: FaultyServer) -> None:
    server.set(rule("missing_field", field="next_cursor"))
    answer = server.call()
    assert set(answer.json()) == {"added", "has_more", "x"}
    assert b"23631.98050000" in answer.content


@pytest.mark.parametrize(
    "change", [{"kind": "wrong_types"}, {"kind": "missing_field", "field": "x"}]
)
def test_a_response_that_is_not_json_is_unchanged(
    server: FaultyServer, change: dict[str, str]
) -> None:
    server.set({"path": "*", **change})
    assert requests.get(server.url + "/page", timeout=10).text == "not JSON"


def test_reset_drops_the_connection_but_not_the_server(server: FaultyServer) -> None:
    server.set(rule("reset", times=1))
    with pytest.raises(requests.exceptions.ConnectionError, match="Connection reset by peer"):
        server.call()
    assert server.received == []
    assert server.call().content == PAGE


def test_reset_without_a_socket_raises() -> None:
    faults = Faults(small_app([]).wsgi_app)
    app = small_app([])
    app.wsgi_app = faults  # type: ignore[method-assign]
    client = app.test_client()
    client.post("/_control/faults", json=[rule("reset")])
    with pytest.raises(ConnectionResetError):
        client.post(SYNC)


def test_rate_limit_sends_429_until_the_window_has_passed() -> None:
    now = [0.0]
    with serve_with_faults(clock=lambda: now[0]) as server:
        server.set(rule("rate_limit", limit=2, seconds=60))
        assert server.statuses(2) == [200, 200]
        refused = server.call()
        assert refused.status_code == 429
        assert refused.json()["error_type"] == "RATE_LIMIT_EXCEEDED"
        assert refused.json()["error_code"] == "TRANSACTIONS_SYNC_LIMIT"
        now[0] = 59.9
        assert server.statuses(1) == [429]
        now[0] = 60.0
        assert server.statuses(3) == [200, 200, 429]
        assert server.fired() == [3]


def test_rate_limit_counts_each_path_separately(server: FaultyServer) -> None:
    server.set({"kind": "rate_limit", "path": "*", "limit": 1, "seconds": FOREVER})
    codes = {}
    for path in (SYNC, ACCOUNTS, "/item/get", "/item/remove"):
        assert server.statuses(1, path) == [200]
        codes[path] = server.call(path).json()["error_code"]
    assert codes == {
        SYNC: "TRANSACTIONS_SYNC_LIMIT",
        ACCOUNTS: "ACCOUNTS_LIMIT",
        "/item/get": "ITEM_GET_LIMIT",
        "/item/remove": "RATE_LIMIT",
    }


def test_mutate_changes_the_item_before_the_second_page(server: FaultyServer) -> None:
    server.set(rule("mutate", after=1, times=1))
    assert server.call(access_token="access-alice").content == PAGE
    assert server.mutated == []
    assert server.call(access_token="access-alice").content == PAGE
    assert server.mutated == ["access-alice"]
    server.call(access_token="access-alice")
    assert server.mutated == ["access-alice"]
    assert server.received == [SYNC] * 3


def test_the_app_gets_a_request_body_that_a_rule_has_read(server: FaultyServer) -> None:
    server.set(rule("mutate"))
    answer = server.call(access_token="access-alice")
    assert json.loads(answer.headers["X-Got"]) == {"access_token": "access-alice"}


def test_mutate_may_call_the_sandbox() -> None:
    seen: list[int] = []
    with serve_with_faults(lambda _token: seen.append(inner.call(ACCOUNTS).status_code)) as inner:
        inner.set(rule("mutate"))
        assert inner.call(access_token="access-alice").content == PAGE
    assert seen == [200]


def test_mutate_ignores_a_call_without_an_item(server: FaultyServer) -> None:
    server.set(rule("mutate"))
    assert server.call(public_token="public-alice").content == PAGE
    for body in (b"not JSON", b'{"access_token": "\xff"}'):
        requests.post(server.url + SYNC, data=body, timeout=10).raise_for_status()
    assert server.mutated == []
