"""Imports only go downward, as docs/architecture.md describes."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = {
    "plaidapp.addresses",
    "plaidapp.clicks_under_way",
    "plaidapp.cookies",
    "plaidapp.csrf",
    "plaidapp.events",
    "plaidapp.extensions",
    "plaidapp.forms",
    "plaidapp.htmx",
    "plaidapp.log_context",
    "plaidapp.metrics",
    "plaidapp.name_case",
    "plaidapp.new_files",
    "plaidapp.policy",
    "plaidapp.redaction",
    "plaidapp.sealing",
    "plaidapp.texts",
}
TOP = {"wsgi", "worker", "gunicorn", "run"}  # gunicorn.conf.py is one
SHARED = {
    f"plaidapp.{name}"
    for name in (
        *("clicks_under_way", "events", "log_context", "metrics", "policy"),
        *("redaction", "sealing", "texts"),
    )
}
"""Leaves that every layer may import."""
SERVER = {f"plaidapp.{name}" for name in ("addresses", "clicks_under_way", "metrics", "policy")}
READABLE = ("amounts", "error_sentences", "json_text", "link_payloads", "payloads", "unread")
READING = {f"plaidapp.bank.{name}" for name in READABLE}
STORE = {*READING, "plaidapp.extensions", "plaidapp.name_case", *SHARED}
SHOWN = {
    "plaidapp.auth.access",
    "plaidapp.auth.calendar_readers",
    "plaidapp.body_limits",
    "plaidapp.days",
    "plaidapp.formats",
    "plaidapp.sentences",
}
LOWER = {"plaidapp.jobs", "plaidapp.bank", "plaidapp.store", *LEAVES}
MAY_IMPORT = {
    "config": {"database_settings", "environment", "key_strength", "mail_settings"},
    "database_settings": {"environment"},
    "environment": set(),
    "key_strength": set(),
    "mail_settings": set(),
    "wsgi": {"config", "plaidapp"},
    "worker": {"config", "plaidapp"},
    "gunicorn": {"config", "plaidapp"},
    "server": {"server", *SERVER},
    "run": {"config", "mail_settings"},
    "sandbox": {"sandbox"},
    "plaidapp.bank": {"plaidapp.bank", *SHARED},
    "plaidapp.store": {"plaidapp.store", *STORE},
    "plaidapp.jobs": {
        "plaidapp.jobs",
        "plaidapp.bank",
        "plaidapp.store",
        "plaidapp.extensions",
        *SHARED,
    },
    "plaidapp.jobs.worker_app": {"config", "plaidapp"},  # a job of a plain `rq worker` needs it
    "plaidapp.backup": {"plaidapp.backup", "plaidapp.schema", *LOWER},
    "plaidapp.webhooks": {"plaidapp.webhooks", *LOWER},
    "plaidapp.auth": {
        *("plaidapp.auth", "plaidapp.days", "plaidapp.formats", "plaidapp.languages"),
        "plaidapp.origins",
        *LOWER,
    },
    "plaidapp.finance": {"plaidapp.finance", *SHOWN, *LOWER},
    "plaidapp.operate": {
        *("plaidapp.operate", "plaidapp.auth.confirmation", "plaidapp.webhooks.replay"),
        *("config", "plaidapp.schema"),
        *SHOWN,
        *LOWER,
    },
    "plaidapp.migrations": {"plaidapp.policy"},
    **{leaf: {leaf} for leaf in LEAVES},
    "plaidapp.metrics": {"plaidapp.metrics", "plaidapp.policy"},
}
SUBJECTS = {
    "plaidapp.store": {
        "base": set(),
        "people": {"base"},
        "identity": {"base"},
        "connections": {"base", "people", "identity"},
        "pulls": {"base", "people", "connections"},
        "webhooks": {"base", "connections"},
        "health": {"base", "connections", "pulls", "webhooks"},
        "transactions": {"base", "people", "connections", "identity"},
        "reports": {"base", "connections", "transactions"},
        "recurring": {"base", "people", "connections", "identity", "transactions"},
    },
    "plaidapp.finance": {
        "base": set(),
        "connections": {"base", "pulls"},
        "pulls": {"base"},
        "transactions": {"base"},
        "charts": set(),
        "identity": {"base"},
        "reports": {"base", "charts"},
        "recurring": {"base", "charts"},
        "spending": {"base", "charts", "reports", "transactions"},
        "accounts": {"base", "charts", "connections", "reports", "transactions"},
        "dashboard": {"base", "connections", "pulls", "reports", "recurring", "transactions"},
        "find": {"base", "transactions"},
        "explain": {
            *("accounts", "base", "connections", "recurring", "reports", "spending"),
            "transactions",
        },
    },
    "plaidapp.jobs": {
        "plaid_limits": set(),
        "pulls": {"plaid_limits"},
        "connections": {"pulls"},
        "transactions": {"pulls", "connections"},
        "recurring": {"pulls"},
        "people": {"pulls", "connections"},
        "mail": set(),
        "identity": set(),
        "retention": set(),
    },
}
"""Which subjects of the same layer each subject may import."""
for layer, subjects in SUBJECTS.items():
    below = MAY_IMPORT[layer] - {layer}
    for subject, others in subjects.items():
        MAY_IMPORT[f"{layer}.{subject}"] = below | {
            f"{layer}.{other}" for other in {subject, *others}
        }
OURS = ("config", "wsgi", "worker", "run", "plaidapp", "server", "sandbox", "tests")


def sources():
    for place in ("*.py", "plaidapp/**/*.py", "server/**/*.py", "sandbox/**/*.py"):
        yield from sorted(ROOT.glob(place))


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_within(module, package):
    return module == package or module.startswith(f"{package}.")


def imports_of(module, is_package, tree):
    """Yield every module that `tree` imports, at any level: `from . import x` gives package.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")[: None if is_package else -1]
                up = up[: len(up) - node.level + 1]
                base = ".".join([*up, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if is_module(full) else base


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _is_below_flask(module):
    return is_within(module, "plaidapp.store") or is_within(module, "plaidapp.bank")


def refusals(module, is_package, source):
    """Yield the imports that the order of the packages forbids to a module."""
    packages = [package for package in MAY_IMPORT if is_within(module, package)]
    for name in imports_of(module, is_package, ast.parse(source)):
        top = name.split(".")[0]
        if top == "plaid" and not is_within(module, "plaidapp.bank"):
            yield f"{module} imports {name}"
        if top == "rq" and not (is_within(module, "plaidapp.jobs") or module == "worker"):
            yield f"{module} imports {name}"
        if top.startswith("flask") and _is_below_flask(module):
            yield f"{module} imports {name}"
        if top not in OURS:
            continue
        if packages:
            allowed = MAY_IMPORT[max(packages, key=len)]
            if not any(is_within(name, package) for package in allowed):
                yield f"{module} imports {name}"
        elif name in TOP or top in ("sandbox", "tests"):  # the wiring: plaidapp's own modules
            yield f"{module} imports {name}"


@pytest.mark.parametrize("path", list(sources()), ids=module_of)
def test_imports_run_down(path):
    found = refusals(module_of(path), path.name == "__init__.py", path.read_text())
    assert list(found) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("plaidapp.bank.client", "import plaidapp.store.connections.items"),
        ("plaidapp.bank.client", "from plaidapp.store.connections import items"),
        ("plaidapp.bank.client", "from ..store.connections import items"),
        ("plaidapp.bank.client", "from plaidapp import extensions"),
        ("plaidapp.bank.client", "import config"),
        ("plaidapp.store.connections.items", "from plaidapp.bank import client"),
        ("plaidapp.store.connections.items", "from plaidapp.bank.errors import BankError"),
        ("plaidapp.store.connections.items", "from plaidapp import jobs"),
        ("plaidapp.store.people.users", "from flask_login import UserMixin"),
        ("plaidapp.bank.client", "from flask import current_app"),
        ("plaidapp.store.connections.items", "from ...jobs import queue"),
        ("plaidapp.jobs.transactions.sync", "def f():\n    from plaidapp.finance import dashboard"),
        ("plaidapp.jobs.transactions.sync", "from plaidapp.auth import access"),
        ("plaidapp.jobs.transactions.sync", "import plaid"),
        ("plaidapp.finance.pulls.pull_view", "def f():\n    from rq import Queue"),
        ("plaidapp.finance.pulls.pull_view", "import sandbox"),
        ("plaidapp.auth.routes", "from plaidapp.finance import dashboard"),
        ("plaidapp.htmx", "from .extensions import db"),
        ("plaidapp.extensions", "from plaidapp.store import User"),
        ("plaidapp.error_pages", "import plaid.api"),
        ("plaidapp.error_pages", "import worker"),
        ("plaidapp.store.connections.items", "from ..pulls import pulls"),
        ("plaidapp.store.connections.items", "from plaidapp.store.transactions import edits"),
        ("plaidapp.store.transactions.edits", "from ..reports import derived"),
        ("plaidapp.store.base.types", "from plaidapp.store import Item"),
        ("plaidapp.jobs.pulls.attempt", "from ..transactions import sync"),
        ("plaidapp.jobs.transactions.sync", "from ..recurring import fetch_streams"),
        ("plaidapp.finance.pulls.pull_view", "from ..dashboard import content"),
        ("plaidapp.finance.transactions.listing", "from ..pulls import pull_view"),
        ("plaidapp.finance.base.fields", "from ..transactions import amounts"),
        ("sandbox.app", "import plaidapp"),
        ("sandbox.app", "from config import Config"),
        ("config", "import plaidapp"),
    ],
)
def test_an_import_that_runs_up_is_found(module, line):
    assert len(list(refusals(module, False, line))) == 1


def test_every_package_exists():
    modules = {module_of(path) for path in sources()}
    for package in MAY_IMPORT:
        assert any(is_within(module, package) for module in modules), package
