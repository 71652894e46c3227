"""user_custom: a test user described in JSON (https://plaid.com/docs/sandbox/user-custom/).

A null is the same as a missing field, because Plaid's blank template contains nulls. Errors name
the path of the field.
"""

import random
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from sandbox import errors
from sandbox.account_subtypes import SUBTYPES
from sandbox.bank_records import Account, Transaction, from_description

MAX_ACCOUNTS = 10
MAX_TRANSACTIONS = 250_000
NOT_SIMULATED = (
    "identity", "liability", "inflow_model", "income", "holdings", "investment_transactions",
    "numbers (except the mask)", "version", "seed",
)  # fmt: skip

Text = Annotated[str, Meta(max_length=1000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
# Decoded as int or Decimal and checked by _number, since msgspec's Decimal also accepts strings.
Number = Any


class _Transaction(msgspec.Struct):
    date_transacted: date | None = None
    date_posted: date | None = None
    amount: Number = None
    description: Text | None = None
    currency: Currency | None = None


class _Metadata(msgspec.Struct):
    name: Text | None = None
    official_name: Text | None = None
    limit: Number = None


class _Numbers(msgspec.Struct):
    account: Text | None = None


class _Account(msgspec.Struct):
    type: str | None = None
    subtype: str | None = None
    starting_balance: Number = None
    force_available_balance: Number = None
    currency: Currency | None = None
    meta: _Metadata | None = None
    numbers: _Numbers | None = None
    transactions: list[msgspec.Raw] | None = None


class _Accounts(msgspec.Struct):
    override_accounts: list[msgspec.Raw] | None = None


_account_decoder = msgspec.json.Decoder(_Account, float_hook=Decimal)
_transaction_decoder = msgspec.json.Decoder(_Transaction, float_hook=Decimal)
StructT = TypeVar("StructT", bound=msgspec.Struct)
ValueT = TypeVar("ValueT")


def parse(password: str, seed: int, today: date) -> tuple[list[Account], list[Transaction]]:
    """Return the accounts and transactions in a custom user's JSON, which is the password.

    Raises PlaidError for invalid JSON or an invalid field.
    """
    specs = decode_user(_Accounts, password).override_accounts
    if not specs or len(specs) > MAX_ACCOUNTS:
        raise field_error("override_accounts", f"must list 1 to {MAX_ACCOUNTS} accounts")
    accounts: list[Account] = []
    transactions: list[Transaction] = []
    for ordinal, raw in enumerate(specs):
        path = f"override_accounts[{ordinal}]"
        spec = _decode(_account_decoder, raw, path)
        account = _build_account(spec, ordinal, path, seed)
        accounts.append(account)
        if len(transactions) + len(spec.transactions or []) > MAX_TRANSACTIONS:
            raise field_error(
                f"{path}.transactions", f"more than {MAX_TRANSACTIONS} in all accounts"
            )
        for index, row in enumerate(spec.transactions or []):
            row_path = f"{path}.transactions[{index}]"
            transaction = _build_transaction(
                _decode(_transaction_decoder, row, row_path), ordinal, row_path, account, today
            )
            if transaction:
                transactions.append(transaction)
    transactions.sort(key=lambda transaction: transaction.date)
    return accounts, transactions


def decode_user(part: type[StructT], password: str) -> StructT:
    """Return a part of a custom user's JSON. Raises PlaidError if it is invalid."""
    return _decode(msgspec.json.Decoder(part), password.encode(), "")


def _build_account(spec: _Account, ordinal: int, path: str, seed: int) -> Account:
    if spec.type is None or spec.type not in SUBTYPES:
        raise field_error(f"{path}.type", f"must be one of {', '.join(SUBTYPES)}")
    if spec.subtype is None or spec.subtype not in SUBTYPES[spec.type]:
        raise field_error(f"{path}.subtype", f"must be a subtype of {spec.type}")
    meta = spec.meta or _Metadata()
    balance = _number(spec.starting_balance, f"{path}.starting_balance")
    current = random.Random(f"{seed}:{path}").randint(100, 9000) if balance is None else balance
    limit = _number(meta.limit, f"{path}.meta.limit")
    available = _number(spec.force_available_balance, f"{path}.force_available_balance")
    if available is None:
        available = _available(spec.type, Decimal(current), limit)
    number = (spec.numbers.account if spec.numbers else None) or str(ordinal % 10) * 4
    return Account(
        name=meta.name or f"Plaid {spec.subtype.title()}",
        official_name=meta.official_name,
        type=spec.type,
        subtype=spec.subtype,
        mask=number[-4:],
        available=available,
        current=Decimal(current),
        limit=limit,
        currency=spec.currency or "USD",
    )


def _available(kind: str, current: Decimal, limit: Decimal | None) -> Decimal | None:
    """Compute the available balance. Like Plaid, return None if it can't be computed."""
    if kind == "depository":
        return current
    return limit - current if kind == "credit" and limit is not None else None


def _build_transaction(
    spec: _Transaction, ordinal: int, path: str, account: Account, today: date
) -> Transaction | None:
    """Return None if all fields are null, as in Plaid's blank template."""
    if spec == _Transaction():
        return None
    return from_description(
        account=ordinal,
        transacted=_required(spec.date_transacted, f"{path}.date_transacted"),
        posted=_required(spec.date_posted, f"{path}.date_posted"),
        amount=_required(_number(spec.amount, f"{path}.amount"), f"{path}.amount"),
        description=_required(spec.description, f"{path}.description"),
        currency=spec.currency or account.currency,
        today=today,
    )


def _required(value: ValueT | None, path: str) -> ValueT:
    if value is None:
        raise field_error(path, "is required")
    return value


def _number(value: object, path: str) -> Decimal | None:
    """Return the exact number: 7.50 stays 7.50. Raises PlaidError if it isn't in range."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise field_error(path, "must be a number")
    number = Decimal(value)
    if not is_in_range(number):
        raise field_error(path, "must be below 1e15 and have at most 20 decimals")
    return number


def is_in_range(number: Decimal) -> bool:
    """Return True if a bank could report this number. JSON also allows 1e999999."""
    return number.adjusted() < 15 and int(number.as_tuple().exponent) >= -20


def _decode(
    decoder: msgspec.json.Decoder[StructT], text: bytes | msgspec.Raw, path: str
) -> StructT:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise field_error(*_explain(error, path)) from error
        raise field_error(path, "is not valid JSON") from error
    except ArithmeticError as error:
        raise field_error(path, "has a number that is out of range") from error


def _explain(error: msgspec.ValidationError, path: str) -> tuple[str, str]:
    reason, _, place = str(error).partition(" - at `$")
    return (path + place.rstrip("`")).removeprefix("."), reason.replace("`", "")


def field_error(path: str, reason: str) -> errors.PlaidError:
    """Return the error for a field of a custom user."""
    where = f" {path}" if path else ""
    return errors.invalid_field(f"override_password: the custom user's{where} {reason}")
