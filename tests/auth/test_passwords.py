"""Which passwords are good enough, and what is said about the others."""

import pytest

from plaidapp.auth import passwords
from plaidapp.auth.forms import _words_of

PERSONAL = _words_of("dora-lind", "dora.lind@mail.example.com")
GOOD = [
    "correct horse battery staple",
    "purple monkey dishwasher",
    "seven quiet rivers run north",
    "my neighbor's cat hates Tuesdays",
    "tangerine-volcano-piano",
    "never eat a raw potato",
    "Grandma baked 12 lemon tarts",
    "waffle lamp orbit canyon",
    "p7!xQ2z9Lw#4VbT",
    "kZr8wqPv2nTfYc5M",
    "0f9b2c7ae4d81635c0",
    "dora plants tomatoes at dawn",
    "пароль из пяти русских слов",
    "正しい馬のバッテリーのホチキスです",
    "τα άλογα τρώνε πράσινο χορτάρι",
    "schnelle braune Füchse springen",
    "le chat noir dort sous la table",
    "🦉🐧🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🦄🐝",
    "tres tristes tigres tragaban trigo",
    "umbrella 4 giraffes, please",
]
# The estimator may give either of two reasons that are equally strong; "" stands for any.
WEAK = {
    "aaaaaaaaaaaaaaa": "repeats",
    "               ": "repeats",
    "密码密码密码密码密码密码密码密码": "repeats",
    "🦉" * 15: "repeats",
    "🦉🐧" * 64: "repeats",
    "x9x9x9x9x9x9x9x9": "repeats",
    "\uff50\uff41\uff53\uff53" * 4: "repeats",  # "pass" in wide letters
    "Summer2026Summer2026": "repeats",
    "zzzzzzzzyyyyyyyy": "repeats",
    "passwordpassword1": "repeats",
    "abcdefghijklmnopq": "order of the keyboard",
    "123456789012345": "",
    "qazwsxedcrfvtgb": "common",
    "qwertyuiopasdfgh": "common",
    "Password123456789": "",
    "passwordpassword": "too common",
    "123456123456123456": "too common",
    "dora-linddora-lind": "repeats",
    "dora.lind@mail.example.com": "your name",
    "Dora.Lind@Mail.Example.COM": "your name",
    "mail.example.com": "your name",
    "dora-lindplaidapp": "your name",
    "plaidappplaidapp": "repeats",
    "dora.lind.dora.lind": "",
    "passwordpassword password": "easy to guess",
}


@pytest.fixture(autouse=True)
def _request(app):
    with app.test_request_context():
        yield


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_good_passwords_of_any_kind_pass(subtests):
    for password in GOOD:
        with subtests.test(password):
            assert passwords.problem_with(password, PERSONAL) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_weak_passwords_are_refused_with_what_is_weak(subtests):
    for password, reason in WEAK.items():
        with subtests.test(password):
            problem = passwords.problem_with(password, PERSONAL)
            assert problem is not None
            assert reason in problem
            assert problem.endswith(".")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_person_is_called_matters_only_to_them(subtests):
    for password in ("dora.lind@mail.example.com", "dora-lind dora-lind dora-lind"):
        with subtests.test(password):
            assert passwords.problem_with(password, PERSONAL)
    assert passwords.problem_with("dora.lind@mail.example.com", _words_of("x", "y@z.org")) is None
