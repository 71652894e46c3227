"""Signing up: what is accepted, what is refused, and the sentences."""

import threading
import unicodedata
from dataclasses import replace

import pytest

from plaidapp import policy
from plaidapp.auth import passwords
from plaidapp.extensions import db
from plaidapp.store import User
from tests.pages import Page

PASSWORD = "correct horse battery staple"
PASSWORD_MEMORY = policy.PASSWORD_MEMORY  # before tests/conftest.py makes it small
GOOD = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}


@pytest.fixture
def users(app):
    def read():
        with app.app_context():
            return db.session.scalars(db.select(User).order_by(User.id)).all()

    return read


def refused(client, form, field, users, expected=""):
    """Post `form`. Check the 422, the sentence beside `field`, and that nobody was added."""
    before = len(users())
    answer = client.post("/auth/signup", data=form)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert field in page.complaints()
    assert page.beside(field).startswith(expected)
    assert page.beside(field).rstrip().endswith(".")
    assert page.value("password") in (None, "")
    assert form.get("password", "") == "" or form["password"] not in answer.text
    assert len(users()) == before
    assert client.get("/finance/").status_code == 302, "logged in all the same"
    return page


def test_signing_up_stores_the_person_and_logs_in(client, users):
    answer = client.post("/auth/signup", data=GOOD)

    assert (answer.status_code, answer.location) == (302, "/finance/")
    assert "dora" in client.get("/finance/").text
    assert [(user.username, user.email) for user in users()] == [("dora", "dora@example.com")]


@pytest.mark.parametrize("sandbox", [True, False])
def test_whoever_tries_with_test_data_finds_a_bank(app, client, work, users, sandbox):
    if not sandbox:
        settings = app.config["PLAIDAPP"]
        app.config["PLAIDAPP"] = replace(settings, plaid_env="production")
    offered = "Try with test data" in client.get("/auth/signup").text
    client.post("/auth/signup", data=GOOD | {"test_data": "y"})
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], plaid_env="sandbox")
    work()

    accounts = client.get("/finance/accounts.json").json["accounts"]
    assert (offered, len(accounts)) == ((True, 9) if sandbox else (False, 0))


def test_a_password_is_stored_as_a_hash_of_argon2id(client, users, monkeypatch):
    monkeypatch.setattr(policy, "PASSWORD_MEMORY", PASSWORD_MEMORY)
    client.post("/auth/signup", data=GOOD)

    assert users()[0].password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in users()[0].password_hash


def test_the_page_has_the_fields_and_the_button(client):
    page = Page(client.get("/auth/signup").text)

    assert {page.find(name=name)[0]["name"] for name in GOOD} == set(GOOD)
    assert page.find(name="password")[0]["type"] == "password"
    assert "Sign up" in [" ".join(text) for tag, _, text in page.elements if tag == "button"]
    assert not page.complaints()


def test_an_empty_form_has_a_sentence_beside_every_field(client, users):
    page = refused(client, {}, "username", users, "Choose a username.")

    assert page.complaints() == {"username", "email", "password"}
    assert page.beside("email") == "Enter your email address."
    assert page.beside("password").startswith("Choose a password.")


def test_only_a_missing_field_gets_a_sentence(client, users, subtests):
    for field in GOOD:
        without = {name: typed for name, typed in GOOD.items() if name != field}
        for left, form in (("missing", without), ("empty", {**GOOD, field: ""})):
            with subtests.test(field=field, left=left):
                page = refused(client, form, field, users)
                assert page.complaints() == {field}
                for name in {"username", "email"} - {field}:
                    assert page.value(name) == GOOD[name], "what was typed is gone"


BAD_NAMES = {
    "200 characters": "n" * 200,
    "65 characters": "n" * 65,
    "an address": "dora@example.com",
    "an address with a wide @": "dora\uff20example.com",
    "an address with a small @": "dora\ufe6bexample.com",
    "NUL": "do\0ra",
    "a line break": "do\nra",
    "an escape": "do\x1bra",
    "a right-to-left override": "do\u202era",
    "a zero-width space": "do\u200bra",
    "only blanks": "   ",
    "only wide blanks": "\u3000\u00a0",
    "characters that are long when spelled out": "\ufdfa" * 64,
}


def test_a_bad_user_name_is_refused_with_a_sentence(client, users, subtests):
    for case, name in BAD_NAMES.items():
        with subtests.test(case):
            page = refused(client, GOOD | {"username": name}, "username", users)
            assert page.complaints() == {"username"}
            assert page.value("email") == "dora@example.com"


GOOD_NAMES = {
    "64 characters": "n" * 64,
    "one character": "n",
    "a blank inside": "Dora the Explorer",
    "another script": "Дора 花子",
    "an emoji": "dora 🦉",
    "quotes and percent signs": """d'o"r%a;--""",
}


def test_any_visible_name_is_accepted(app, users, subtests):
    for number, (case, name) in enumerate(GOOD_NAMES.items()):
        with subtests.test(case):
            form = GOOD | {"username": name, "email": f"{number}@example.com"}
            assert app.test_client().post("/auth/signup", data=form).status_code == 302
            assert users()[-1].username == name


TAKEN_NAMES = {
    "the same": "Zoë",
    "in another case": "ZOË",
    "with accents composed differently": unicodedata.normalize("NFD", "Zoë"),
    "with blanks round it": "  Zoë \u00a0",
    "in wide letters": "\uff3aoë",
}


@pytest.mark.both_databases
def test_a_taken_name_is_refused_however_it_is_spelled(app, client, users, subtests):
    app.test_client().post("/auth/signup", data=GOOD | {"username": "Zoë"})

    for case, name in TAKEN_NAMES.items():
        with subtests.test(case):
            form = GOOD | {"username": name, "email": "other@example.com"}
            page = refused(client, form, "username", users, "This username is taken.")
            assert page.complaints() == {"username"}


@pytest.mark.both_databases
def test_a_taken_address_is_refused_however_it_is_spelled(app, client, users, subtests):
    app.test_client().post("/auth/signup", data=GOOD)

    for address in ("dora@example.com", "DORA@Example.COM", " dora@example.com "):
        with subtests.test(address):
            page = refused(client, GOOD | {"username": "other", "email": address}, "email", users)
            assert "An account with this email address already exists." in page.beside("email")
            assert page.complaints() == {"email"}


BAD_ADDRESSES = {
    "a word": "dora",
    "no domain": "dora@",
    "no dot": "dora@example",
    "two of them": "a@example.com, b@example.com",
    "too long": "d" * 260 + "@example.com",
    "a blank inside": "do ra@example.com",
    "NUL": "do\0ra@example.com",
    "a line break": "dora@example.com\nBcc: all@example.com",
    "blanks": "    ",
    "HTML": "<script>alert(1)</script>@example.com",
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_address_is_refused(client, users, subtests):
    for case, address in BAD_ADDRESSES.items():
        with subtests.test(case):
            page = refused(client, GOOD | {"email": address}, "email", users)
            assert page.complaints() == {"email"}
            assert page.value("username") == "dora"


def test_an_address_that_grows_when_normalized_is_stored_or_refused(client, users):
    answer = client.post("/auth/signup", data=GOOD | {"email": "\ufdfa" * 60 + "@example.com"})

    assert (answer.status_code, len(users())) in ((302, 1), (422, 0))


BAD_PASSWORDS = {
    "14 characters": ("p7!xQ2z9Lw#4Vb", "Use at least 15 characters."),
    "14 emoji": ("🦉🐧🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🦄", "Use at least 15 characters."),
    "129 characters": ("p7!xQ2z9Lw#4VbT" + "x" * 114, "Use at most 128 characters."),
    "20,000 characters": ("ab" * 10_000, "Use at most 128 characters."),
    "a common one, twice": ("passwordpassword", "This password is too common."),
    "a common one in capitals": ("PassWordPASSWORD", "This password is too common."),
    "123456 three times": ("123456" * 3, "This password is too common."),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_password_is_refused_and_not_shown_again(client, users, subtests):
    for case, (password, expected) in BAD_PASSWORDS.items():
        with subtests.test(case):
            page = refused(client, GOOD | {"password": password}, "password", users, expected)
            assert page.complaints() == {"password"}
            assert page.value("username") == "dora"
            assert page.value("email") == "dora@example.com"


GOOD_PASSWORDS = {
    "15 characters": "p7!xQ2z9Lw#4VbT",
    "128 characters": "p7!xQ2z9Lw#4VbTa" * 8,
    "128 emoji": "".join(chr(0x1F400 + 37 * number % 128) for number in range(128)),
    "other scripts and controls": "пароль\0\t\n密码 ﷺ\u202e\u200b x",
    "blanks round it": "  correct horse  ",
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_password_of_15_to_128_characters_of_any_kind_logs_in(app, subtests):
    for number, (case, password) in enumerate(GOOD_PASSWORDS.items()):
        with subtests.test(case):
            form = {"username": f"d{number}", "email": f"{number}@b.org", "password": password}
            assert app.test_client().post("/auth/signup", data=form).status_code == 302
            browser = app.test_client()
            wrong = form | {"password": password.strip() + "x"}
            assert browser.post("/auth/login", data=wrong).status_code == 401
            assert browser.post("/auth/login", data=form).location == "/finance/"


def test_the_longest_password_counts_in_full(app, client):
    client.post("/auth/signup", data=GOOD | {"password": "ab" * 63 + "yz"})

    for almost in ("ab" * 63 + "y", "ab" * 63 + "yx", "ab" * 63 + "yzz", "ab" * 63 + "yz" * 5000):
        answer = app.test_client().post(
            "/auth/login", data={"username": "dora", "password": almost}
        )
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("other", "field", "expected"),
    [
        ({"email": "second@example.com"}, "username", "This username is taken."),
        ({"username": "second"}, "email", "An account with this email address already exists."),
    ],
    ids=["same name", "same address"],
)
@pytest.mark.both_databases
def test_of_two_concurrent_sign_ups_one_gets_a_sentence(
    app, users, monkeypatch, other, field, expected
):
    """Both pass the check for a taken name before either is stored."""
    together = threading.Barrier(2)
    real = passwords.hash_password

    def hash_together(password):
        together.wait(timeout=10)
        return real(password)

    monkeypatch.setattr(passwords, "hash_password", hash_together)
    answers = []

    def sign_up(form):
        answers.append(app.test_client().post("/auth/signup", data=form))

    threads = [threading.Thread(target=sign_up, args=(form,)) for form in (GOOD, GOOD | other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (302, 422)
    assert Page(lost.text).beside(field).startswith(expected)
    assert Page(lost.text).complaints() == {field}
    assert len(users()) == 1


def test_html_in_a_name_is_escaped(client):
    name = "<img src=x onerror=alert(1)>"
    client.post("/auth/signup", data=GOOD | {"username": name})

    dashboard = client.get("/finance/").text

    assert name not in dashboard
    assert any(name in "".join(text) for _, _, text in Page(dashboard).elements)


def test_html_in_a_refused_form_is_escaped(client):
    typed = '"><script>alert(1)</script>'
    answer = client.post("/auth/signup", data={"username": typed, "email": typed})

    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert Page(answer.text).value("username") == typed


def test_a_logged_in_person_is_redirected_from_the_sign_up_page(alice, users):
    assert alice.client.get("/auth/signup").location == "/finance/"
    assert alice.client.post("/auth/signup", data=GOOD).location == "/finance/"
    assert len(users()) == 1


def test_a_body_that_is_not_a_form_counts_as_an_empty_form(client, users, subtests):
    for kind in ("application/json", "multipart/form-data", "text/plain"):
        for body in (b"{", b"[1]", b"5", b'{"username": 5}', b"\xff\xfe"):
            with subtests.test(kind, body=body):
                answer = client.post("/auth/signup", data=body, content_type=kind)
                assert answer.status_code == 422
                assert users() == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("America/Los_Angeles", "America/Los_Angeles"),
        ("Asia/Calcutta", "Asia/Calcutta"),  # as Chrome calls Asia/Kolkata
        ("", "UTC"),  # without JavaScript
        ("Mars/Olympus_Mons", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("\0", "UTC"),
        ("x" * 60_000, "UTC"),
    ],
)
def test_the_time_zone_is_the_browsers_if_it_is_known(client, users, sent, stored):
    assert client.post("/auth/signup", data={**GOOD, "time_zone": sent}).status_code == 302
    assert [user.time_zone for user in users()] == [stored]


def test_without_the_field_the_time_zone_is_utc(client, users):
    client.post("/auth/signup", data=GOOD)
    assert [user.time_zone for user in users()] == ["UTC"]
