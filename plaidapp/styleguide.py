"""A page with every design token and component, in light and dark side by side.

It is for people who work on the pages. A deployment does not have it.
"""

from datetime import date, timedelta
from decimal import Decimal
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, render_template

from .bank.error_sentences import LOGIN_REQUIRED, MEANINGS
from .days import today
from .finance.charts import bars
from .finance.charts.bars import BarChart
from .finance.charts.line import LineChart
from .finance.charts.scale import ZERO
from .finance.charts.sparkline import Sparkline
from .formats import change
from .store import Account, Item, Transaction
from .store.base.dates import month_of, months_later
from .store.base.types import now
from .store.connections import item_states
from .store.transactions.categories import PRIMARY

blueprint = Blueprint("styleguide", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/styleguide")
def show() -> str:
    """404 unless in development: in Flask's debug mode, or if the bank runs on this machine."""
    if not (current_app.debug or is_local(current_app.config["PLAIDAPP"].plaid_url)):
        abort(404)
    return render_template(
        "styleguide.html",
        days=_days(),
        items=_items(),
        categories=PRIMARY,
        line=_line(),
        bars=_bars(),
        sparklines=[Sparkline([Decimal(60 - day % 9 * 5) for day in range(31)]), Sparkline([ZERO])],
    )


def is_local(url: str) -> bool:
    """True for this machine's own addresses, such as http://127.0.0.1:5000 and localhost."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _days() -> list[tuple[date, list[Transaction]]]:
    """Made-up rows of three days: pending, money in, money out, a transfer, a long name."""
    day = today()
    checking = Account(id=1, name="Checking", mask="0000", type="depository")
    card = Account(id=2, name="Credit Card", mask="3333", type="credit")

    def row(name: str, amount: str, category: str, account: Account, **more: bool) -> Transaction:
        return Transaction(
            name=name,
            amount=Decimal(amount),
            category_primary=category,
            account=account,
            iso_currency_code="USD",
            **more,
        )

    return [
        (
            day,
            [
                row("Tartine Bakery", "14.50", "FOOD_AND_DRINK", checking, pending=True),
                row("BART", "6.30", "TRANSPORTATION", checking, pending=True),
            ],
        ),
        (
            day - timedelta(days=1),
            [
                row("Payroll · Hooli", "-2384.10", "INCOME", checking),
                row("Transfer to Saving 1111", "500", "TRANSFER_OUT", checking),
                row("United Airlines", "312.40", "TRAVEL", card),
            ],
        ),
        (
            day - timedelta(days=9),
            [
                row(
                    "The Worshipful Company of Bookbinders and Stationers of San Francisco",
                    "12345.67",
                    "GENERAL_MERCHANDISE",
                    card,
                )
            ],
        ),
    ]


def _line() -> LineChart:
    """A balance that falls each day and rises on the first of the month."""
    days = [today() - timedelta(days=age) for age in range(182, -1, -1)]
    values = [Decimal(2400 - 70 * day.day) for day in days]
    return LineChart("Balance", "USD", days, values, exact_from=days[90])


def _bars() -> BarChart:
    """Six months of money in and out."""
    sums = ((4380, 3800), (4380, 3990), (4380, 3635), (4380, 3376), (4380, 3971), (4257, 3460))
    months = [
        bars.Month(
            months_later(month_of(today()), index - 5),
            (Decimal(money_in), Decimal(money_out)),
            {},
            change(Decimal(money_in - money_out)),
        )
        for index, (money_in, money_out) in enumerate(sums)
    ]
    return BarChart("Cash flow by month", "USD", ("in", "out"), months)


def _items() -> list[Item]:
    """A made-up connection in each state that reads differently."""
    moment = now()
    complete = {
        "update_status": item_states.COMPLETE,
        "synced_at": moment,
        "sync_requested": 0,
        "sync_applied": 0,
    }
    return [
        Item(id=1, institution_name="First Platypus Bank", **complete),
        Item(
            id=2,
            institution_name="Tartan Bank",
            state=item_states.LOGIN_REQUIRED,
            synced_at=moment - timedelta(days=3),
            error_code=LOGIN_REQUIRED,
            error_message=MEANINGS[LOGIN_REQUIRED].sentence,
        ),
        Item(id=3, institution_name="Houndstooth Bank"),
        Item(id=4, institution_name="Gingham Bank", preparing_since=moment),
        Item(
            id=5,
            institution_name="Tattersall Bank",
            failing_since=moment,
            failing_message=MEANINGS["INSTITUTION_DOWN"].sentence,
        ),
    ]
