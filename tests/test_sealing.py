"""Encrypted values: any configured key decrypts, no other key does, and no other place."""

import pytest
from cryptography.fernet import Fernet, InvalidToken

from plaidapp import sealing
from plaidapp.sealing import Cipher, Sealed

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
TEXT = "access-sandbox-1"
PLACE = sealing.access_token(1, "item-1")


@pytest.fixture
def sealed():
    return Sealed(PLACE, Cipher([OLD]).encrypt(PLACE, TEXT))


@pytest.fixture
def unbound():
    """How earlier versions encrypted."""
    return Sealed(PLACE, Fernet(OLD).encrypt(TEXT.encode()))


@pytest.mark.parametrize("keys", [(OLD,), (NEW, OLD), (NEW, OTHER, OLD)])
def test_every_configured_key_decrypts(sealed, unbound, keys):
    cipher = Cipher(keys)
    assert cipher.decrypt(sealed) == cipher.decrypt(unbound) == TEXT
    assert cipher.has_first_key(sealed) == (keys[0] == OLD)
    assert not cipher.has_first_key(unbound)


def test_a_removed_key_does_not_decrypt(sealed, unbound):
    for each in (sealed, unbound):
        with pytest.raises(InvalidToken):
            Cipher([NEW]).decrypt(each)


def test_the_first_key_encrypts():
    sealed = Sealed(PLACE, Cipher([NEW, OLD]).encrypt(PLACE, TEXT))
    assert Cipher([NEW]).decrypt(sealed) == TEXT


@pytest.mark.parametrize(
    "place",
    [
        sealing.access_token(1, "item-2"),
        sealing.access_token(2, "item-1"),
        sealing.access_token(11, "tem-1"),
        sealing.public_token(1, "item-1"),
        sealing.link_token(1, "item-1"),
        sealing.link_address(1, "item-1"),
        sealing.pull_parameters(1, "item-1"),
    ],
)
def test_no_other_place_decrypts(sealed, place):
    """Neither another Item of the person, nor the same of another person, nor another purpose."""
    with pytest.raises(InvalidToken):
        Cipher([OLD]).decrypt(sealed._replace(place=place))


def test_a_sealed_value_is_not_readable_and_never_the_same(sealed):
    assert TEXT.encode() not in sealed.value
    assert Cipher([OLD]).encrypt(PLACE, TEXT) != sealed.value
