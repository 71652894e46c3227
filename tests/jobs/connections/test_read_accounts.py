"""Reading accounts and balances."""

from sqlalchemy import update

from plaidapp.extensions import db
from plaidapp.store import Account
from plaidapp.store.pulls import kinds


def test_balances_are_brought_up_to_date(link, begin, run):
    item = link(username="user_good", password="pass_good")
    db.session.execute(update(Account).values(current=0, name="Old"))
    db.session.commit()
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert sorted(map(str, db.session.scalars(db.select(Account.current)))) == sorted(
        f"{amount}.00000000" if "." not in amount else amount.ljust(len(amount) + 8 - places, "0")
        for amount, places in (
            ("110", 0), ("210", 0), ("1000", 0), ("410", 0), ("43200", 0), ("320.76", 2),
            ("23631.9805", 4), ("65262", 0), ("56302.06", 2),
        )
    )  # fmt: skip
