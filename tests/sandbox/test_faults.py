"""What a client sees of each fault, over real HTTP from a real server."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import requests
from flask import Flask, request
from werkzeug.serving import ThreadedWSGIServer

from sandbox.fault_rules import RateLimit, Rulebook
from sandbox.faults import Faults

SYNC = "/transactions/sync"
ACCOUNTS = "/accounts/get"
PAGE = b'{"added": [{"amount": 23631.98050000}], "has_more": true, "next_cursor": "c1", "x": null}'

# Long enough that a test which waits for it has failed.
FOREVER = 3600


@dataclass(frozen=True)
class Bank:
    """The served app: `asked` lists the paths that reached it, `mutated` the tokens of `mutate`."""

    url: str
    asked: list[str]
    mutated: list[str]

    def call(self, path: str = SYNC, timeout: float = 10, **body: str) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=timeout)

    def set(self, *rules: dict[str, Any]) -> requests.Response:
        return requests.post(self.url + "/_control/faults", json=rules, timeout=10)

    def clear(self) -> None:
        requests.delete(self.url + "/_control/faults", timeout=10).raise_for_status()

    def report(self) -> Any:
        return requests.get(self.url + "/_control/faults", timeout=10).json()

    def fired(self) -> list[int]:
        return [entry["fired"] for entry in self.report()["rules"]]

    def statuses(self, count: int, path: str = SYNC) -> list[int]:
        return [self.call(path).status_code for _ in range(count)]


def tiny_app(asked: list[str]) -> Flask:
    app = Flask(__name__)

    @app.post("/<path:path>")
    def answer(path: str) -> tuple[bytes, dict[str, str]]:
        asked.append(f"/{path}")
        got = request.get_data().decode("latin-1")
        return PAGE, {"Content-Type": "application/json", "X-Got": got}

    @app.get("/page")
    def page() -> str:
        return "not JSON"

    @app.get("/empty")
    def empty() -> str:
        return ""

    return app


@contextmanager
def served(mutate: Callable[[str], object] | None = None, **options: Any) -> Iterator[Bank]:
    asked: list[str] = []
    mutated: list[str] = []
    app = tiny_app(asked)
    faults = Faults(app.wsgi_app, mutate=mutate or mutated.append, **options)
    app.wsgi_app = faults  # type: ignore[method-assign]
    server = ThreadedWSGIServer("127.0.0.1", 0, app)
    server.daemon_threads = False  # so that closing it waits for the calls it still answers
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Bank(f"http://127.0.0.1:{server.port}", asked, mutated)
    finally:
        faults.rulebook.clear()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def bank(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Bank]:
    """No fault may make the server itself stumble."""
    with served() as bank:
        yield bank
    assert "Traceback" not in capfd.readouterr().err
    assert "ERROR" not in [record.levelname for record in caplog.get_records("call")]


def error_rule(**more: Any) -> dict[str, Any]:
    return {
        "kind": "error",
        "path": SYNC,
        "status": 400,
        "error_type": "ITEM_ERROR",
        "error_code": "ITEM_LOGIN_REQUIRED",
        **more,
    }


def rule(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "path": SYNC, **more}


def has_hit(bank: Bank) -> None:
    """Returns when the first rule has hit a call."""
    deadline = time.monotonic() + 10
    while bank.fired()[0] == 0:
        assert time.monotonic() < deadline, "the rule never hit"


# What each kind does


def test_without_rules_the_answer_is_the_apps(bank: Bank) -> None:
    assert bank.call().content == PAGE
    assert bank.asked == [SYNC]


def test_error_is_plaids_error_object(bank: Bank) -> None:
    bank.set(error_rule(status=503, error_message="the bank is away"))
    answer = bank.call()
    assert answer.status_code == 503
    error = answer.json()
    assert error.pop("request_id")
    assert error == {
        "error_type": "ITEM_ERROR",
        "error_code": "ITEM_LOGIN_REQUIRED",
        "error_message": "the bank is away",
        "display_message": None,
    }
    assert bank.asked == []


def test_delay_is_late_and_right(bank: Bank) -> None:
    bank.set(rule("delay", seconds=0.3))
    began = time.monotonic()
    assert bank.call().content == PAGE
    assert time.monotonic() - began >= 0.3


def test_delay_outlasts_an_impatient_client(bank: Bank) -> None:
    bank.set(rule("delay", seconds=FOREVER))
    with pytest.raises(requests.exceptions.ReadTimeout):
        bank.call(timeout=0.2)


def test_hang_leaves_the_client_to_its_own_timeout(bank: Bank) -> None:
    bank.set(rule("hang", seconds=FOREVER))
    with pytest.raises(requests.exceptions.ReadTimeout):
        bank.call(timeout=0.2)
    assert bank.asked == []


def test_hang_ends_without_an_answer(bank: Bank) -> None:
    bank.set(rule("hang", seconds=0.3))
    began = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectionError):
        bank.call()
    assert time.monotonic() - began >= 0.3


def test_a_hanging_call_holds_up_no_other_and_new_rules_let_it_go(bank: Bank) -> None:
    bank.set(rule("hang", seconds=FOREVER))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(bank.call, timeout=30)
        has_hit(bank)
        assert bank.call(ACCOUNTS).content == PAGE
        assert not held.done()
        bank.set()
        assert isinstance(held.exception(timeout=10), requests.exceptions.ConnectionError)


def test_drip_is_whole_and_slow_and_passes_a_shorter_read_timeout(bank: Bank) -> None:
    bank.set(rule("drip", seconds=1))
    began = time.monotonic()
    assert bank.call(timeout=0.5).content == PAGE
    assert time.monotonic() - began >= 1


def test_drip_of_an_empty_body_is_empty() -> None:
    with served() as bank:
        bank.set({"kind": "drip", "path": "*", "seconds": FOREVER})
        assert requests.get(bank.url + "/empty", timeout=10).content == b""


def test_truncate_breaks_the_promise_of_content_length(bank: Bank) -> None:
    bank.set(rule("truncate"))
    with requests.post(bank.url + SYNC, json={}, timeout=10, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(len(PAGE))
        assert answer.raw.read(len(PAGE) // 2) == PAGE[: len(PAGE) // 2]
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        bank.call()


def test_garbage_is_200_and_neither_json_nor_utf8(bank: Bank) -> None:
    bank.set(rule("garbage"))
    answer = bank.call()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


@pytest.mark.parametrize(
    ("field", "type_"),
    [("added", list[Any]), ("has_more", bool), ("next_cursor", str), ("x", None)],
)
def test_wrong_types_spoil_every_field(bank: Bank, field: str, type_: Any) -> None:
    client = msgspec.defstruct("Client", [(field, type_)])
    msgspec.json.decode(bank.call().content, type=client)
    bank.set(rule("wrong_types"))
    answer = bank.call()
    assert answer.status_code == 200
    assert set(answer.json()) == set(json.loads(PAGE))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(answer.content, type=client)


def test_missing_field_is_missing_and_the_rest_is_byte_for_byte(bank: Bank) -> None:
    bank.set(rule("missing_field", field="next_cursor"))
    answer = bank.call()
    assert set(answer.json()) == {"added", "has_more", "x"}
    assert b"23631.98050000" in answer.content


@pytest.mark.parametrize(
    "spoil", [{"kind": "wrong_types"}, {"kind": "missing_field", "field": "x"}]
)
def test_an_answer_that_is_not_json_passes(bank: Bank, spoil: dict[str, str]) -> None:
    bank.set({"path": "*", **spoil})
    assert requests.get(bank.url + "/page", timeout=10).text == "not JSON"


def test_reset_drops_the_connection_and_the_server_lives(bank: Bank) -> None:
    bank.set(rule("reset", times=1))
    with pytest.raises(requests.exceptions.ConnectionError, match="Connection reset by peer"):
        bank.call()
    assert bank.asked == []
    assert bank.call().content == PAGE


def test_reset_without_a_socket_raises() -> None:
    faults = Faults(tiny_app([]).wsgi_app)
    app = tiny_app([])
    app.wsgi_app = faults  # type: ignore[method-assign]
    client = app.test_client()
    client.post("/_control/faults", json=[rule("reset")])
    with pytest.raises(ConnectionResetError):
        client.post(SYNC)


def test_rate_limit_answers_429_until_the_window_has_passed() -> None:
    now = [0.0]
    with served(clock=lambda: now[0]) as bank:
        bank.set(rule("rate_limit", limit=2, seconds=60))
        assert bank.statuses(2) == [200, 200]
        refused = bank.call()
        assert refused.status_code == 429
        assert refused.json()["error_type"] == "RATE_LIMIT_EXCEEDED"
        assert refused.json()["error_code"] == "TRANSACTIONS_SYNC_LIMIT"
        now[0] = 59.9
        assert bank.statuses(1) == [429]
        now[0] = 60.0
        assert bank.statuses(3) == [200, 200, 429]
        assert bank.fired() == [3]


def test_rate_limit_counts_each_path_by_itself(bank: Bank) -> None:
    bank.set({"kind": "rate_limit", "path": "*", "limit": 1, "seconds": FOREVER})
    codes = {}
    for path in (SYNC, ACCOUNTS, "/item/get"):
        assert bank.statuses(1, path) == [200]
        codes[path] = bank.call(path).json()["error_code"]
    assert codes == {
        SYNC: "TRANSACTIONS_SYNC_LIMIT",
        ACCOUNTS: "ACCOUNTS_LIMIT",
        "/item/get": "RATE_LIMIT",
    }


def test_mutate_changes_the_item_before_the_second_page(bank: Bank) -> None:
    bank.set(rule("mutate", after=1, times=1))
    assert bank.call(access_token="access-alice").content == PAGE
    assert bank.mutated == []
    assert bank.call(access_token="access-alice").content == PAGE
    assert bank.mutated == ["access-alice"]
    bank.call(access_token="access-alice")
    assert bank.mutated == ["access-alice"]
    assert bank.asked == [SYNC] * 3


def test_the_app_still_reads_the_request_that_a_rule_has_read(bank: Bank) -> None:
    bank.set(rule("mutate"))
    answer = bank.call(access_token="access-alice")
    assert json.loads(answer.headers["X-Got"]) == {"access_token": "access-alice"}


def test_mutate_may_call_the_sandbox() -> None:
    seen: list[int] = []
    with served(lambda _token: seen.append(inner.call(ACCOUNTS).status_code)) as inner:
        inner.set(rule("mutate"))
        assert inner.call(access_token="access-alice").content == PAGE
    assert seen == [200]


def test_mutate_passes_a_call_without_an_item(bank: Bank) -> None:
    bank.set(rule("mutate"))
    assert bank.call(public_token="public-alice").content == PAGE
    for body in (b"not JSON", b'{"access_token": "\xff"}'):
        requests.post(bank.url + SYNC, data=body, timeout=10).raise_for_status()
    assert bank.mutated == []


# Which calls are hit


def test_a_rule_hits_its_path_alone(bank: Bank) -> None:
    bank.set(error_rule())
    assert bank.statuses(1, ACCOUNTS) == [200]
    assert bank.statuses(1) == [400]


def test_a_star_hits_every_path(bank: Bank) -> None:
    bank.set(error_rule(path="*"))
    assert bank.statuses(1, ACCOUNTS) == bank.statuses(1) == [400]


def test_after_skips_and_times_ends(bank: Bank) -> None:
    bank.set(error_rule(after=1, times=2))
    assert bank.statuses(5) == [200, 400, 400, 200, 200]


def test_rules_take_turns_in_their_order(bank: Bank) -> None:
    bank.set(error_rule(status=500, times=1), error_rule(status=503, times=1))
    assert bank.statuses(3) == [500, 503, 200]


def test_delay_and_mutate_go_before_what_decides(bank: Bank) -> None:
    bank.set(rule("delay", seconds=0), rule("mutate"), error_rule(), rule("reset"))
    assert bank.call(access_token="access-alice").status_code == 400
    assert bank.mutated == ["access-alice"]
    assert bank.fired() == [1, 1, 1, 0]


def test_probability_is_the_same_in_every_run_and_differs_by_seed() -> None:
    runs = []
    for seed in (1, 1, 2):
        with served(seed=seed) as bank:
            bank.set(error_rule(probability=0.5))
            runs.append(bank.statuses(30))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 400}


def test_probability_does_not_depend_on_the_rules_beside_it(bank: Bank) -> None:
    half = error_rule(probability=0.5)
    bank.set(rule("delay", seconds=0), half)
    alone = bank.statuses(30)
    bank.set(rule("delay", seconds=0, probability=0.5), half)
    assert bank.statuses(30) == alone


def test_probability_zero_never_hits(bank: Bank) -> None:
    bank.set(error_rule(probability=0))
    assert bank.statuses(5) == [200] * 5


def test_calls_at_once_are_counted_once_each() -> None:
    def clock() -> float:
        time.sleep(0.001)  # lets other threads in, between the check of `times` and the count
        return 0.0

    rulebook = Rulebook(clock=clock)
    rulebook.replace([RateLimit(path="*", limit=0, seconds=60, times=3)])
    with ThreadPoolExecutor(16) as pool:
        hits = [hit for hit, _released in pool.map(rulebook.record_call, [SYNC] * 64)]
    assert sum(map(len, hits)) == 3
    assert rulebook.report()["calls"] == {SYNC: 64}


# The control plane


def test_report_tells_rules_hits_and_calls_by_path(bank: Bank) -> None:
    sent = error_rule(after=1)
    bank.set(sent)
    bank.statuses(3)
    bank.statuses(1, ACCOUNTS)
    report = bank.report()
    assert report["calls"] == {SYNC: 3, ACCOUNTS: 1}
    [entry] = report["rules"]
    assert entry["fired"] == 2
    assert sent.items() <= entry["rule"].items()


def test_a_reported_rule_can_be_sent_again(bank: Bank) -> None:
    bank.set(error_rule(times=1), rule("hang", seconds=1))
    before = bank.report()["rules"]
    bank.set(*(entry["rule"] for entry in before))
    assert bank.report()["rules"] == before


def test_new_rules_replace_the_old_and_count_from_zero(bank: Bank) -> None:
    bank.set(error_rule(times=1), error_rule())
    bank.statuses(2)
    bank.set(error_rule(times=1))
    assert bank.fired() == [0]
    assert bank.statuses(2) == [400, 200]
    assert bank.report()["calls"] == {SYNC: 4}


def test_delete_forgets_rules_and_calls(bank: Bank) -> None:
    bank.set(error_rule())
    bank.statuses(1)
    bank.clear()
    assert bank.report() == {"rules": [], "calls": {}}
    assert bank.statuses(1) == [200]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("[", "truncated"),
        (b'[{"kind": "reset", "path": "/\xff"}]', "'utf-8' codec can't decode"),
        ({"kind": "reset", "path": "*"}, "Expected `array`"),
        ([{"path": "*"}], "missing required field `kind`"),
        ([{"kind": "fire", "path": "*"}], "Invalid value 'fire'"),
        ([{"kind": "reset"}], "missing required field `path`"),
        ([{"kind": "reset", "path": "transactions/sync"}], "$[0].path"),
        ([{"kind": "reset", "path": "*", "timse": 1}], "unknown field `timse`"),
        ([{"kind": "reset", "path": "*", "times": 0}], "$[0].times"),
        ([{"kind": "reset", "path": "*", "after": -1}], "$[0].after"),
        ([{"kind": "reset", "path": "*", "probability": 1.1}], "$[0].probability"),
        ([{"kind": "delay", "path": "*"}], "missing required field `seconds`"),
        ([{"kind": "hang", "path": "*", "seconds": 1e300}], "$[0].seconds"),
        ([{"kind": "missing_field", "path": "*"}], "missing required field `field`"),
        ([{"kind": "rate_limit", "path": "*", "seconds": 1}], "missing required field `limit`"),
        ([error_rule(), error_rule(status=99)], "$[1].status"),
    ],
)
def test_a_malformed_rule_is_refused_and_changes_nothing(bank: Bank, body: Any, says: str) -> None:
    bank.set(error_rule(after=1))
    bank.statuses(2)
    before = bank.report()
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = requests.post(bank.url + "/_control/faults", data=data, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The rules stay as they were. ")
    assert says in answer.json()["error"]
    assert bank.report() == before


def test_mutate_is_refused_where_there_is_nothing_to_call() -> None:
    app = tiny_app([])
    app.wsgi_app = Faults(app.wsgi_app)  # type: ignore[method-assign]
    answer = app.test_client().post("/_control/faults", json=[rule("mutate")])
    assert answer.status_code == 400
    assert "nothing to call for kind 'mutate'" in answer.get_json()["error"]


def test_no_fault_reaches_a_control_path_and_none_is_counted(bank: Bank) -> None:
    bank.set(error_rule(path="*"))
    assert bank.call("/_control/items").content == PAGE
    assert bank.report()["calls"] == {}


def test_another_method_is_not_allowed(bank: Bank) -> None:
    answer = requests.put(bank.url + "/_control/faults", timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, DELETE"
