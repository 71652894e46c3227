"""Every endpoint of Bank against the sandbox, and every way in which a call can fail."""

import gzip
import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet

from plaidapp import policy
from plaidapp.bank.error_sentences import NONSENSE, TIMEOUT, UNREACHABLE
from plaidapp.bank.errors import BankError
from plaidapp.bank.responses import decode_page
from plaidapp.sealing import Cipher, Sealed

NOW = datetime.now(UTC)
RECENT = (NOW - timedelta(days=10)).date()
ENDPOINTS = {
    "sandbox_public_token": ("/sandbox/public_token/create", "public_token"),
    "exchange": ("/item/public_token/exchange", "access_token"),
    "accounts": ("/accounts/get", "accounts"),
    "balances": ("/accounts/balance/get", "item"),
    "sync_page": ("/transactions/sync", "next_cursor"),
    "recurring": ("/transactions/recurring/get", "outflow_streams"),
}
PATIENCE = 0.3


@pytest.fixture
def link(bank, custom_user):
    def connect(*amounts, **options):
        password = custom_user(*amounts, day=RECENT.isoformat(), **options)
        return bank.exchange(1, bank.sandbox_public_token("ins_109508", "user_custom", password))

    return connect


@pytest.fixture
def ask(bank, link):
    """Prepare a call of any endpoint; `ask(client, name)()` makes it."""

    def prepare(client, name):
        if name == "sandbox_public_token":
            return lambda: client.sandbox_public_token("ins_109508", "", "")
        if name == "exchange":
            token = bank.sandbox_public_token("ins_109508", "user_transactions_dynamic", "any")
            return lambda: client.exchange(1, token)
        sealed = link("1").token
        if name == "sync_page":
            return lambda: decode_page(client.sync_page(sealed, ""))
        if name == "balances":
            return lambda: client.balances(sealed, NOW)
        return lambda: getattr(client, name)(sealed)

    return prepare


def problem_of(call):
    with pytest.raises(BankError) as caught:
        call()
    return caught.value


def test_a_public_token_becomes_a_connection(bank, cipher):
    public_token = bank.sandbox_public_token("ins_109508", "", "")
    connection = bank.exchange(1, public_token)
    assert public_token.startswith("public-sandbox-")
    assert cipher.decrypt(connection.token).startswith("access-sandbox-")
    assert connection.plaid_item_id


@pytest.mark.parametrize("endpoint", ["accounts", "balances"])
def test_accounts_come_with_their_balances_digit_for_digit(bank, endpoint):
    sealed = bank.exchange(1, bank.sandbox_public_token("ins_109508", "", "")).token
    answer = bank.accounts(sealed) if endpoint == "accounts" else bank.balances(sealed, NOW)
    shown = {(a.name, a.mask): a.balances for a in answer.accounts}
    assert len(shown) == 9
    assert shown["Plaid Checking", "0000"].available == 100
    assert shown["Plaid 401k", "6666"].current == Decimal("23631.9805")
    assert shown["Plaid 401k", "6666"].available is None
    assert shown["Plaid Credit Card", "3333"].limit == 2000
    assert answer.item.institution_id == "ins_109508"
    assert answer.item.institution_name == "First Platypus Bank"
    assert answer.request_id


@pytest.mark.parametrize(
    "amount", ["42", "7.50", "-7500", "0.00000001", "1234567.1234567", "89999999999.99999999"]
)
def test_a_transactions_amount_keeps_its_digits(bank, link, amount):
    page = decode_page(bank.sync_page(link(amount).token, ""))
    assert [f"{row.amount:f}" for row in page.added] == [amount]


def test_a_synced_row_has_the_banks_values(bank, link):
    page = decode_page(bank.sync_page(link("5").token, ""))
    (row,) = page.added
    assert (row.title, row.date, row.pending) == ("row 0", RECENT, False)
    assert row.iso_currency_code == "USD"
    assert [account.account_id for account in page.accounts] == [row.account_id]
    assert page.transactions_update_status == "HISTORICAL_UPDATE_COMPLETE"


def test_recurring_amounts_keep_their_digits(bank, bank_server, cipher):
    sealed = bank.exchange(1, bank.sandbox_public_token("ins_109508", "", "")).token
    answer = bank.recurring(sealed)
    token = cipher.decrypt(sealed)
    response = bank_server.call("/transactions/recurring/get", access_token=token)
    for streams, direction in (
        (answer.outflow_streams, "outflow_streams"),
        (answer.inflow_streams, "inflow_streams"),
    ):
        assert [str(stream.last_amount.amount) for stream in streams] == [
            str(stream["last_amount"]["amount"]) for stream in response[direction]
        ]
    (netflix,) = [row for row in answer.outflow_streams if row.merchant_name == "Netflix"]
    assert (netflix.category.primary, netflix.last_amount.iso_currency_code) == (
        "ENTERTAINMENT",
        "USD",
    )
    assert len(netflix.transaction_ids) == 24
    (pay,) = [stream for stream in answer.inflow_streams if "PAYROLL" in stream.description]
    assert (pay.frequency, pay.last_amount.amount) == ("SEMI_MONTHLY", Decimal("-2128.65"))


def test_a_sync_asks_for_two_years(bank, custom_user):
    old = (datetime.now(UTC) - timedelta(days=729)).date().isoformat()
    token = bank.sandbox_public_token("ins_109508", "user_custom", custom_user("3", day=old))
    page = decode_page(bank.sync_page(bank.exchange(1, token).token, ""))
    assert [row.date.isoformat() for row in page.added] == [old]


def test_every_page_asks_for_the_maximum(client_for, canned, cipher):
    client_for(canned.url).sync_page(Sealed("", cipher.encrypt("", "access")), "c1")
    assert (canned.asked["cursor"], canned.asked["count"]) == ("c1", 500)
    assert canned.asked["options"]["days_requested"] == 730


def test_rows_come_with_the_second_version_of_categories(bank, link, canned, client_for, cipher):
    sealed = link("5", "-7").token
    synced = decode_page(bank.sync_page(sealed, "")).added
    listed = bank.transactions_page(sealed, RECENT, RECENT, 0).transactions
    for rows in (synced, listed):
        assert {row.category.version for row in rows} == {"v2"}
        assert {row.category.detailed for row in rows if row.amount < 0} == {"INCOME_OTHER"}
        assert all(row.original_description == row.name for row in rows)
    canned_bank, token = client_for(canned.url), Sealed("", cipher.encrypt("", "access"))
    canned.says({"inflow_streams": [], "outflow_streams": [], "request_id": "r"})
    canned_bank.recurring(token)
    assert canned.asked["options"] == {"personal_finance_category_version": "v2"}


def test_the_cursor_continues_where_the_last_page_ended(bank, link):
    sealed = link("5").token
    cursor = decode_page(bank.sync_page(sealed, "")).next_cursor
    assert decode_page(bank.sync_page(sealed, cursor)).added == []


def error(status, error_type, error_code):
    return {
        "kind": "error",
        "status": status,
        "error_type": error_type,
        "error_code": error_code,
    }


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("rule", "code", "retryable"),
    [
        ({"kind": "delay", "seconds": 30}, TIMEOUT, True),
        ({"kind": "hang", "seconds": 30}, TIMEOUT, True),
        ({"kind": "drip", "seconds": 30}, TIMEOUT, True),
        ({"kind": "truncate"}, UNREACHABLE, True),
        ({"kind": "reset"}, UNREACHABLE, True),
        ({"kind": "garbage"}, NONSENSE, True),
        ({"kind": "wrong_types"}, NONSENSE, True),
        ({"kind": "missing_field"}, NONSENSE, True),
        ({"kind": "rate_limit", "limit": 0, "seconds": 60}, "LIMIT", True),
        (error(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED"), "ITEM_LOGIN_REQUIRED", False),
        (error(500, "API_ERROR", "INTERNAL_SERVER_ERROR"), "INTERNAL_SERVER_ERROR", True),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_every_fault_becomes_a_bank_error(
    client_for, bank_server, ask, endpoint, rule, code, retryable
):
    path, field = ENDPOINTS[endpoint]
    call = ask(client_for(bank_server.url, PATIENCE if "seconds" in rule else 5), endpoint)
    extra = {"field": field} if rule["kind"] == "missing_field" else {}
    bank_server.misbehave(path=path, **rule, **extra)
    problem = problem_of(call)
    assert problem.code.endswith(code)
    assert problem.retryable is retryable
    assert problem.message.endswith(".")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_address_without_a_server_is_unreachable(client_for, nobody, ask, endpoint):
    problem = problem_of(ask(client_for(nobody), endpoint))
    assert (problem.code, problem.retryable) == (UNREACHABLE, True)


def test_a_host_without_an_address_is_unreachable(client_for, ask):
    problem = problem_of(ask(client_for("http://bank.invalid"), "sandbox_public_token"))
    assert (problem.code, problem.retryable) == (UNREACHABLE, True)


def test_a_host_that_cannot_speak_tls_is_unreachable_and_the_log_says_why(
    client_for, canned, ask, caplog
):
    there = canned.url.replace("http://", "https://")
    problem = problem_of(ask(client_for(there), "sandbox_public_token"))
    assert (problem.code, problem.retryable) == (UNREACHABLE, True)
    assert "The call of /sandbox/public_token/create failed: TLSError" in caplog.text


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, b"<html>Internal Server Error</html>", UNREACHABLE),
        (500, b"", UNREACHABLE),
        (502, b"\xff\xfe", NONSENSE),
        (503, b'{"x": ' + b"[" * 200_000, UNREACHABLE),
        (400, b"", NONSENSE),
        (400, b'{"error_code": 7}', NONSENSE),
        (400, rb'{"error_type": "A", "error_code": "\u0000"}', NONSENSE),
        (302, b"", NONSENSE),
        (200, b"", NONSENSE),
        (200, b"null", NONSENSE),
        (200, b"[]", NONSENSE),
        (200, b"\xff", NONSENSE),
        (200, b'{"x": ' + b"[" * 200_000, NONSENSE),
        (204, b"", NONSENSE),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_response_that_plaid_does_not_document_is_an_error(
    client_for, canned, ask, endpoint, status, body, code
):
    canned.says(body, status)
    problem = problem_of(ask(client_for(canned.url), endpoint))
    assert (problem.code, problem.retryable) == (code, True)


def test_a_redirect_is_not_followed(client_for, canned, bank_server, ask):
    canned.says(b"", 307, Location=f"{bank_server.url}/sandbox/public_token/create")
    problem = problem_of(ask(client_for(canned.url), "sandbox_public_token"))
    assert problem.code == NONSENSE


def test_corrupt_compression_is_a_bank_error(client_for, canned, ask):
    canned.says(gzip.compress(b'{"public_token": "p"}')[:-12], **{"Content-Encoding": "gzip"})
    canned.body = b"\x1f\x8b" + b"\0" * 40
    problem = problem_of(ask(client_for(canned.url), "sandbox_public_token"))
    assert problem.retryable


def test_a_compressed_response_is_read(client_for, canned):
    canned.says(gzip.compress(b'{"public_token": "p"}'), **{"Content-Encoding": "gzip"})
    assert client_for(canned.url).sandbox_public_token("ins_1", "", "") == "p"


def test_a_response_that_is_too_large_is_cut_off(client_for, canned, ask, monkeypatch):
    monkeypatch.setattr("plaidapp.bank.transport.MAX_RESPONSE", 1000)
    canned.says({"public_token": "p" * 2000})
    problem = problem_of(ask(client_for(canned.url), "sandbox_public_token"))
    assert problem.code == UNREACHABLE


@pytest.mark.parametrize(
    ("status", "error_type", "code", "retryable", "words"),
    [
        (400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED", False, "log in again"),
        (400, "ITEM_ERROR", "INVALID_CREDENTIALS", False, "username and password"),
        (400, "ITEM_ERROR", "PRODUCT_NOT_READY", True, "still preparing"),
        (400, "INVALID_INPUT", "INVALID_API_KEYS", False, "keys"),
        (400, "INSTITUTION_ERROR", "INSTITUTION_DOWN", True, "down"),
        (400, "INSTITUTION_ERROR", "INSTITUTION_NO_LONGER_SUPPORTED", False, "no longer supports"),
        (400, "ITEM_ERROR", "ITEM_LOCKED_TEMPORARILY", True, "for a short time"),
        (429, "RATE_LIMIT_EXCEEDED", "TRANSACTIONS_SYNC_LIMIT", True, "limiting requests"),
        (429, "OTHER", "SOMETHING_NEW", True, "limiting requests"),
        (408, "OTHER", "SOMETHING_NEW", True, "can’t do this"),
        (500, "API_ERROR", "INTERNAL_SERVER_ERROR", True, "having trouble"),
        (400, "API_ERROR", "PLANNED_MAINTENANCE", True, "maintenance"),
        (503, "OTHER", "SOMETHING_NEW", True, "having trouble"),
        (400, "INVALID_REQUEST", "SOMETHING_NEW", False, "can’t do this"),
    ],
)
def test_plaids_error_objects_are_understood(
    client_for, canned, ask, status, error_type, code, retryable, words
):
    canned.says(
        {
            "error_type": error_type,
            "error_code": code,
            "error_message": "what Plaid said",
            "display_message": None,
            "request_id": "r123",
        },
        status,
    )
    problem = problem_of(ask(client_for(canned.url), "accounts"))
    assert (problem.code, problem.retryable, problem.request_id) == (code, retryable, "r123")
    assert words in problem.message


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "3"}, 3),
        (429, {"Retry-After": "600"}, 600),
        (429, {}, policy.RATE_LIMIT_WAIT),
        (503, {"Retry-After": "600"}, 600),
        (503, {}, 0),
    ],
)
def test_plaids_retry_after_counts_more_than_the_usual_wait(
    client_for, canned, ask, status, headers, wait
):
    canned.says({"error_type": "OTHER", "error_code": "SLOW_DOWN"}, status, **headers)
    assert problem_of(ask(client_for(canned.url), "accounts")).wait == wait


def test_a_display_message_is_what_the_person_reads(client_for, canned, ask):
    canned.says(
        {
            "error_type": "ITEM_ERROR",
            "error_code": "NEW",
            "error_message": "internal words",
            "display_message": "Your bank is on holiday.",
        },
        400,
    )
    assert problem_of(ask(client_for(canned.url), "accounts")).message == "Your bank is on holiday."


@pytest.mark.parametrize(
    "told",
    [
        "alice@example.com is locked.",
        "Account 000123456789 is locked.",
        "access-sandbox-2f1e0ad8 is unknown.",
        "A long story. " * 30,
    ],
)
def test_a_display_message_with_something_private_is_not_shown(client_for, canned, ask, told):
    canned.says({"error_type": "ITEM_ERROR", "error_code": "NEW", "display_message": told}, 400)
    problem = problem_of(ask(client_for(canned.url), "accounts"))
    assert problem.message == "Plaid can’t do this for the bank right now."


@pytest.mark.parametrize(
    ("username", "institution", "code"),
    [("user_bad", "ins_109508", "INVALID_CREDENTIALS"), ("", "ins_none", "INVALID_INSTITUTION")],
)
def test_the_sandbox_refuses_wrong_input(bank, username, institution, code):
    problem = problem_of(lambda: bank.sandbox_public_token(institution, username, "x"))
    assert (problem.code, problem.retryable) == (code, False)
    assert problem.request_id


def test_an_expired_log_in_is_final(bank, bank_server, link, cipher):
    sealed = link("1").token
    token = cipher.decrypt(sealed)
    bank_server.call("/sandbox/item/reset_login", access_token=token)
    problem = problem_of(lambda: bank.balances(sealed, NOW))
    assert (problem.code, problem.retryable) == ("ITEM_LOGIN_REQUIRED", False)


def test_wrong_api_keys_are_final(client_for, bank_server):
    client = client_for(bank_server.url, secret="wrong")
    problem = problem_of(lambda: client.sandbox_public_token("ins_1", "", ""))
    assert (problem.code, problem.retryable) == ("INVALID_API_KEYS", False)


@pytest.mark.parametrize("endpoint", ["accounts", "balances", "sync_page"])
def test_a_token_encrypted_with_another_key_is_unreadable(client_for, nobody, ask, endpoint):
    stranger = Cipher([Fernet.generate_key().decode()])
    problem = problem_of(ask(client_for(nobody, cipher=stranger), endpoint))
    assert (problem.code, problem.retryable) == ("TOKEN_UNREADABLE", False)


@pytest.mark.parametrize("kind", ["garbage", "reset", "missing_field", "error", None])
def test_the_access_token_is_in_no_log_and_no_error(bank, bank_server, link, cipher, caplog, kind):
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "plaid"):
        caplog.set_level(logging.DEBUG, logger=name)
    sealed = link("1").token
    token = cipher.decrypt(sealed)
    seen = []
    if kind:
        extra = {"field": "accounts"} if kind == "missing_field" else {}
        extra |= error(400, "ITEM_ERROR", "NO_ACCOUNTS") if kind == "error" else {"kind": kind}
        bank_server.misbehave(path="/accounts/get", **extra)
        problem = problem_of(lambda: bank.accounts(sealed))
        seen += [str(problem), repr(problem), repr(problem.args)]
    else:
        bank.accounts(sealed)
    assert "urllib3" in caplog.text
    assert token not in "".join([caplog.text, *seen])


def test_the_refused_token_is_not_repeated(client_for, bank_server, cipher):
    sealed = Sealed("", cipher.encrypt("", "access-sandbox-of-nobody"))
    problem = problem_of(lambda: client_for(bank_server.url).accounts(sealed))
    assert problem.code == "INVALID_ACCESS_TOKEN"
    assert "of-nobody" not in f"{problem} {problem!r} {problem.args}"


def test_the_call_after_a_broken_response_works(client_for, bank_server, ask):
    call = ask(client_for(bank_server.url), "accounts")
    bank_server.misbehave(kind="truncate", path="/accounts/get", times=1)
    assert problem_of(call).code == UNREACHABLE
    assert len(call().accounts) == 1


def test_one_client_serves_many_threads(bank, link):
    connections = [link(str(amount)).token for amount in range(1, 9)]
    seen = {}

    def read(number, sealed):
        seen[number] = [row.amount for row in decode_page(bank.sync_page(sealed, "")).added]

    threads = [threading.Thread(target=read, args=pair) for pair in enumerate(connections, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: [number] for number in range(1, 9)}


def test_headers_that_arrive_slowly_do_not_extend_the_deadline(client_for):
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                for number in range(100):
                    if over.wait(0.2):
                        return
                    try:
                        connection.sendall(f"X-{number}: y\r\n".encode())
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        client = client_for(f"http://127.0.0.1:{server.getsockname()[1]}", 0.5)
        problem = problem_of(lambda: client.sandbox_public_token("ins_1", "", ""))
        still_trickling = thread.is_alive()
        over.set()
        thread.join()
    assert problem.code == TIMEOUT
    assert still_trickling
