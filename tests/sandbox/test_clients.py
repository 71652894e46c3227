"""An Item belongs to the client that made it."""

STRANGER = {"client_id": "stranger", "secret": "theirs"}


PATHS = ("/item/get", "/accounts/get", "/transactions/sync", "/item/remove",
         "/item/webhook/update", "/item/access_token/invalidate",
         "/sandbox/item/reset_login")  # fmt: skip


def test_another_client_cannot_use_an_access_token(live, error_of):
    token = live.link_ready()
    for path in PATHS:
        error = error_of(path, access_token=token, **STRANGER)
        assert error[:2] == ("INVALID_INPUT", "INVALID_ACCESS_TOKEN")
    assert live.call("/item/get", access_token=token)["item"]["error"] is None


def test_another_client_cannot_exchange_a_public_token(live, error_of):
    token = live.public_token()
    error = error_of("/item/public_token/exchange", public_token=token, **STRANGER)
    assert error[:2] == ("INVALID_INPUT", "INVALID_PUBLIC_TOKEN")
    assert live.call("/item/public_token/exchange", public_token=token)["access_token"]


def test_the_client_may_be_named_in_a_header(live):
    token = live.link_ready()
    keys = {"PLAID-CLIENT-ID": "stranger", "PLAID-SECRET": "theirs"}
    url, body = live.url + "/item/get", {"access_token": token}
    answer = live.session.post(url, json=body, headers=keys)
    assert answer.json()["error_code"] == "INVALID_ACCESS_TOKEN"
    keys["PLAID-CLIENT-ID"] = "me"
    assert live.session.post(url, json=body, headers=keys).status_code == 200
