"""After a full run with faults, no secret is in clear anywhere.

It runs last, so that the search also finds what the gates before have left; the short form leaves
it to them to kill processes.
tests/test_tokens_in_clear.py is the same within one process, call by call.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import islice

from tests.auth.test_access import newest, routes
from tests.link_walker import walk

from .customer import Customer
from .databases import Postgres
from .figures import LONG, Figures
from .leaks import ACCOUNT_NUMBERS, Leaks, Places
from .person import PASSWORD
from .test_connections import killing, unfinished
from .world import WORKERS, World, poll

CONVERGES = 90
"""Seconds."""
EXCHANGE, SYNC, REMOVE = "/item/public_token/exchange", "/transactions/sync", "/item/remove"
TOKEN = "access-sandbox-11111111-2222-3333-4444-555555555555"
TELLING = " ".join((TOKEN, *ACCOUNT_NUMBERS))
"""What an error of Plaid's might say."""
FAULTS: list[dict[str, object]] = [
    {"kind": "truncate", "path": EXCHANGE, "times": 1},
    {"kind": "truncate", "path": REMOVE, "times": 1},
    {
        "kind": "error",
        "path": SYNC,
        "times": 1,
        "status": 500,
        "error_type": "API_ERROR",
        "error_code": "A_CODE_THAT_NOBODY_KNOWS",
        "error_message": TELLING,
    },
]
IN_LONG_FORM: list[dict[str, object]] = [
    {"kind": "missing_field", "field": "item_id", "path": EXCHANGE, "times": 1},
    {"kind": "garbage", "path": SYNC, "times": 1},
    {"kind": "wrong_types", "path": SYNC, "times": 1},
    {"kind": "reset", "path": "/link/token/get", "times": 1},
]
PEOPLE = 3 if LONG else 2
"""So few, because with test_connections.py they all sign up from one address within an hour."""
ROUNDS = 8 if LONG else 1
MOST = 50
"""Findings that a failure shows."""


def test_no_secret_is_in_clear_after_a_full_run_with_faults(
    world: World, figures: Figures, note: Callable[[str, str, str], None]
) -> None:
    leaks = Leaks(world)
    leaks.known["access token"].add(TOKEN)
    names = [f"quillfeather-{number}" for number in range(PEOPLE)]
    customers = [Customer(world, name, stays=name in names[::2]) for name in names]
    for customer, name in zip(customers, names, strict=True):
        leaks.follow(customer.person, name)
    leaks.note()
    with (
        world.misbehaving(*FAULTS),
        killing(world, figures) if LONG else nullcontext([]) as kills,
        ThreadPoolExecutor(PEOPLE) as pool,
    ):
        for life in [pool.submit(live, customer) for customer in customers]:
            life.result()
    for fault in IN_LONG_FORM if LONG else []:
        leaks.note()
        with world.misbehaving(fault):
            customers[1].disconnect(customers[1].connect(), "delete")
    leaks.note()
    poll(lambda: not unfinished(world), CONVERGES, "an app with nothing left to do")
    spend(world, max(customers[0].states()))
    break_a_table(world, customers[0])
    take_things_away(world, customers[0])
    for customer in customers[: 2 if LONG else 1]:
        look_at_everything(world, customer)
    leaks.note()
    places = leaks.places()
    found = [*islice(leaks.search(places), MOST)]
    assert found == []
    assert_nothing_is_missing(leaks, places, world)
    kinds = {kind: len(secrets) for kind, secrets in leaks.known.items()}
    sizes = (f"{place}: {sum(map(len, texts)) / 1e6:.1f} MB" for place, texts in places.items())
    note(
        f"a search for secrets after {len(kills)} SIGKILLs, faults of Plaid, and outages",
        "none in clear in the database and its files, Redis, logs, pages and exports",
        f"0 of {', '.join(f'{count} × {kind}' for kind, count in kinds.items())}"
        f" in {', '.join(sizes)}",
    )
    for customer in customers:
        customer.person.close()


def live(customer: Customer) -> None:
    """Fail to log in to a bank, then connect one, repair it, and disconnect it unless one stays."""
    answer = customer.insist(lambda: customer.person.click("/finance/connections"), {200})
    walk(answer.headers["HX-Redirect"], password=["wrong"])
    for number in range(1, ROUNDS + 1):
        item_id = customer.connect()
        customer.repair(item_id)
        if number < ROUNDS or not customer.stays:
            customer.disconnect(item_id, customer.dice.choice(["keep", "delete"]))


def spend(world: World, item_id: int) -> None:
    """Have the bank name accounts in its rows."""
    today = datetime.now(UTC).date().isoformat()
    days = {"date_transacted": today, "date_posted": today, "amount": 1}
    new = [days | {"description": f"Transfer {number}"} for number in ACCOUNT_NUMBERS]
    keys = {"client_id": "local", "secret": "local", "access_token": world.token(item_id)}
    url = f"{world.bank_url}/sandbox/transactions/create"
    answer = world.http.post(url, json=keys | {"transactions": new}, timeout=10)
    assert answer.ok, answer.text


def break_a_table(world: World, customer: Customer) -> None:
    """Have web and worker fail as nobody has foreseen, so that they log tracebacks."""
    person = customer.person
    rename(world, "transaction", "moved")
    for path in ("/finance/transactions", "/finance/export/transactions.csv"):
        assert person.look(path).status_code in (500, 503)
    person.click_transactions()
    poll(lambda: any(b"broke off" in log_of(world, name) for name in WORKERS), 30, "a traceback")
    rename(world, "moved", "transaction")
    person.click_transactions()
    poll(lambda: not unfinished(world), CONVERGES, "an app with nothing left to do")


def rename(world: World, table: str, name: str) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" RENAME TO "{name}"')


def log_of(world: World, name: str) -> bytes:
    return (world.directory / f"{name}.log").read_bytes()


def take_things_away(world: World, customer: Customer) -> None:
    """Log in and click while Redis is away, and look at pages while the database is.

    In the short form, test_outages.py has taken the database away.
    """
    person = customer.person
    world.kill_redis(wiped=False)
    person.log_in_again(customer.name, PASSWORD[:-1])
    person.click_transactions()
    world.formation.bring_back("redis")
    poll(world.redis_answers, 20, "redis-server")
    if LONG and isinstance(world.database, Postgres):
        world.database.kill()
        for path in ("/finance/", "/finance/export/transactions.csv", "/auth/login"):
            person.look(path)
        person.click_transactions()
        world.database.bring_back()
    poll(world.is_ready, 30, "a ready app")
    poll(lambda: not unfinished(world), CONVERGES, "an app with nothing left to do")


def look_at_everything(world: World, customer: Customer) -> None:
    """Open every page, fragment, export and page of an error, with ids of one's own and others."""
    person, http = customer.person, customer.person.http
    customer.person.log_in_again(customer.name, f"{customer.name}@example.com")
    for method, path, names in routes(world.app):
        if method == "GET" and "static" not in path:
            for number in newest_ids(world, names[0]) if names else [0]:
                person.look(path.format(number))
                http.get(f"{world.url}{path.format(number)}", headers={"HX-Request": "true"})
    secret = next(iter(ACCOUNT_NUMBERS))
    person.look(f"/finance/transactions?search={secret}&start_date=no-day")
    person.look(f"/no/such/page/{secret}?token={PASSWORD}")
    person.click("/finance/pulls/transactions", start_date=secret)
    for headers in ({}, {"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        http.post(f"{world.url}/auth/logout", data={"password": PASSWORD}, headers=headers)
    http.put(f"{world.url}/finance/", data={"password": PASSWORD})
    http.post(f"{world.url}/auth/login", data={"password": PASSWORD * 100_000})
    http.post(f"{world.url}/webhooks/plaid", json={"link_token": TELLING})


def newest_ids(world: World, name: str) -> list[int | str]:
    with world.engine.connect() as connection:
        return list(connection.scalars(newest(name)))


def assert_nothing_is_missing(leaks: Leaks, places: Places, world: World) -> None:
    """The search would find something: it knows secrets of each kind, and reads each place."""
    assert all(leaks.known.values())
    assert {"cookie session", "cookie known-device", "token of a session"} <= leaks.known.keys()
    name, number = min(leaks.known["user name"]).encode(), ACCOUNT_NUMBERS[0].encode()
    there = {
        "database": [name, b"received_page", number, b'"transaction_id"'],
        "database's files": [name],
        "Redis": [b"rq:", b"plaidapp:tries:"],
        "log": [b'"login_wrong"', b'"disconnect"', b'"export"', b"sqlalchemy.exc."],
        "pages": [name, number, b"attachment; filename=", b" 404 ", b" 400 ", b" 405 ", b" 413 "],
    }
    for place, texts in places.items():
        for text in there[place]:
            assert any(text in each for each in texts), f"no {text.decode()} in {place}"
