"""The LINK webhooks of sessions, checked with plaid-python's models."""

import json

import pytest
import requests_mock
from plaid.model.item_add_result_webhook import ItemAddResultWebhook
from plaid.model.link_events_webhook import LinkEventsWebhook
from plaid.model.link_session_finished_webhook import LinkSessionFinishedWebhook

from tests.link_walker import walk
from tests.sandbox.conftest import FIRST_BANK

HOOK = "https://receiver.test/hook"
MODELS = {
    "ITEM_ADD_RESULT": ItemAddResultWebhook,
    "EVENTS": LinkEventsWebhook,
    "SESSION_FINISHED": LinkSessionFinishedWebhook,
}


@pytest.fixture
def received(live, eventually):
    """Wait until exactly these LINK webhooks have arrived, check and return them."""
    with requests_mock.Mocker(real_http=True) as mock:
        mock.post(HOOK, status_code=200)

        def bodies():
            sent = [json.loads(r.body) for r in mock.request_history if r.url == HOOK]
            return [body for body in sent if body["webhook_type"] == "LINK"]

        def wait(*codes):
            eventually(lambda: len(bodies()) >= len(codes))
            assert [body["webhook_code"] for body in bodies()] == list(codes)
            for body in bodies():
                live.api_client.deserialize(
                    FakeAnswer(body), (MODELS[body["webhook_code"]],), _check_type=True
                )
            return bodies()

        yield wait


class FakeAnswer:
    """What plaid-python's client decodes."""

    def __init__(self, body):
        self.data = json.dumps(body)


def test_a_session_that_succeeds(hosted_link, sessions_of, received):
    link = hosted_link(webhook=HOOK)
    walk(link["hosted_link_url"])
    added, finished, events = received("ITEM_ADD_RESULT", "SESSION_FINISHED", "EVENTS")
    (session,) = sessions_of(link)
    (result,) = session["results"]["item_add_results"]
    same = {
        "webhook_type": "LINK",
        "link_session_id": session["link_session_id"],
        "link_token": link["link_token"],
        "environment": "sandbox",
    }
    token = result["public_token"]
    assert added == same | {"webhook_code": "ITEM_ADD_RESULT", "public_token": token}
    assert finished == same | {
        "webhook_code": "SESSION_FINISHED",
        "status": "SUCCESS",
        "public_token": token,
        "public_tokens": [token],
    }
    assert events == same | {"webhook_code": "EVENTS", "events": session["events"]}


def test_a_session_that_is_left(hosted_link, received):
    link = hosted_link(webhook=HOOK)
    walk(link["hosted_link_url"], cancel_at="accounts")
    finished, _ = received("SESSION_FINISHED", "EVENTS")
    assert finished["status"] == "EXITED"
    assert finished["public_tokens"] == []
    assert "public_token" not in finished


def test_each_of_several_items_is_announced(hosted_link, received):
    link = hosted_link(webhook=HOOK, enable_multi_item_link=True)
    walk(link["hosted_link_url"], bank=[FIRST_BANK, "ins_109511"], password=["pass_good"] * 2)
    first, second, finished, _ = received(
        "ITEM_ADD_RESULT", "ITEM_ADD_RESULT", "SESSION_FINISHED", "EVENTS"
    )
    assert finished["public_tokens"] == [first["public_token"], second["public_token"]]


def test_the_events_of_a_closed_tab_come_ten_minutes_later(live, hosted_link, received):
    link = hosted_link(webhook=HOOK)
    walk(link["hosted_link_url"], stop_at="credentials")
    live.clock.advance(5 * 60)
    walk(link["hosted_link_url"], cancel_at="institution")
    received("SESSION_FINISHED", "EVENTS")
    live.clock.advance(5 * 60)
    *_, late = received("SESSION_FINISHED", "EVENTS", "EVENTS")
    assert late["events"][0]["event_metadata"]["view_name"] == "CREDENTIAL"


def test_a_repaired_item_sends_what_a_healthy_one_sends(live, connect, hosted_link, eventually):
    with requests_mock.Mocker(real_http=True) as mock:
        mock.post(HOOK, status_code=200)
        token = connect()
        live.clock.advance(60)
        live.sync_all(token)
        live.call("/item/webhook/update", access_token=token, webhook=HOOK)
        live.call("/sandbox/item/reset_login", access_token=token)
        link = hosted_link(access_token=token, products=None)
        walk(link["hosted_link_url"])

        def codes():
            sent = [json.loads(r.body) for r in mock.request_history if r.url == HOOK]
            return [body["webhook_code"] for body in sent]

        eventually(lambda: "SYNC_UPDATES_AVAILABLE" in codes())
        # The app knows that its own user has repaired the Item.
        assert "LOGIN_REPAIRED" not in codes()


def test_a_link_without_a_webhook_sends_none(live, hosted_link):
    walk(hosted_link()["hosted_link_url"])
    with live.app.extensions["sandbox"].store.read() as db:
        assert db.execute("SELECT count(*) FROM delivery").fetchone()[0] == 0
