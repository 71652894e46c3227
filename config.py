"""The app's settings, read once from the environment and checked.

`Config` holds everything that the app reads from the environment; nothing else reads
`os.environ`. If a value is missing or bad, the process ends with a sentence that names the
variable.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

import environment
import key_strength
import mail_settings
from database_settings import DatabaseSettings
from environment import ConfigError

ROOT = Path(__file__).parent
PLAID_HOSTS = {
    "sandbox": "https://sandbox.plaid.com",
    "production": "https://production.plaid.com",
}
PLAID_LIMITS = ("production", "sandbox", "off")
PLAID_COUNTRIES = {
    *("AT", "BE", "CA", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "IE", "IT", "LT", "LV"),
    *("NL", "NO", "PL", "PT", "SE", "US"),
}
PLAID_PRODUCTS = ("balance", "transactions_refresh", "transactions", "recurring_transactions")
"""What Plaid bills: the first two for each call, the others for each Item and month.
https://plaid.com/docs/account/billing/"""
PLAID_LANGUAGES = (
    *("da", "de", "en", "es", "et", "fr", "hi", "it", "lt", "lv", "nl", "no", "pl", "pt"),
    *("ro", "sv", "vi"),
)
"""What Link offers: https://plaid.com/docs/api/link/#linktokencreate"""
HOST_NAME = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Config:
    """The app's settings. `repr` leaves out secrets."""

    secret_keys: tuple[str, ...] = field(repr=False)
    """The first one signs, and all of them are accepted."""
    token_keys: tuple[str, ...] = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    plaid_client_id: str = field(repr=False)
    plaid_secret: str = field(repr=False)
    plaid_env: str
    plaid_url: str
    plaid_country_codes: tuple[str, ...] = ("US",)
    plaid_language: str = "en"
    plaid_limits: str = "off"
    """Whose limits of calls are kept: those of Production, of the Sandbox, or none."""
    plaid_item_limit: int | None = None
    """How many Items the Plaid plan allows."""
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    """More names of this site, as a Host header spells them."""
    trusted_proxies: int = 0
    require_second_factor: bool = False
    mail_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    port: int = 8000
    web_concurrency: int | None = None
    log_level: str = "INFO"
    log_format: str = "auto"
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    metrics_token: str | None = field(default=None, repr=False)
    """What Prometheus has to name for /metrics. Without it, there is no such page."""
    plaid_prices: tuple[tuple[str, float], ...] = ()
    sentry_dsn: str | None = field(default=None, repr=False)
    bank_timeout: float | None = None
    """How many seconds one call to Plaid may take. Only tests set it; see plaidapp.policy."""

    @property
    def sends_mail(self) -> bool:
        """Is there a mail server, and so a proof that somebody has an email address?"""
        return self.mail_url not in (None, mail_settings.TERMINAL)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read and check `env`. Raises ConfigError for the first missing or bad variable."""
        plaid_env = environment.one_of(env, "PLAID_ENV", "sandbox", tuple(PLAID_HOSTS))
        base_url = environment.http_url(env, "PLAID_BASE_URL")
        # First, because run.py makes PUBLIC_URL of it.
        port = environment.whole_number(env, "PORT", 65_535) or 8000
        return cls(
            secret_keys=_keys(
                env,
                "SECRET_KEY",
                key_strength.problem_with_secret,
                "import secrets; print(secrets.token_urlsafe(32))",
            ),
            token_keys=_keys(
                env,
                "TOKEN_KEYS",
                key_strength.problem_with_token_key,
                "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())",
            ),
            database_url=_database_url(env),
            redis_url=_redis_url(env),
            plaid_client_id=_plaid_key(env, base_url, "PLAID_CLIENT_ID"),
            plaid_secret=_plaid_key(env, base_url, "PLAID_SECRET_KEY", "PLAID_SECRET"),
            plaid_env=plaid_env,
            plaid_url=base_url or PLAID_HOSTS[plaid_env],
            plaid_limits=environment.one_of(
                env, "PLAID_LIMITS", "off" if base_url else plaid_env, PLAID_LIMITS
            ),
            plaid_country_codes=_country_codes(env),
            plaid_language=environment.one_of(env, "PLAID_LANGUAGE", "en", PLAID_LANGUAGES),
            plaid_item_limit=environment.whole_number(env, "PLAID_ITEM_LIMIT", 1_000_000),
            public_url=environment.http_url(env, "PUBLIC_URL"),
            allowed_hosts=_host_names(env),
            trusted_proxies=environment.whole_number(env, "TRUSTED_PROXIES", 20, least=0) or 0,
            require_second_factor=_is_on(env, "REQUIRE_SECOND_FACTOR"),
            mail_url=_mail_url(env),
            mail_from=_mail_from(env),
            port=port,
            web_concurrency=environment.whole_number(env, "WEB_CONCURRENCY", 512),
            database=DatabaseSettings.from_env(env),
            log_level=environment.one_of(env, "LOG_LEVEL", "INFO", LOG_LEVELS, upper=True),
            metrics_token=_metrics_token(env),
            plaid_prices=environment.prices(env, "PLAID_PRICES", PLAID_PRODUCTS),
            sentry_dsn=environment.http_url(env, "SENTRY_DSN"),
            log_format=environment.one_of(env, "LOG_FORMAT", "auto", ("auto", "text", "json")),
        )


def _metrics_token(env: Mapping[str, str]) -> str | None:
    token = environment.text_of(env, "METRICS_TOKEN")
    if token and (problem := key_strength.problem_with_secret(token)):
        remedy = "Put a random text of at least 32 characters there."
        raise ConfigError("METRICS_TOKEN", f"{problem}. {remedy}")
    return token


def _is_on(env: Mapping[str, str], name: str) -> bool:
    return environment.one_of(env, name, "0", ("0", "1")) == "1"


def _country_codes(env: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.text_of(env, "PLAID_COUNTRY_CODES") or "US"
    codes = tuple(code.strip().upper() for code in text.split(",") if code.strip())
    if not codes or not PLAID_COUNTRIES.issuperset(codes):
        known = ", ".join(sorted(PLAID_COUNTRIES))
        problem = f"is {text!r}. Put country codes there, such as US,CA. Plaid has {known}."
        raise ConfigError("PLAID_COUNTRY_CODES", problem)
    return tuple(dict.fromkeys(codes))


def _mail_url(env: Mapping[str, str]) -> str | None:
    value = environment.text_of(env, "MAIL_URL")
    if value and (problem := mail_settings.problem_with_url(value)):
        remedy = (
            "Put one like smtp://user:password@host:587 or smtps://user:password@host:465 there,"
            " with %40 for an @ in the user name or password, and %2F for a /."
        )
        raise ConfigError("MAIL_URL", f"{problem}. {remedy}")
    return value


def _mail_from(env: Mapping[str, str]) -> str | None:
    value = environment.text_of(env, "MAIL_FROM")
    remedy = "Put the sender of mails there, such as plaidapp <no-reply@example.com>."
    if value and (problem := mail_settings.problem_with_sender(value)):
        raise ConfigError("MAIL_FROM", f"{problem}. {remedy}")
    if value is None and _mail_url(env) not in (None, mail_settings.TERMINAL):
        raise ConfigError("MAIL_FROM", f"is not set, but MAIL_URL is. {remedy}")
    return value


def _host_names(env: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.text_of(env, "ALLOWED_HOSTS") or ""
    try:  # browsers send them in this encoding
        names = [name.strip().encode("idna").decode().lower() for name in text.split(",")]
    except UnicodeError:
        names = ["?"]
    if not all(name == "" or HOST_NAME.fullmatch(name) for name in names):
        remedy = "Put names without https:// and port there, such as bank.example,www.bank.example."
        raise ConfigError("ALLOWED_HOSTS", f"is {text!r}. {remedy}")
    return tuple(filter(None, names))


def _keys(
    env: Mapping[str, str], name: str, problem_with: Callable[[str], str | None], command: str
) -> tuple[str, ...]:
    """Return the keys of a list. `command` makes a good one."""
    remedy = f"Put a key there, made by: python -c '{command}'"
    keys = tuple(
        key.strip() for key in environment.required(env, name, remedy).split(",") if key.strip()
    )
    if not keys:
        raise ConfigError(name, f"holds no key. {remedy}.")
    for position, key in enumerate(keys, start=1):
        if problem := problem_with(key):
            raise ConfigError(name, f"has a key (number {position}) that {problem}. {remedy}.")
    return keys


def _database_url(env: Mapping[str, str]) -> str:
    """Default to SQLite in instance/. Change Heroku's `postgres://` to SQLAlchemy's spelling."""
    value = environment.text_of(env, "DATABASE_URL")
    if value is None:
        return f"sqlite:///{ROOT / 'instance' / 'plaidapp.db'}"
    remedy = "Put one like postgresql://user:password@host/name or sqlite:////path/to/file there."
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ConfigError("DATABASE_URL", f"is not a database address. {remedy}") from None
    backend = url.get_backend_name()
    if backend in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    elif backend != "sqlite":
        raise ConfigError("DATABASE_URL", f"names {backend}, which is not supported. {remedy}")
    return url.render_as_string(hide_password=False)


def _redis_url(env: Mapping[str, str]) -> str:
    value = environment.text_of(env, "REDIS_URL") or "redis://localhost:6379/0"
    try:
        parse_url(value)  # type: ignore[no-untyped-call]
    except ValueError:
        raise ConfigError(
            "REDIS_URL",
            "is not an address of Redis. Put one that starts with redis://, rediss:// or unix://"
            " there, such as redis://localhost:6379/0.",
        ) from None
    return value


def _plaid_key(env: Mapping[str, str], base_url: str | None, *names: str) -> str:
    """Require a key for Plaid itself. A local sandbox accepts any."""
    value = environment.text_of(env, *names)
    if value is None and base_url is None:
        raise ConfigError(
            names[0],
            "is not set. Put the value from Plaid's dashboard there, "
            "or set PLAID_BASE_URL to a local sandbox.",
        )
    return value or "local"
