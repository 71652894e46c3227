"""Merchants, as Plaid's enrichment describes them."""

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A personal finance category (https://plaid.com/documents/pfc-taxonomy-all.csv)."""

    primary: str
    detail: str

    @property
    def detailed(self) -> str:
        return f"{self.primary}_{self.detail}"


@dataclass(frozen=True)
class Merchant:
    """A merchant. `statement` is its text on bank statements.

    A typical purchase costs `low` to `high` cents.
    """

    name: str
    statement: str
    website: str
    category: Category
    low: int
    high: int
    channel: str = "in store"
    logo_url: str | None = None


GROCERIES = Category("FOOD_AND_DRINK", "GROCERIES")
COFFEE = Category("FOOD_AND_DRINK", "COFFEE")
FAST_FOOD = Category("FOOD_AND_DRINK", "FAST_FOOD")
RESTAURANT = Category("FOOD_AND_DRINK", "RESTAURANT")
TAXIS = Category("TRANSPORTATION", "TAXIS_AND_RIDE_SHARES")
TRANSIT = Category("TRANSPORTATION", "PUBLIC_TRANSIT")
GAS = Category("TRANSPORTATION", "GAS")
SUPERSTORES = Category("GENERAL_MERCHANDISE", "SUPERSTORES")
MARKETPLACES = Category("GENERAL_MERCHANDISE", "ONLINE_MARKETPLACES")
ELECTRONICS = Category("GENERAL_MERCHANDISE", "ELECTRONICS")
CLOTHING = Category("GENERAL_MERCHANDISE", "CLOTHING_AND_ACCESSORIES")
BOOKS = Category("GENERAL_MERCHANDISE", "BOOKSTORES_AND_NEWSSTANDS")
OTHER_GOODS = Category("GENERAL_MERCHANDISE", "OTHER_GENERAL_MERCHANDISE")
PHARMACY = Category("MEDICAL", "PHARMACIES_AND_SUPPLEMENTS")
HARDWARE = Category("HOME_IMPROVEMENT", "HARDWARE")
FLIGHTS = Category("TRAVEL", "FLIGHTS")
LODGING = Category("TRAVEL", "LODGING")
CAR_RENTAL = Category("TRAVEL", "RENTAL_CARS")
TV = Category("ENTERTAINMENT", "TV_AND_MOVIES")
MUSIC = Category("ENTERTAINMENT", "MUSIC_AND_AUDIO")
GYM = Category("PERSONAL_CARE", "GYMS_AND_FITNESS_CENTERS")
STORAGE = Category("GENERAL_SERVICES", "STORAGE")
OTHER_SERVICES = Category("GENERAL_SERVICES", "OTHER_GENERAL_SERVICES")
RENT = Category("RENT_AND_UTILITIES", "RENT")
ELECTRICITY = Category("RENT_AND_UTILITIES", "GAS_AND_ELECTRICITY")
WATER = Category("RENT_AND_UTILITIES", "WATER")
INTERNET = Category("RENT_AND_UTILITIES", "INTERNET_AND_CABLE")
TELEPHONE = Category("RENT_AND_UTILITIES", "TELEPHONE")
WAGES = Category("INCOME", "SALARY")
INTEREST = Category("INCOME", "INTEREST_EARNED")
OTHER_INCOME = Category("INCOME", "OTHER")
TRANSFER_IN = Category("TRANSFER_IN", "ACCOUNT_TRANSFER")
TRANSFER_OUT = Category("TRANSFER_OUT", "ACCOUNT_TRANSFER")
SAVINGS_OUT = Category("TRANSFER_OUT", "SAVINGS")
CARD_PAYMENT = Category("LOAN_PAYMENTS", "CREDIT_CARD_PAYMENT")
STUDENT_LOAN_PAYMENT = Category("LOAN_PAYMENTS", "STUDENT_LOAN_PAYMENT")

GROCERY_STORES = (
    Merchant("Whole Foods Market", "WHOLEFDS", "wholefoodsmarket.com", GROCERIES, 2400, 8800),
    Merchant("Trader Joe's", "TRADER JOE S", "traderjoes.com", GROCERIES, 1800, 6600),
    Merchant("Safeway", "SAFEWAY", "safeway.com", GROCERIES, 1200, 7400),
    Merchant("Costco", "COSTCO WHSE", "costco.com", SUPERSTORES, 6400, 15000),
)
RESTAURANTS = (
    Merchant("Chipotle Mexican Grill", "CHIPOTLE", "chipotle.com", FAST_FOOD, 1050, 2400),
    Merchant("McDonald's", "MCDONALD'S", "mcdonalds.com", FAST_FOOD, 620, 1900),
    Merchant("Sweetgreen", "SWEETGREEN", "sweetgreen.com", RESTAURANT, 1350, 2900),
    Merchant("Shake Shack", "SHAKE SHACK", "shakeshack.com", FAST_FOOD, 1200, 3200),
    Merchant("The Cheesecake Factory", "CHEESECAKE FACTORY", "thecheesecakefactory.com",
             RESTAURANT, 3800, 7800),
)  # fmt: skip
CAFES = (
    Merchant("Starbucks", "STARBUCKS STORE", "starbucks.com", COFFEE, 395, 1180),
    Merchant("Peet's Coffee", "PEETS COFFEE", "peets.com", COFFEE, 375, 990),
    Merchant("Blue Bottle Coffee", "BLUE BOTTLE COFFEE", "bluebottlecoffee.com", COFFEE, 450, 1240),
)
TRANSPORT = (
    Merchant("Uber", "UBER *TRIP", "uber.com", TAXIS, 780, 4200, "online"),
    Merchant("Lyft", "LYFT *RIDE", "lyft.com", TAXIS, 720, 3900, "online"),
    Merchant("Clipper", "CLIPPER TRANSIT FARE", "clippercard.com", TRANSIT, 250, 2000),
    Merchant("Shell", "SHELL OIL", "shell.us", GAS, 2900, 5400),
    Merchant("Chevron", "CHEVRON", "chevron.com", GAS, 2800, 5500),
)
SHOPS = (
    Merchant("Amazon", "AMZN MKTP US", "amazon.com", MARKETPLACES, 899, 9900, "online"),
    Merchant("Target", "TARGET", "target.com", SUPERSTORES, 1400, 11200),
    Merchant("Walmart", "WM SUPERCENTER", "walmart.com", SUPERSTORES, 1500, 12400),
    Merchant("Best Buy", "BEST BUY", "bestbuy.com", ELECTRONICS, 2999, 19900),
    Merchant("Uniqlo", "UNIQLO", "uniqlo.com", CLOTHING, 1990, 12900),
    Merchant("Barnes & Noble", "BARNES & NOBLE", "barnesandnoble.com", BOOKS, 1299, 5400),
    Merchant("CVS", "CVS/PHARMACY", "cvs.com", PHARMACY, 649, 4800),
    Merchant("The Home Depot", "THE HOME DEPOT", "homedepot.com", HARDWARE, 1200, 12900),
)
TRAVEL = (
    Merchant("United Airlines", "UNITED AIRLINES", "united.com", FLIGHTS, 11900, 28000, "online"),
    Merchant("Airbnb", "AIRBNB", "airbnb.com", LODGING, 14000, 32000, "online"),
    Merchant("Marriott", "MARRIOTT", "marriott.com", LODGING, 12900, 26000),
    Merchant("Hertz", "HERTZ RENT-A-CAR", "hertz.com", CAR_RENTAL, 7800, 19000),
)
NETFLIX = Merchant("Netflix", "NETFLIX.COM", "netflix.com", TV, 1799, 1799, "online")
SPOTIFY = Merchant("Spotify", "SPOTIFY USA", "spotify.com", MUSIC, 1099, 1099, "online")
DROPBOX = Merchant("Dropbox", "DROPBOX*PLAN", "dropbox.com", STORAGE, 1199, 1199, "online")
GOOGLE_ONE = Merchant("Google One", "GOOGLE *ONE", "one.google.com", STORAGE, 999, 999, "online")
ONEPASSWORD = Merchant(
    "1Password", "1PASSWORD", "1password.com", OTHER_SERVICES, 3588, 3588, "online"
)
FITNESS = Merchant("Planet Fitness", "PLANET FITNESS", "planetfitness.com", GYM, 2499, 2499)
COMCAST = Merchant("Comcast", "COMCAST CABLE", "xfinity.com", INTERNET, 6499, 6499, "online")
TMOBILE = Merchant("T-Mobile", "T-MOBILE AUTOPAY", "t-mobile.com", TELEPHONE, 7000, 7000, "online")
PGE = Merchant("PG&E", "PG&E WEB ONLINE", "pge.com", ELECTRICITY, 6200, 16400, "online")
EBMUD = Merchant("EBMUD", "EBMUD WATER", "ebmud.com", WATER, 5100, 9800, "online")

_ALL = (*GROCERY_STORES, *RESTAURANTS, *CAFES, *TRANSPORT, *SHOPS, *TRAVEL,
        NETFLIX, SPOTIFY, DROPBOX, GOOGLE_ONE, ONEPASSWORD, FITNESS, COMCAST, TMOBILE, PGE,
        EBMUD)  # fmt: skip
_BY_TEXT = {text.casefold(): m for m in _ALL for text in (m.name, m.statement)}
_ANY_MERCHANT = re.compile(
    r"\b(" + "|".join(re.escape(text) for text in sorted(_BY_TEXT, key=len, reverse=True)) + ")",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=4096)
def recognize(description: str) -> Merchant | None:
    """Return the merchant named in a bank's description, if it is listed here."""
    found = _ANY_MERCHANT.search(description)
    return _BY_TEXT[found[1].casefold()] if found else None
