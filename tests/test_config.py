"""Every environment variable with good and bad values, and how a bad one stops the start."""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from config import ROOT, Config, ConfigError
from database_settings import DatabaseSettings

# The same in each process that runs tests, as their names contain them.
KEY, OTHER_KEY = (urlsafe_b64encode(sha256(text).digest()).decode() for text in (b"a", b"b"))
SECRET, OTHER_SECRET = (sha256(text).hexdigest() for text in (b"c", b"d"))
PRICES = (("balance", 0.1), ("transactions", 3.0))
ENOUGH = {
    "SECRET_KEY": SECRET,
    "TOKEN_KEYS": KEY,
    "PLAID_CLIENT_ID": "client of plaid",
    "PLAID_SECRET_KEY": "secret of plaid",
}


def config_of(**changes):
    return Config.from_env(ENOUGH | changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", f"sqlite:///{ROOT / 'instance' / 'plaidapp.db'}"),
        ("redis_url", "redis://localhost:6379/0"),
        ("plaid_env", "sandbox"),
        ("plaid_url", "https://sandbox.plaid.com"),
        ("public_url", None),
        ("allowed_hosts", ()),
        ("trusted_proxies", 0),
        ("port", 8000),
        ("web_concurrency", None),
        ("log_level", "INFO"),
        ("metrics_token", None),
        ("plaid_prices", ()),
        ("sentry_dsn", None),
        ("bank_timeout", None),
    ],
)
def test_an_unset_variable_has_its_default(field, value):
    assert getattr(config_of(), field) == value


def test_the_settings_of_the_database_are_read():
    assert config_of().database == DatabaseSettings()
    chosen = config_of(
        DATABASE_POOL_SIZE="20",
        DATABASE_POOLER="transaction",
        DATABASE_STATEMENT_TIMEOUT="1",
        DATABASE_LOCK_TIMEOUT="2",
        DATABASE_JOB_STATEMENT_TIMEOUT="3",
        DATABASE_JOB_LOCK_TIMEOUT="4",
    )
    assert chosen.database == DatabaseSettings(20, "transaction", 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("SECRET_KEY", f" {SECRET} ", "secret_keys", (SECRET,)),
        ("SECRET_KEY", f"{SECRET}, {OTHER_SECRET},", "secret_keys", (SECRET, OTHER_SECRET)),
        ("TOKEN_KEYS", f"{KEY}, {OTHER_KEY},", "token_keys", (KEY, OTHER_KEY)),
        ("DATABASE_URL", "postgres://u:p@h/n", "database_url", "postgresql+psycopg://u:p@h/n"),
        ("DATABASE_URL", "postgresql://u@h:5/n", "database_url", "postgresql+psycopg://u@h:5/n"),
        ("DATABASE_URL", "sqlite:////a/b.db", "database_url", "sqlite:////a/b.db"),
        ("REDIS_URL", "rediss://:p@h:1/2", "redis_url", "rediss://:p@h:1/2"),
        ("REDIS_URL", "unix:///run/s", "redis_url", "unix:///run/s"),
        ("PLAID_CLIENT_ID", "id", "plaid_client_id", "id"),
        ("PLAID_SECRET_KEY", "s", "plaid_secret", "s"),
        ("PLAID_ENV", "Production", "plaid_env", "production"),
        ("PLAID_ENV", "production", "plaid_url", "https://production.plaid.com"),
        ("PLAID_BASE_URL", "http://localhost:8001/", "plaid_url", "http://localhost:8001"),
        ("PUBLIC_URL", "https://example.com", "public_url", "https://example.com"),
        ("ALLOWED_HOSTS", " A.example,,my_app ,", "allowed_hosts", ("a.example", "my_app")),
        ("ALLOWED_HOSTS", "[2001:DB8::1],10.0.0.1", "allowed_hosts", ("[2001:db8::1]", "10.0.0.1")),
        ("ALLOWED_HOSTS", "Bücher.example", "allowed_hosts", ("xn--bcher-kva.example",)),
        ("TRUSTED_PROXIES", "0", "trusted_proxies", 0),
        ("MAIL_URL", "terminal:", "mail_url", "terminal:"),
        ("MAIL_FROM", "Us <us@b.example>", "mail_from", "Us <us@b.example>"),
        ("TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("REQUIRE_SECOND_FACTOR", "", "require_second_factor", False),
        ("REQUIRE_SECOND_FACTOR", "1", "require_second_factor", True),
        ("PORT", "80", "port", 80),
        ("WEB_CONCURRENCY", "3", "web_concurrency", 3),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("METRICS_TOKEN", SECRET, "metrics_token", SECRET),
        ("PLAID_PRICES", "balance=0.1, transactions=3", "plaid_prices", PRICES),
        (
            "SENTRY_DSN",
            "https://key@sentry.example/1",
            "sentry_dsn",
            "https://key@sentry.example/1",
        ),
    ],
)
def test_a_good_value_is_used(name, text, field, value):
    assert getattr(config_of(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", ","),
        ("SECRET_KEY", "x"),
        ("SECRET_KEY", f"{SECRET},change-me"),
        ("TOKEN_KEYS", ""),
        ("TOKEN_KEYS", ","),
        ("TOKEN_KEYS", "too short"),
        ("TOKEN_KEYS", "é" * 44),
        ("TOKEN_KEYS", f"{KEY},{KEY[:-2]}"),
        ("DATABASE_URL", "nowhere"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOLER", "session"),
        ("DATABASE_STATEMENT_TIMEOUT", "15s"),
        ("DATABASE_LOCK_TIMEOUT", "-1"),
        ("DATABASE_JOB_STATEMENT_TIMEOUT", "9999"),
        ("DATABASE_JOB_LOCK_TIMEOUT", "1.5"),
        ("DATABASE_URL", "mysql://u@h/n"),
        ("DATABASE_URL", "postgresql://h:port/n"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://[::1"),
        ("REDIS_URL", "redis://localhost:port/0"),
        ("PLAID_CLIENT_ID", ""),
        ("PLAID_SECRET_KEY", ""),
        ("PLAID_ENV", "development"),
        ("PLAID_BASE_URL", "localhost:8001"),
        ("PLAID_BASE_URL", "ftp://localhost"),
        ("PUBLIC_URL", "example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://example.com:port"),
        ("MAIL_URL", "mail.example"),
        ("MAIL_URL", "https://mail.example"),
        ("MAIL_URL", "smtp://"),
        ("MAIL_URL", "smtp://user@mail.example"),
        ("MAIL_URL", "smtp://user:pass/word@mail.example"),
        ("MAIL_URL", "smtp://mail.example:port"),
        ("MAIL_URL", "smtp://mail.example/path"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b.example, c@d.example"),
        ("MAIL_FROM", "a@b.example\nBcc: c@d.example"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("PORT", "٣"),
        ("PORT", "9" * 5000),
        ("ALLOWED_HOSTS", "https://bank.example"),
        ("ALLOWED_HOSTS", "bank.example:8000"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "*.bank.example"),
        ("ALLOWED_HOSTS", "bank..example"),
        ("ALLOWED_HOSTS", "x" * 64),
        ("TRUSTED_PROXIES", "-1"),
        ("REQUIRE_SECOND_FACTOR", "yes"),
        ("TRUSTED_PROXIES", "all"),
        ("TRUSTED_PROXIES", "21"),
        ("WEB_CONCURRENCY", "many"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "loud"),
        ("METRICS_TOKEN", "change-me"),
        ("PLAID_PRICES", "0.10"),
        ("PLAID_PRICES", "auth=1"),
        ("PLAID_PRICES", "balance=-1"),
        ("PLAID_PRICES", "balance=1e5"),
        ("SENTRY_DSN", "sentry.example"),
    ],
    ids=lambda text: text[:24],
)
def test_a_bad_value_is_refused_in_a_sentence_that_names_the_variable(name, text):
    with pytest.raises(ConfigError) as refused:
        config_of(**{name: text})
    sentence = str(refused.value)
    assert refused.value.name == name
    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".")
    assert "Put " in sentence
    assert "\n" not in sentence


def test_a_mail_server_needs_a_sender():
    with pytest.raises(ConfigError, match=r"^MAIL_FROM is not set, but MAIL_URL is\. Put "):
        config_of(MAIL_URL="smtp://mail.example")
    both = {"MAIL_URL": "smtp://u:p%40@mail.example", "MAIL_FROM": "us@b.example"}
    assert config_of(**both).sends_mail
    assert not config_of(MAIL_URL="terminal:").sends_mail
    assert not config_of().sends_mail


@pytest.mark.parametrize("name", ["SECRET_KEY", "TOKEN_KEYS", "PLAID_CLIENT_ID"])
def test_a_missing_required_variable_is_refused(name):
    with pytest.raises(ConfigError, match=f"^{name} is not set"):
        Config.from_env({k: v for k, v in ENOUGH.items() if k != name})


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "REDIS_URL",
        "PLAID_ENV",
        "PLAID_BASE_URL",
        "PUBLIC_URL",
        "ALLOWED_HOSTS",
        "TRUSTED_PROXIES",
        "MAIL_URL",
        "MAIL_FROM",
        "PORT",
        "WEB_CONCURRENCY",
        "LOG_LEVEL",
        "METRICS_TOKEN",
        "PLAID_PRICES",
        "SENTRY_DSN",
    ],
)
def test_blank_counts_as_not_set(name):
    assert config_of(**{name: "  "}) == config_of()


@pytest.mark.parametrize("name", ["PLAID_SECRET_KEY", "PLAID_SECRET"])
def test_plaids_secret_has_two_names(name):
    rest = {k: v for k, v in ENOUGH.items() if k != "PLAID_SECRET_KEY"}
    assert Config.from_env(rest | {name: "the secret"}).plaid_secret == "the secret"


def test_the_local_sandbox_needs_no_plaid_keys():
    env = {"SECRET_KEY": SECRET, "TOKEN_KEYS": KEY, "PLAID_BASE_URL": "http://localhost:8001"}
    config = Config.from_env(env)
    assert (config.plaid_client_id, config.plaid_secret) == ("local", "local")


def test_a_bad_token_key_is_not_shown():
    with pytest.raises(ConfigError) as refused:
        config_of(TOKEN_KEYS=f"{KEY},{OTHER_KEY[:-4]}")
    assert OTHER_KEY[:-4] not in str(refused.value)
    assert "number 2" in str(refused.value)


def test_repr_shows_no_secret():
    passwords = {
        "DATABASE_URL": "postgresql://user:password-of-postgres@h/n",
        "REDIS_URL": "redis://:password-of-redis@h",
        "MAIL_URL": "smtp://user:password-of-mail@h",
    }
    shown = repr(config_of(**passwords, MAIL_FROM="us@b.example"))
    secrets = ("password-of-postgres", "password-of-redis", "password-of-mail")
    for secret in (*ENOUGH.values(), *secrets):
        assert secret not in shown


def test_a_config_is_immutable():
    with pytest.raises(AttributeError):
        config_of().port = 80


def start(*command, **env):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command, env={"PATH": path, **env}, cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "command",
    [
        ("python", "-c", "import wsgi"),
        ("python", "worker.py"),
        ("gunicorn", "wsgi:app"),
        ("flask", "--app", "wsgi", "db", "current"),
        ("rq", "worker", "-c", "worker", "-w", "worker.AppWorker", "--burst"),
    ],
    ids=lambda command: command[0],
)
def test_a_bad_variable_stops_every_process_with_one_sentence(command):
    ended = start(*command, **ENOUGH | {"PORT": "eighty"})
    assert ended.returncode != 0
    assert ended.stderr.strip() == ("PORT is 'eighty'. Put a whole number from 1 to 65535 there.")
    assert "Traceback" not in ended.stdout


def test_a_bad_port_is_named_although_the_public_url_has_it_too():
    """`make run` makes PUBLIC_URL from PORT."""
    with pytest.raises(ConfigError, match="PORT is 'eighty'"):
        Config.from_env(ENOUGH | {"PORT": "eighty", "PUBLIC_URL": "http://127.0.0.1:eighty"})
