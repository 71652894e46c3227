"""OFX 2.1.1 for finance programs: https://financialdataexchange.org/ofx

Each currency of each account has a statement. FITID is Plaid's transaction id, by which a program
recognizes transactions it has already. Pending rows are left out because their id changes when they
post. Amounts have OFX's sign: money out is negative, and so is a balance that is owed.

Credit cards have card statements, and all other accounts have bank statements: OFX has no statement
for payments of a loan, and an investment statement requires securities, which plaidapp does not
store. CURDEF only takes ISO 4217's currencies, so rows in other currencies are left out.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, groupby
from xml.sax.saxutils import escape

from babel.numbers import list_currencies

from plaidapp.store import Account, Transaction
from plaidapp.store.base.types import exact
from plaidapp.store.connections.account_types import CREDIT, LOAN

from .export import Export, Statement

HEADER = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
BANK_ID = "plaidapp"  # the bank's own number is unknown; ACCTID alone tells accounts apart
OK = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
BANK = ("BANKMSGSRSV1", "STMTTRNRS", "STMTRS")
CARD = ("CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS")
KINDS = {
    "checking": "CHECKING",
    "savings": "SAVINGS",
    "money market": "MONEYMRKT",
    "cd": "CD",
}
CURRENCIES = list_currencies()
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_ACCOUNT, LONGEST_NAME, LONGEST_TEXT = 22, 32, 255


def write(export: Export) -> Iterator[str]:
    yield HEADER
    yield f"<OFX>\n<SIGNONMSGSRSV1><SONRS>{OK}<DTSERVER>{_moment(export.made_at)}</DTSERVER>"
    yield "<LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>\n"
    in_order = sorted(export.accounts, key=_is_card)  # OFX prescribes the order of message sets
    statements = (each for each in export.statements(in_order) if each.currency in CURRENCIES)
    for is_card, group in groupby(statements, key=lambda each: _is_card(each.account)):
        message_set, transaction, response = CARD if is_card else BANK
        yield f"<{message_set}>\n"
        for statement in group:
            yield f"<{transaction}><TRNUID>0</TRNUID>{OK}<{response}>"
            yield from _statement(export, statement)
            yield f"</{response}></{transaction}>\n"
        yield f"</{message_set}>\n"
    yield "</OFX>\n"


def _is_card(account: Account) -> bool:
    return account.type == CREDIT


def _statement(export: Export, statement: Statement) -> Iterator[str]:
    first = next(statement.rows, None)
    if first is None:  # the bank removed the rows after the currencies were read
        start, rows = export.today, statement.rows
    else:
        start, rows = first.date, chain((first,), statement.rows)
    yield f"<CURDEF>{statement.currency}</CURDEF>"
    yield _account(statement) + "\n"
    yield f"<BANKTRANLIST><DTSTART>{_noon(start)}</DTSTART>"
    yield f"<DTEND>{_noon(export.filter.end or export.today)}</DTEND>\n"
    total = Decimal()
    for row in rows:
        total -= row.amount
        yield _transaction(row)
    balance = _balance(statement)  # OFX requires one: if it is unknown, the rows are added up
    yield f"</BANKTRANLIST>\n<LEDGERBAL><BALAMT>{exact(total if balance is None else balance)}"
    yield f"</BALAMT><DTASOF>{_moment(export.made_at)}</DTASOF></LEDGERBAL>"


def _account(statement: Statement) -> str:
    """Programs recognize the account by its number, so it never changes. It must be short."""
    account = statement.account
    number = f"{(account.mask or '')[-4:]}-{account.id}"
    if statement.currency != account.currency:
        number += f"-{statement.currency}"
    identifier = _element("ACCTID", number.lstrip("-"), LONGEST_ACCOUNT)
    if _is_card(account):
        return f"<CCACCTFROM>{identifier}</CCACCTFROM>"
    kind = KINDS.get(account.subtype or "", "SAVINGS")
    kind = "CREDITLINE" if account.type == LOAN else kind
    bank = f"<BANKID>{BANK_ID}</BANKID>"
    return f"<BANKACCTFROM>{bank}{identifier}<ACCTTYPE>{kind}</ACCTTYPE></BANKACCTFROM>"


def _balance(statement: Statement) -> Decimal | None:
    """The account's balance; None if it is unknown for this currency."""
    account = statement.account
    if account.balance is None or statement.currency != account.currency:
        return None
    return -account.balance if account.is_debt else account.balance


def _transaction(row: Transaction) -> str:
    kind = "CREDIT" if row.amount < 0 else "DEBIT"
    authorized = row.authorized_date and f"<DTUSER>{_noon(row.authorized_date)}</DTUSER>"
    return (
        f"<STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{_noon(row.date)}</DTPOSTED>"
        f"{authorized or ''}<TRNAMT>{exact(-row.amount)}</TRNAMT>"
        f"{_element('FITID', row.public_id, LONGEST_TEXT)}"
        f"{_element('NAME', row.title, LONGEST_NAME)}"
        f"{_element('MEMO', ' · '.join(filter(None, (row.name, row.note))), LONGEST_TEXT)}"
        "</STMTTRN>\n"
    )


def _element(tag: str, text: str, longest: int) -> str:
    """Put the text on one line, without characters that XML forbids. No text gets no element."""
    line = " ".join(NOT_XML.sub("", text).split())[:longest].strip()
    return f"<{tag}>{escape(line)}</{tag}>" if line else ""


def _noon(day: date) -> str:
    """Noon in UTC, because midnight in UTC is the day before in America."""
    return f"{day:%Y%m%d}120000"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"
