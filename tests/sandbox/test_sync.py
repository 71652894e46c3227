"""/transactions/sync and /transactions/get, from the first update to later changes."""

from datetime import date, timedelta

import pytest

SYNC = "/transactions/sync"
DYNAMIC = {"override_username": "user_transactions_dynamic"}
TODAY = date(2026, 3, 15)  # conftest's clock
INITIAL_DELAY, HISTORICAL_DELAY = 10, 60  # conftest's delays


def ids(rows):
    return [row["transaction_id"] for row in rows]


def test_status_goes_from_not_ready_to_initial_to_historical(live):
    token = live.link()
    page = live.call(SYNC, access_token=token)
    assert page["transactions_update_status"] == "NOT_READY"
    assert (page["added"], page["accounts"], page["next_cursor"]) == ([], [], "")
    assert page["has_more"] is False

    live.clock.advance(INITIAL_DELAY)
    initial, page = live.sync_all(token)
    assert page["transactions_update_status"] == "INITIAL_UPDATE_COMPLETE"
    oldest = min(row["date"] for row in initial["added"])
    assert date.fromisoformat(oldest) >= TODAY - timedelta(days=30)

    live.clock.advance(HISTORICAL_DELAY)
    rest, last = live.sync_all(token, page["next_cursor"])
    assert last["transactions_update_status"] == "HISTORICAL_UPDATE_COMPLETE"
    assert rest["modified"] == rest["removed"] == []
    whole, _ = live.sync_all(token)
    assert ids(whole["added"]) == ids(initial["added"]) + ids(rest["added"])
    assert len(set(ids(whole["added"]))) == len(whole["added"])


@pytest.mark.parametrize("count", [1, 7, 100, 500])
def test_page_size_does_not_change_the_update(live, count):
    token = live.link_ready(days=40)
    whole = ids(live.sync_all(token)[0]["added"])
    page = live.call(SYNC, access_token=token, count=count)
    assert len(page["added"]) == min(count, len(whole))
    assert page["has_more"] is (count < len(whole))
    assert ids(live.sync_all(token, count=count)[0]["added"]) == whole


def test_has_more_is_false_on_an_exactly_full_last_page(live):
    token = live.link_ready(days=40)
    total = len(live.sync_all(token)[0]["added"])
    page = live.call(SYNC, access_token=token, count=total)
    assert len(page["added"]) == total
    assert page["has_more"] is False


def test_a_cursor_gives_the_same_page_again(live):
    token = live.link_ready(**DYNAMIC)
    first = live.call(SYNC, access_token=token, count=20)
    assert live.call(SYNC, access_token=token, count=20)["added"] == first["added"]
    second = live.call(SYNC, access_token=token, cursor=first["next_cursor"], count=20)
    again = live.call(SYNC, access_token=token, cursor=first["next_cursor"], count=20)
    assert again["added"] == second["added"]
    assert not set(ids(first["added"])) & set(ids(second["added"]))

    caught_up = live.sync_all(token)[1]["next_cursor"]
    live.call("/transactions/refresh", access_token=token)
    changes, _ = live.sync_all(token, caught_up)
    replayed, _ = live.sync_all(token, caught_up)
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


def test_a_historical_update_between_pages_restarts_the_update(live):
    token = live.link()
    live.clock.advance(INITIAL_DELAY)
    first = live.call(SYNC, access_token=token, count=5)
    assert first["has_more"] is True
    live.clock.advance(HISTORICAL_DELAY)
    error = live.call(SYNC, _status=400, access_token=token, cursor=first["next_cursor"])
    assert error["error_code"] == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


def test_incremental_updates_match_a_full_sync(live):
    token = live.link_ready(**DYNAMIC)
    mine, cursor = {}, ""
    for _ in range(5):
        updates, page = live.sync_all(token, cursor, count=7)
        cursor = page["next_cursor"]
        known = set(mine)
        assert not known & set(ids(updates["added"]))
        assert set(ids(updates["modified"])) <= known
        assert set(ids(updates["removed"])) <= known
        mine |= {row["transaction_id"]: row for row in updates["added"] + updates["modified"]}
        for row in updates["removed"]:
            assert mine.pop(row["transaction_id"])["account_id"] == row["account_id"]
        live.be_active(token)
    updates, _ = live.sync_all(token, cursor)
    for row in updates["added"] + updates["modified"]:
        mine[row["transaction_id"]] = row
    for row in updates["removed"]:
        del mine[row["transaction_id"]]
    fresh, _ = live.sync_all(token)
    assert mine == {row["transaction_id"]: row for row in fresh["added"]}
    assert fresh["modified"] == fresh["removed"] == []


def test_a_pending_row_posts_under_a_new_id(live):
    token = live.link_ready(**DYNAMIC)
    before, page = live.sync_all(token)
    pending = {row["transaction_id"]: row for row in before["added"] if row["pending"]}
    live.call("/transactions/refresh", access_token=token)
    changes, _ = live.sync_all(token, page["next_cursor"])
    assert set(ids(changes["removed"])) == set(pending)
    posted = [row for row in changes["added"] if row["pending_transaction_id"]]
    assert len(posted) == len(pending)
    for row in posted:
        old = pending[row["pending_transaction_id"]]
        assert (row["amount"], row["name"]) == (old["amount"], old["name"])
        assert row["pending"] is False
        assert row["transaction_id"] not in pending
    assert any(row["pending"] for row in changes["added"])


def test_refresh_changes_only_the_dynamic_user(live):
    token = live.link_ready()
    cursor = live.sync_all(token)[1]["next_cursor"]
    live.clock.advance(3600)
    live.call("/transactions/refresh", access_token=token)
    assert live.sync_all(token, cursor)[0] == {"added": [], "modified": [], "removed": []}
    status = live.call("/item/get", access_token=token)["status"]["transactions"]
    assert status["last_successful_update"] == "2026-03-15T13:01:00Z"


def test_refresh_before_the_history_is_complete_changes_nothing(live):
    token = live.link(**DYNAMIC)
    live.call("/transactions/refresh", access_token=token)
    live.clock.advance(HISTORICAL_DELAY)
    assert len(live.sync_all(token)[0]["added"]) == 50


def test_refresh_needs_the_transactions_product(live, error_of):
    token = live.link(("auth",), days=None)
    error = error_of("/transactions/refresh", access_token=token)
    assert error[:2] == ("ITEM_ERROR", "PRODUCT_NOT_ENABLED")


def test_refresh_is_limited_to_two_calls_a_minute(live, error_of):
    token, other = live.link_ready(), live.link_ready()
    limit = ("RATE_LIMIT_EXCEEDED", "TRANSACTIONS_REFRESH_LIMIT")
    live.call("/transactions/refresh", access_token=token)
    live.clock.advance(30)
    live.call("/transactions/refresh", access_token=token)
    assert error_of("/transactions/refresh", status=429, access_token=token)[:2] == limit
    live.call("/transactions/refresh", access_token=other)
    live.clock.advance(30)
    live.call("/transactions/refresh", access_token=token)
    assert error_of("/transactions/refresh", status=429, access_token=token)[:2] == limit


def test_all_items_of_a_client_share_another_limit(live, error_of, monkeypatch):
    monkeypatch.setattr("sandbox.refresh_limit.PER_CLIENT", 3)
    first, second = live.link_ready(), live.link_ready()
    for token in (first, first, second):
        live.call("/transactions/refresh", access_token=token)
    error = error_of("/transactions/refresh", status=429, access_token=second)
    assert error[1] == "TRANSACTIONS_REFRESH_LIMIT"


def test_the_dynamic_user_has_fifty_transactions(live):
    assert len(live.sync_all(live.link_ready(**DYNAMIC))[0]["added"]) == 50


def test_foreign_and_invalid_cursors_are_rejected(live):
    mine, other = live.link_ready(), live.link_ready()
    theirs = live.sync_all(other)[1]["next_cursor"]
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
    changes, _ = live.sync_all(token, page["next_cursor"])
    assert 0 < len(changes["added"]) < 20


def test_account_id_limits_the_update(live):
    token = live.link_ready()
    whole = live.sync_all(token)[0]["added"]
    card = next(row["account_id"] for row in whole if row["merchant_name"] == "Netflix")
    options = {"account_id": card}
    rows, page = live.sync_all(token, options=options, count=50)
    assert ids(rows["added"]) == ids(row for row in whole if row["account_id"] == card)
    assert [account["account_id"] for account in page["accounts"]] == [card]
    cursor = page["next_cursor"]
    error = live.call(SYNC, _status=400, access_token=token, cursor=cursor)
    assert error["error_code"] == "INVALID_FIELD"


def test_original_descriptions_are_optional(live):
    token = live.link_ready(days=30)
    assert "original_description" not in live.sync_all(token)[0]["added"][0]
    options = {"include_original_description": True}
    rows = live.sync_all(token, options=options)[0]["added"]
    assert all(row["original_description"] == row["name"] for row in rows)


@pytest.mark.parametrize(("asked", "version", "wages"), [
    (None, "v1", "INCOME_WAGES"), ("v1", "v1", "INCOME_WAGES"), ("v2", "v2", "INCOME_SALARY"),
])  # fmt: skip
def test_categories_have_the_version_that_was_asked_for(live, asked, version, wages):
    options = {"personal_finance_category_version": asked} if asked else {}
    token = live.link_ready(days=90)
    synced = live.sync_all(token, options=options)[0]["added"]
    window = {"start_date": str(TODAY - timedelta(days=90)), "end_date": str(TODAY)}
    listed = live.call("/transactions/get", access_token=token, options=options, **window)
    recurring = live.call("/transactions/recurring/get", access_token=token, options=options)
    assert recurring["personal_finance_category_version"] == version
    for rows in (synced, listed["transactions"], recurring["inflow_streams"]):
        categories = [row["personal_finance_category"] for row in rows]
        assert {category["version"] for category in categories} == {version}
        incomes = {each["detailed"] for each in categories if each["primary"] == "INCOME"}
        assert wages in incomes
        assert not incomes & ({"INCOME_WAGES", "INCOME_SALARY"} - {wages})


@pytest.mark.parametrize(("requested", "days"), [(10, 10), (None, 90), (730, 730)])
def test_days_requested_at_linking_set_the_window(live, requested, days):
    rows = live.sync_all(live.link_ready(days=requested))[0]["added"]
    dates = [date.fromisoformat(row["date"]) for row in rows]
    assert TODAY - timedelta(days=days) <= min(dates) <= TODAY - timedelta(days=days - 5)


def test_the_first_sync_sets_the_window_of_an_item_without_transactions(live):
    token = live.link(("auth",), days=None)
    assert live.call("/item/get", access_token=token)["item"]["products"] == ["auth"]
    live.call(SYNC, access_token=token, options={"days_requested": 45})
    live.clock.advance(HISTORICAL_DELAY)
    rows = live.sync_all(token, options={"days_requested": 700})[0]["added"]
    dates = [date.fromisoformat(row["date"]) for row in rows]
    assert TODAY - timedelta(days=45) <= min(dates) <= TODAY - timedelta(days=40)
    products = live.call("/item/get", access_token=token)["item"]["products"]
    assert products == ["auth", "transactions"]


def test_get_and_sync_agree(live):
    token = live.link_ready()
    synced = live.sync_all(token)[0]["added"]
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


def test_the_same_seed_and_day_give_the_same_data(serve):
    sandboxes = [serve(seed=seed) for seed in (7, 7, 8)]
    tokens = [live.link_ready() for live in sandboxes]
    assert tokens[0] == tokens[1] != tokens[2]
    first, same, other = (
        live.sync_all(token)[0]["added"] for live, token in zip(sandboxes, tokens, strict=True)
    )
    assert first == same
    assert [row["amount"] for row in first] != [row["amount"] for row in other]
    assert not set(ids(first)) & set(ids(other))


def test_only_accounts_that_have_transactions_are_listed(live):
    page = live.call(SYNC, access_token=live.link_ready())
    assert {account["type"] for account in page["accounts"]} == {"depository", "credit", "loan"}
