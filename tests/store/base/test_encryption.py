"""Encrypted values: any configured key decrypts, no other key does, and the first one encrypts."""

import pytest
from cryptography.fernet import Fernet, InvalidToken

from plaidapp.store.base.encryption import cipher_for, seal, unseal

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
VALUES = {"username": "user_custom", "password": '{"override_accounts": []}'}


@pytest.fixture
def sealed():
    return seal(cipher_for([OLD]), VALUES)


@pytest.mark.parametrize("keys", [(OLD,), (NEW, OLD), (NEW, OTHER, OLD)])
def test_every_configured_key_decrypts(sealed, keys):
    assert unseal(cipher_for(keys), sealed) == VALUES


def test_a_removed_key_does_not_decrypt(sealed):
    with pytest.raises(InvalidToken):
        unseal(cipher_for([NEW]), sealed)


def test_the_first_key_encrypts():
    sealed = seal(cipher_for([NEW, OLD]), VALUES)
    assert unseal(cipher_for([NEW]), sealed) == VALUES


def test_sealed_values_are_not_readable(sealed):
    assert b"user_custom" not in sealed
