"""Read a single variable of the environment and check it."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit


class ConfigError(SystemExit):
    """A variable is missing or bad. `str()` gives the sentence for the operator.

    It is a SystemExit, so that gunicorn, flask, rq and python all end with the sentence and
    status 1 instead of a traceback. None of them has to catch it.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


def text_of(env: Mapping[str, str], *names: str) -> str | None:
    """Return the first of `names` that is set. A blank value counts as not set.

    Many PaaS dashboards can blank a variable but not remove it.
    """
    return next((value for name in names if (value := env.get(name, "").strip())), None)


def required(env: Mapping[str, str], name: str, remedy: str) -> str:
    value = text_of(env, name)
    if value is None:
        raise ConfigError(name, f"is not set. {remedy}.")
    return value


def one_of(
    env: Mapping[str, str],
    name: str,
    default: str,
    allowed: tuple[str, ...],
    *,
    upper: bool = False,
) -> str:
    value = text_of(env, name) or default
    value = value.upper() if upper else value.lower()
    if value not in allowed:
        raise ConfigError(name, f"is {value!r}. Put one of {', '.join(allowed)} there.")
    return value


def whole_number(env: Mapping[str, str], name: str, highest: int, *, least: int = 1) -> int | None:
    value = text_of(env, name)
    if value is None:
        return None
    digits = value.isascii() and value.isdigit() and len(value) <= 9
    if not (digits and least <= int(value) <= highest):
        raise ConfigError(
            name, f"is {value!r}. Put a whole number from {least} to {highest} there."
        )
    return int(value)


def prices(
    env: Mapping[str, str], name: str, products: tuple[str, ...]
) -> tuple[tuple[str, float], ...]:
    """Return the price of some of the products, from `product=price,product=price`."""
    value = text_of(env, name)
    found: dict[str, float] = {}
    for pair in value.split(",") if value else ():
        product, _, price = (part.strip() for part in pair.partition("="))
        if product not in products or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", price):
            known = ", ".join(products)
            remedy = "Put prices like balance=0.10,transactions=0.30 there"
            raise ConfigError(name, f"is {value!r}. {remedy}, of these products: {known}.")
        found[product] = float(price)
    return tuple(found.items())


def http_url(env: Mapping[str, str], name: str) -> str | None:
    value = text_of(env, name)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError(name, "is not an address. Put one like https://example.com there.")
    return value.rstrip("/")
