"""Bank clients without an app, for the sandbox and for servers with prepared responses."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet

from plaidapp.bank.client import Bank
from plaidapp.sealing import Cipher
from tests.canned import canned  # noqa: F401 a fixture
from tests.ports import free_port

CIPHER = Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def cipher() -> Cipher:
    return CIPHER


@pytest.fixture
def client_for() -> Iterator[Callable[..., Bank]]:
    """Make bank clients by URL. Their connections are closed after the test."""
    made = []

    def make(url: str, timeout: float = 5, secret: str | None = None, cipher=CIPHER) -> Bank:
        made.append(Bank(url, "local", secret or "local", cipher, timeout))
        return made[-1]

    yield make
    for bank in made:
        bank._client.rest_client.pool_manager.clear()


@pytest.fixture
def bank(client_for, bank_server) -> Bank:
    return client_for(bank_server.url)


@pytest.fixture
def custom_user() -> Callable[..., str]:
    """Return a custom user's JSON with one checking account. Amounts are strings of digits."""

    def build(*amounts: str, day: str, balance: str = "100") -> str:
        rows = ",".join(
            f'{{"date_transacted":"{day}","date_posted":"{day}","amount":{amount},'
            f'"description":"row {number}"}}'
            for number, amount in enumerate(amounts)
        )
        return (
            '{"override_accounts":[{"type":"depository","subtype":"checking",'
            f'"starting_balance":{balance},"transactions":[{rows}]}}]}}'
        )

    return build


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"
