"""Which keys an operator may choose: random ones, however they are made."""

import random
import secrets
import string
import uuid
from base64 import b64encode, urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet

from key_strength import problem_with_secret, problem_with_token_key

GOOD = {
    "token_hex": lambda: secrets.token_hex(16),
    "token_urlsafe": lambda: secrets.token_urlsafe(32),
    "uuid": lambda: uuid.uuid4().hex,
    "openssl rand -base64": lambda: b64encode(secrets.token_bytes(32)).decode(),
    "digits": lambda: "".join(random.choices(string.digits, k=50)),
    "prefixed": lambda: f"prod-secret-{secrets.token_hex(16)}",
    "eight words": lambda: "walnut-bridge-orbit-cactus-violin-harbor-pepper-lantern",
}
EASY = (
    "x" * 40,
    "Kp9$" * 10,
    "changeme" * 5,
    "change-me-please-this-is-not-a-secret!!",
    "my-super-secret-key-for-production-use",
    "test-secret-key-0123456789abcdef-01",
    "0123456789abcdef" * 3,
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "qwertyuiopasdfghjklzxcvbnm1234567890",
    "11111111111111111111111111111111111112",
)


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_random_keys_are_strong(make):
    assert [problem_with_secret(make()) for _ in range(200)] == [None] * 200


@pytest.mark.parametrize("key", EASY)
def test_what_people_type_is_easy_to_guess(key):
    assert problem_with_secret(key) == "is easy to guess"


def test_a_short_key_is_refused_whatever_it_is():
    assert "has 31 characters and needs 32" in problem_with_secret(secrets.token_hex(16)[:31])


def test_keys_that_everybody_can_look_up_are_refused():
    flask = "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"
    fernet = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    assert "published" in problem_with_secret(flask)
    assert "published" in problem_with_token_key(fernet)


@pytest.mark.parametrize("raw", [bytes(32), bytes(range(32)), b"secret!!" * 4, b"a" * 31 + b"b"])
def test_a_token_key_is_random(raw):
    assert problem_with_token_key(urlsafe_b64encode(raw).decode()) == "is easy to guess"
    assert problem_with_token_key(Fernet.generate_key().decode()) is None
