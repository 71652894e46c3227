"""Which calls a fault rule hits, and the control URL that sets the rules."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.fault_rules import RateLimit, Rulebook
from sandbox.faults import Faults
from tests.sandbox.faulty_server import (
    ACCOUNTS,
    PAGE,
    SYNC,
    FaultyServer,
    error_rule,
    rule,
    serve_with_faults,
    small_app,
)


def test_a_rule_hits_only_its_path(server: FaultyServer) -> None:
    server.set(error_rule())
    assert server.statuses(1, ACCOUNTS) == [200]
    assert server.statuses(1) == [400]


def test_a_star_hits_every_path(server: FaultyServer) -> None:
    server.set(error_rule(path="*"))
    assert server.statuses(1, ACCOUNTS) == server.statuses(1) == [400]


def test_a_star_at_the_end_hits_all_paths_that_begin_so(server: FaultyServer) -> None:
    server.set(error_rule(path="/accounts/*"))
    assert server.statuses(1, ACCOUNTS) == [400]
    assert server.statuses(1) == [200]


def test_a_rule_can_be_limited_to_one_item() -> None:
    items = {"access-alice": "item of alice"}
    with serve_with_faults(item_of=items.get) as server:
        server.set(error_rule(path="*", item_id="item of alice", times=1))
        assert server.call(access_token="access-bob").status_code == 200
        assert server.call().status_code == 200
        assert server.call(access_token="access-alice").status_code == 400
        assert server.call(access_token="access-alice").status_code == 200


def test_after_skips_calls_and_times_limits_them(server: FaultyServer) -> None:
    server.set(error_rule(after=1, times=2))
    assert server.statuses(5) == [200, 400, 400, 200, 200]


def test_rules_apply_in_order(server: FaultyServer) -> None:
    server.set(error_rule(status=500, times=1), error_rule(status=503, times=1))
    assert server.statuses(3) == [500, 503, 200]


def test_delay_and_mutate_combine_with_the_rule_that_decides(server: FaultyServer) -> None:
    server.set(rule("delay", seconds=0), rule("mutate"), error_rule(), rule("reset"))
    assert server.call(access_token="access-alice").status_code == 400
    assert server.mutated == ["access-alice"]
    assert server.fired() == [1, 1, 1, 0]


def test_probability_is_the_same_in_every_run_and_differs_by_seed() -> None:
    runs = []
    for seed in (1, 1, 2):
        with serve_with_faults(seed=seed) as server:
            server.set(error_rule(probability=0.5))
            runs.append(server.statuses(30))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 400}


def test_probability_does_not_depend_on_the_rules_beside_it(server: FaultyServer) -> None:
    half = error_rule(probability=0.5)
    server.set(rule("delay", seconds=0), half)
    alone = server.statuses(30)
    server.set(rule("delay", seconds=0, probability=0.5), half)
    assert server.statuses(30) == alone


def test_probability_zero_never_hits(server: FaultyServer) -> None:
    server.set(error_rule(probability=0))
    assert server.statuses(5) == [200] * 5


def test_concurrent_calls_are_each_counted_once() -> None:
    def clock() -> float:
        time.sleep(0.001)  # lets other threads run between the check of `times` and the count
        return 0.0

    rulebook = Rulebook(clock=clock)
    rulebook.replace([RateLimit(path="*", limit=0, seconds=60, times=3)])
    with ThreadPoolExecutor(16) as pool:
        hits = [hit for hit, _released in pool.map(rulebook.record_call, [SYNC] * 64)]
    assert sum(map(len, hits)) == 3
    assert rulebook.report()["calls"] == {SYNC: 64}


# --- The control URL


def test_report_has_the_rules_and_the_calls_by_path(server: FaultyServer) -> None:
    sent = error_rule(after=1)
    server.set(sent)
    server.statuses(3)
    server.statuses(1, ACCOUNTS)
    report = server.report()
    assert report["calls"] == {SYNC: 3, ACCOUNTS: 1}
    [entry] = report["rules"]
    assert entry["fired"] == 2
    assert sent.items() <= entry["rule"].items()


def test_a_reported_rule_can_be_sent_again(server: FaultyServer) -> None:
    server.set(error_rule(times=1), rule("hang", seconds=1))
    before = server.report()["rules"]
    server.set(*(entry["rule"] for entry in before))
    assert server.report()["rules"] == before


def test_new_rules_replace_the_old_and_count_from_zero(server: FaultyServer) -> None:
    server.set(error_rule(times=1), error_rule())
    server.statuses(2)
    server.set(error_rule(times=1))
    assert server.fired() == [0]
    assert server.statuses(2) == [400, 200]
    assert server.report()["calls"] == {SYNC: 4}


def test_delete_removes_rules_and_calls(server: FaultyServer) -> None:
    server.set(error_rule())
    server.statuses(1)
    server.clear()
    assert server.report() == {"rules": [], "calls": {}}
    assert server.statuses(1) == [200]


@pytest.mark.parametrize(
    ("body", "message"),
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
def test_a_malformed_rule_is_rejected_and_changes_nothing(
    server: FaultyServer, body: Any, message: str
) -> None:
    server.set(error_rule(after=1))
    server.statuses(2)
    before = server.report()
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    url = server.url + "/_control/faults"
    answer = requests.post(url, data=data, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The rules are unchanged. ")
    assert message in answer.json()["error"]
    assert server.report() == before


def test_mutate_is_rejected_without_a_mutate_function() -> None:
    app = small_app([])
    app.wsgi_app = Faults(app.wsgi_app)  # type: ignore[method-assign]
    answer = app.test_client().post("/_control/faults", json=[rule("mutate")])
    assert answer.status_code == 400
    assert "no function to call for kind 'mutate'" in answer.get_json()["error"]


def test_control_paths_have_no_faults_and_are_not_counted(server: FaultyServer) -> None:
    server.set(error_rule(path="*"))
    assert server.call("/_control/items").content == PAGE
    assert server.report()["calls"] == {}


def test_pages_of_other_sites_cannot_set_rules(server: FaultyServer) -> None:
    url, rules = server.url + "/_control/faults", json.dumps([error_rule()])
    answer = requests.post(url, data=rules, headers={"Content-Type": "text/plain"}, timeout=10)
    assert answer.status_code == 415
    elsewhere = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    assert requests.post(url, data=rules, headers=elsewhere, timeout=10).status_code == 403
    assert requests.delete(url, headers=elsewhere, timeout=10).status_code == 403
    assert server.report()["rules"] == []


def test_other_methods_are_not_allowed(server: FaultyServer) -> None:
    answer = requests.put(server.url + "/_control/faults", timeout=10)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, DELETE"
