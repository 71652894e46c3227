"""A text that a bank sends in capitals reads as a person would write it; others stay."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaidapp.name_case import LONGEST, in_normal_case


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("UNITED AIRLINES", "United Airlines"),
        ("AUTOMATIC PAYMENT - THANK", "Automatic Payment - Thank"),
        ("BANK OF AMERICA", "Bank of America"),
        ("THE HOME DEPOT", "The Home Depot"),
        ("STARBUCKS #0423 SEATTLE WA", "Starbucks #0423 Seattle WA"),
        ("STARBUCKS STORE 01234 SEATTLE WA 98101", "Starbucks Store 01234 Seattle WA 98101"),
        ("LOS ANGELES, CA", "Los Angeles, CA"),
        ("MACYS OF PORTLAND OR", "Macys of Portland OR"),
        ("UBER 072515 SF**POOL**", "Uber 072515 Sf**Pool**"),
        ("DROPBOX*PLAN", "Dropbox*Plan"),
        ("PAYPAL *EBAY", "PayPal *eBay"),
        ("MCDONALD'S F12345", "McDonald's F12345"),
        ("O'REILLY AUTO PARTS", "O'Reilly Auto Parts"),
        ("L’ORÉAL PARIS", "L’Oréal Paris"),
        ("TRADER JOE'S", "Trader Joe's"),
        ("AT&T MOBILITY", "AT&T Mobility"),
        ("BARNES&NOBLE", "Barnes&Noble"),
        ("CVS/PHARMACY #1234", "CVS/Pharmacy #1234"),
        ("HERTZ RENT-A-CAR", "Hertz Rent-a-Car"),
        ("7-ELEVEN 33021", "7-Eleven 33021"),
        ("1PASSWORD", "1Password"),
        ("NETFLIX.COM", "Netflix.com"),
        ("APPLE.COM/BILL", "Apple.com/bill"),
        ("T.J. MAXX", "T.J. Maxx"),
        ("U.S. POSTAL SERVICE", "U.S. Postal Service"),
        ("ACME LLC.", "Acme LLC."),
        ("HENRY VIII PUB", "Henry VIII Pub"),
        ("ATM WITHDRAWAL 3RD ST", "ATM Withdrawal 3rd St"),
        ("ACH TRANSFER TO SAVINGS XXXXX1234", "ACH Transfer to Savings XXXXX1234"),
        ("ONLINE TRANSFER TO MONEY MARKET ...4444", "Online Transfer to Money Market ...4444"),
        ("AMZN MKTP US*2K4", "Amzn Mktp US*2K4"),
        ("BMW OF SAN FRANCISCO", "BMW of San Francisco"),
        (
            "PLAID GOLD STANDARD 0% INTEREST CHECKING",
            "Plaid Gold Standard 0% Interest Checking",
        ),
        ("STRASSENBAHN MÜNCHEN GMBH", "Strassenbahn München GmbH"),
        ("İSTANBUL KEBAP", "İstanbul Kebap"),
        ("  TWO  SPACES ", "  Two  Spaces "),
        ("<B>BOLD</B>", "<B>Bold</B>"),
    ],
)
def test_a_text_in_capitals(sent, shown):
    assert in_normal_case(sent) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("SparkFun", "Uber 072515 SF**POOL**", "iTUNES STORE", "eBay"),
        *("BART", "IKEA", "IRA", "USAA", "A"),
        *("", " ", "12345", "***", "...4444"),
        *("ПЯТЁРОЧКА 123", "ΚΩΣΤΑΣ ΓΥΡΟΣ", "全家 ABC", "مقهى ABC"),
        "A LONG TEXT " * LONGEST,
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert in_normal_case(text) == text


def plain(text):
    return unicodedata.normalize("NFC", text).casefold()


@given(st.text(alphabet="AMCBO'’.-/*&,()#1 \n\tÉßİ", max_size=LONGEST))
def test_any_text_keeps_its_characters(text):
    shown = in_normal_case(text)

    assert in_normal_case(shown) == shown
    assert plain(shown) == plain(text)
