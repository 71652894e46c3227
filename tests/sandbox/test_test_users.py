"""Plaid's test users, as /sandbox/public_token/create takes them."""

from sandbox.log_ins import GOOD
from sandbox.users import ANY_PASSWORD, CREDIT_USERS, PERSONAS

DAYS = 90
FIRST = {"institution_id": "ins_109508", "initial_products": ["transactions"]}


def rows_of(live, username):
    password = "pass_good" if username == GOOD else "any"
    token = live.link_ready(override_username=username, override_password=password, days=DAYS)
    rows = live.sync_all(token)[0]["added"]
    return [(row["date"], row["name"], row["amount"]) for row in rows]


def test_each_has_transactions_of_their_own(live):
    users = [*PERSONAS, *CREDIT_USERS]
    histories = [rows_of(live, user) for user in [*users, GOOD]]
    assert all(len(rows) > 50 for rows in histories)
    assert len({tuple(rows) for rows in histories}) == len(users) + 1
    assert histories[0] == rows_of(live, users[0])


def test_any_password_but_none(live, error_of):
    for user in ANY_PASSWORD:
        assert live.public_token(("auth",), None, override_username=user, override_password="{}")
        options = {"override_username": user, "override_password": ""}
        error = error_of("/sandbox/public_token/create", **FIRST, options=options)
        assert error[1] == "INVALID_CREDENTIALS"


def test_personas_are_active(live):
    for user in PERSONAS:
        token = live.link_ready(override_username=user, override_password="any")
        cursor = live.sync_all(token)[1]["next_cursor"]
        live.call("/transactions/refresh", access_token=token)
        assert live.sync_all(token, cursor)[0]["added"], user


def test_passwords_of_user_good(live):
    for password in (
        "pass_good",
        "microdeposits_good",
        "mfa_device",
        "mfa_questions_9_9",
        "mfa_selections",
        "mfa_selections_9_9_9",
        '{"recaptcha":"good"}',
    ):
        assert live.public_token(override_username=GOOD, override_password=password)


def test_passwords_that_are_refused(error_of):
    for password, code in (
        ("error_ITEM_LOCKED", "ITEM_LOCKED"),
        ("error_INSTITUTION_DOWN", "INSTITUTION_DOWN"),
        ("error_NO_SUCH_CODE", "INVALID_CREDENTIALS"),
        ('{"recaptcha":"bad"}', "RECAPTCHA_BAD"),
        ("mfa_questions_0_1", "INVALID_CREDENTIALS"),
    ):
        options = {"override_username": GOOD, "override_password": password}
        assert error_of("/sandbox/public_token/create", **FIRST, options=options)[1] == code
