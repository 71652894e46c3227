"""What is sealed opens with every key that is kept, and with no other."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from flask import Flask

from plaidapp.store.base import encryption

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
VALUES = {"username": "user_custom", "password": '{"override_accounts": []}'}


@pytest.fixture
def with_keys():
    def use(*keys):
        app = Flask("keys")
        app.extensions["cipher"] = encryption.cipher_for(keys)
        return app.app_context()

    return use


@pytest.fixture
def sealed(with_keys):
    with with_keys(OLD):
        return encryption.seal(VALUES)


@pytest.mark.parametrize("keys", [(OLD,), (NEW, OLD), (NEW, OTHER, OLD)])
def test_a_key_that_is_kept_still_opens(with_keys, sealed, keys):
    with with_keys(*keys):
        assert encryption.unseal(sealed) == VALUES


def test_a_key_that_is_gone_does_not(with_keys, sealed):
    with with_keys(NEW), pytest.raises(InvalidToken):
        encryption.unseal(sealed)


def test_the_first_key_seals(with_keys):
    with with_keys(NEW, OLD):
        fresh = encryption.seal(VALUES)
    with with_keys(NEW):
        assert encryption.unseal(fresh) == VALUES


def test_what_is_sealed_cannot_be_read(sealed):
    assert b"user_custom" not in sealed
