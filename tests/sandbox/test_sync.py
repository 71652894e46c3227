"""/transactions/sync and /transactions/get over the life of an Item."""

from collections import Counter
from datetime import date, timedelta

import pytest

SYNC = "/transactions/sync"
DYNAMIC = {"override_username": "user_transactions_dynamic"}
TODAY = date(2026, 3, 15)  # conftest's clock
INITIAL_DELAY, HISTORICAL_DELAY = 10, 60  # conftest's delays


def ids(rows):
    return [row["transaction_id"] for row in rows]


def test_not_ready_then_initial_then_historical(live):
    token = live.link()
    page = live.call(SYNC, access_token=token)
    assert page["transactions_update_status"] == "NOT_READY"
    assert (page["added"], page["accounts"], page["next_cursor"]) == ([], [], "")
    assert page["has_more"] is False

    live.clock.advance(INITIAL_DELAY)
    initial, page = live.drain(token)
    assert page["transactions_update_status"] == "INITIAL_UPDATE_COMPLETE"
    oldest = min(row["date"] for row in initial["added"])
    assert date.fromisoformat(oldest) >= TODAY - timedelta(days=30)

    live.clock.advance(HISTORICAL_DELAY)
    rest, last = live.drain(token, page["next_cursor"])
    assert last["transactions_update_status"] == "HISTORICAL_UPDATE_COMPLETE"
    assert rest["modified"] == rest["removed"] == []
    whole, _ = live.drain(token)
    assert ids(whole["added"]) == ids(initial["added"]) + ids(rest["added"])
    assert len(set(ids(whole["added"]))) == len(whole["added"])


def test_two_years_of_user_good(live):
    rows = live.drain(live.link_ready())[0]["added"]
    assert 1200 <= len(rows) <= 1600
    names = Counter(row["name"] for row in rows)
    assert 46 <= names["ACH CREDIT NORTHWIND TRADERS PAYROLL"] <= 50
    assert all(row["amount"] < 0 for row in rows if "PAYROLL" in row["name"])
    assert {row["amount"] for row in rows if row["name"] == "BAYVIEW APARTMENTS RENT"} == {1850}
    prices = [row["amount"] for row in rows if row["merchant_name"] == "Spotify"]
    assert prices == sorted(prices, reverse=True)  # the newest rows come first
    assert len(set(prices)) == 3
    pending = [row for row in rows if row["pending"]]
    assert pending
    assert all(row["date"] >= str(TODAY - timedelta(days=1)) for row in pending)
    transfers = [row["amount"] for row in rows if "TRANSFER" in row["name"]]
    assert sum(transfers) == 0
    assert any("REFUND" in row["name"] and row["amount"] < 0 for row in rows)
    assert max(row["date"] for row in rows) == str(TODAY)
    assert min(row["date"] for row in rows) <= str(TODAY - timedelta(days=725))


@pytest.mark.parametrize("count", [1, 7, 100, 500])
def test_pages_of_any_size_are_the_same_update(live, count):
    token = live.link_ready(days=40)
    whole = ids(live.drain(token)[0]["added"])
    page = live.call(SYNC, access_token=token, count=count)
    assert len(page["added"]) == min(count, len(whole))
    assert page["has_more"] is (count < len(whole))
    assert ids(live.drain(token, count=count)[0]["added"]) == whole


def test_a_page_that_ends_the_update_says_so(live):
    token = live.link_ready(days=40)
    total = len(live.drain(token)[0]["added"])
    page = live.call(SYNC, access_token=token, count=total)
    assert len(page["added"]) == total
    assert page["has_more"] is False


def test_cursors_are_replayable(live):
    token = live.link_ready(**DYNAMIC)
    first = live.call(SYNC, access_token=token, count=20)
    assert live.call(SYNC, access_token=token, count=20)["added"] == first["added"]
    second = live.call(SYNC, access_token=token, cursor=first["next_cursor"], count=20)
    again = live.call(SYNC, access_token=token, cursor=first["next_cursor"], count=20)
    assert again["added"] == second["added"]
    assert not set(ids(first["added"])) & set(ids(second["added"]))

    settled = live.drain(token)[1]["next_cursor"]
    live.call("/transactions/refresh", access_token=token)
    changes, _ = live.drain(token, settled)
    replayed, _ = live.drain(token, settled)
    assert changes == replayed
    assert changes["added"]


def test_a_change_between_pages_restarts_the_update(live):
    token = live.link_ready(**DYNAMIC)
    first = live.call(SYNC, access_token=token, count=20)
    live.call("/transactions/refresh", access_token=token)
    cursor = first["next_cursor"]
    error = live.call(SYNC, _status=400, access_token=token, cursor=cursor, count=20)
    assert error["error_type"] == "TRANSACTIONS_ERROR"
    assert error["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


def test_the_historical_update_between_pages_restarts_the_update(live):
    token = live.link()
    live.clock.advance(INITIAL_DELAY)
    first = live.call(SYNC, access_token=token, count=5)
    assert first["has_more"] is True
    live.clock.advance(HISTORICAL_DELAY)
    error = live.call(SYNC, _status=400, access_token=token, cursor=first["next_cursor"])
    assert error["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


def test_a_client_that_follows_has_what_a_new_client_gets(live):
    token = live.link_ready(**DYNAMIC)
    mine, cursor = {}, ""
    for _ in range(5):
        updates, page = live.drain(token, cursor, count=7)
        cursor = page["next_cursor"]
        known = set(mine)
        assert not known & set(ids(updates["added"]))
        assert set(ids(updates["modified"])) <= known
        assert set(ids(updates["removed"])) <= known
        mine |= {row["transaction_id"]: row for row in updates["added"] + updates["modified"]}
        for row in updates["removed"]:
            assert mine.pop(row["transaction_id"])["account_id"] == row["account_id"]
        live.call("/transactions/refresh", access_token=token)
    updates, _ = live.drain(token, cursor)
    for row in updates["added"] + updates["modified"]:
        mine[row["transaction_id"]] = row
    for row in updates["removed"]:
        del mine[row["transaction_id"]]
    fresh, _ = live.drain(token)
    assert mine == {row["transaction_id"]: row for row in fresh["added"]}
    assert fresh["modified"] == fresh["removed"] == []


def test_what_posts_is_the_same_transaction_under_a_new_id(live):
    token = live.link_ready(**DYNAMIC)
    before, page = live.drain(token)
    pending = {row["transaction_id"]: row for row in before["added"] if row["pending"]}
    live.call("/transactions/refresh", access_token=token)
    changes, _ = live.drain(token, page["next_cursor"])
    assert set(ids(changes["removed"])) == set(pending)
    posted = [row for row in changes["added"] if row["pending_transaction_id"]]
    assert len(posted) == len(pending)
    for row in posted:
        old = pending[row["pending_transaction_id"]]
        assert (row["amount"], row["name"]) == (old["amount"], old["name"])
        assert row["pending"] is False
        assert row["transaction_id"] not in pending
    assert any(row["pending"] for row in changes["added"])


def test_only_the_dynamic_user_has_anything_new(live):
    token = live.link_ready()
    cursor = live.drain(token)[1]["next_cursor"]
    live.call("/transactions/refresh", access_token=token)
    assert live.drain(token, cursor)[0] == {"added": [], "modified": [], "removed": []}


def test_fifty_transactions_of_the_dynamic_user(live):
    assert len(live.drain(live.link_ready(**DYNAMIC))[0]["added"]) == 50


def test_cursors_of_others_and_of_nobody(live):
    mine, other = live.link_ready(), live.link_ready()
    theirs = live.drain(other)[1]["next_cursor"]
    for cursor in (theirs, "nonsense", "AAAA", theirs[:-8]):
        error = live.call(SYNC, _status=400, access_token=mine, cursor=cursor)
        assert error["error_code"] == "INVALID_FIELD"
        assert "cursor not associated with access_token" in error["error_message"]
    assert len(theirs) <= 256


def test_the_cursor_now_skips_the_history(live):
    token = live.link_ready(**DYNAMIC)
    page = live.call(SYNC, access_token=token, cursor="now")
    assert page["added"] == []
    live.call("/transactions/refresh", access_token=token)
    changes, _ = live.drain(token, page["next_cursor"])
    assert 0 < len(changes["added"]) < 20


def test_one_account_alone(live):
    token = live.link_ready()
    whole = live.drain(token)[0]["added"]
    card = next(row["account_id"] for row in whole if row["merchant_name"] == "Netflix")
    options = {"account_id": card}
    rows, page = live.drain(token, options=options, count=50)
    assert ids(rows["added"]) == ids(row for row in whole if row["account_id"] == card)
    assert [account["account_id"] for account in page["accounts"]] == [card]
    cursor = page["next_cursor"]
    error = live.call(SYNC, _status=400, access_token=token, cursor=cursor)
    assert error["error_code"] == "INVALID_FIELD"


def test_original_descriptions_are_on_request(live):
    token = live.link_ready(days=30)
    assert "original_description" not in live.drain(token)[0]["added"][0]
    options = {"include_original_description": True}
    rows = live.drain(token, options=options)[0]["added"]
    assert all(row["original_description"] == row["name"] for row in rows)


@pytest.mark.parametrize(("asked", "days"), [(10, 10), (None, 90), (730, 730)])
def test_the_window_is_what_was_asked_for_at_the_link(live, asked, days):
    rows = live.drain(live.link_ready(days=asked))[0]["added"]
    dates = [date.fromisoformat(row["date"]) for row in rows]
    assert TODAY - timedelta(days=days) <= min(dates) <= TODAY - timedelta(days=days - 5)


def test_the_window_of_an_item_without_transactions_is_the_first_calls(live):
    token = live.link(("auth",), days=None)
    assert live.call("/item/get", access_token=token)["item"]["products"] == ["auth"]
    live.call(SYNC, access_token=token, options={"days_requested": 45})
    live.clock.advance(HISTORICAL_DELAY)
    rows = live.drain(token, options={"days_requested": 700})[0]["added"]
    dates = [date.fromisoformat(row["date"]) for row in rows]
    assert TODAY - timedelta(days=45) <= min(dates) <= TODAY - timedelta(days=40)
    products = live.call("/item/get", access_token=token)["item"]["products"]
    assert products == ["auth", "transactions"]


def test_get_and_sync_agree(live):
    token = live.link_ready()
    synced = live.drain(token)[0]["added"]
    wanted = {"access_token": token, "start_date": "2025-01-01", "end_date": "2025-12-31"}
    got = []
    while True:
        options = {"count": 300, "offset": len(got)}
        page = live.call("/transactions/get", options=options, **wanted)
        got += page["transactions"]
        if len(got) >= page["total_transactions"]:
            break
    in_year = [row for row in synced if row["date"].startswith("2025")]
    assert sorted(ids(got)) == sorted(ids(in_year))
    assert [row["date"] for row in got] == sorted((row["date"] for row in got), reverse=True)

    account = got[0]["account_id"]
    options = {"account_ids": [account], "count": 500}
    page = live.call("/transactions/get", options=options, **wanted)
    assert ids(page["transactions"]) == ids(row for row in got if row["account_id"] == account)
    assert [one["account_id"] for one in page["accounts"]] == [account]


def test_the_same_seed_and_day_make_the_same_world(serve):
    worlds = [serve(seed=seed) for seed in (7, 7, 8)]
    tokens = [live.link_ready() for live in worlds]
    assert tokens[0] == tokens[1] != tokens[2]
    first, same, other = (
        live.drain(token)[0]["added"] for live, token in zip(worlds, tokens, strict=True)
    )
    assert first == same
    assert [row["amount"] for row in first] != [row["amount"] for row in other]
    assert not set(ids(first)) & set(ids(other))


def test_only_accounts_that_have_transactions_are_listed(live):
    page = live.call(SYNC, access_token=live.link_ready())
    assert {account["type"] for account in page["accounts"]} == {"depository", "credit", "loan"}
