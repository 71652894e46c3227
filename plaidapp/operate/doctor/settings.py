"""Checks of what is in the environment, and of the disk."""

import shutil
import tempfile
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import lazy_gettext
from sqlalchemy import make_url

import key_strength
from config import Config
from plaidapp import policy

from .result import Verdict, bad, good

MEGABYTE = 1024**2


def _config() -> Config:
    config: Config = current_app.config["PLAIDAPP"]
    return config


def secret_key(_patience: float) -> Verdict:
    for number, key in enumerate(_config().secret_keys, start=1):
        if problem := key_strength.problem_with_secret(key):
            return bad(
                lazy_gettext(
                    "Key %(number)s of SECRET_KEY %(problem)s.", number=number, problem=problem
                ),
                lazy_gettext(
                    "Put a new key in front, made by: python -c 'import secrets;"
                    " print(secrets.token_urlsafe(32))'. Take the old one out a week later."
                ),
            )
    return good(lazy_gettext("SECRET_KEY can’t be guessed."))


def addresses(_patience: float) -> Verdict:
    """Are hosts and proxies as they have to be for this address?"""
    config = _config()
    if not (config.public_url or config.allowed_hosts):
        return bad(
            lazy_gettext("Requests for any host are accepted, and Plaid can send no webhooks."),
            lazy_gettext("Set PUBLIC_URL to where people reach this app, with https://."),
        )
    public = urlsplit(config.public_url or "")
    if _is_near(public.hostname or ""):
        return good(lazy_gettext("PUBLIC_URL is an address of this machine or network."))
    if public.scheme == "http":
        return bad(
            lazy_gettext("PUBLIC_URL begins with http://, so anybody on the way reads passwords."),
            lazy_gettext("Put a proxy with a certificate in front, and https:// in PUBLIC_URL."),
        )
    if public.scheme == "https" and not config.trusted_proxies:
        return bad(
            lazy_gettext(
                "People come over https, and so through a proxy, but TRUSTED_PROXIES is 0. All of"
                " them seem to have the proxy’s address, and wrong log-ins are limited by it."
            ),
            lazy_gettext("Set TRUSTED_PROXIES to the number of proxies in front, such as 1."),
        )
    return good(lazy_gettext("PUBLIC_URL, ALLOWED_HOSTS and TRUSTED_PROXIES fit together."))


def _is_near(host: str) -> bool:
    """Is this host of PUBLIC_URL this machine, or an address of its own network?"""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def disk(_patience: float) -> Verdict:
    """Is there room where SQLite writes, and where a long sync is spooled?"""
    free = {folder: shutil.disk_usage(folder).free for folder in _folders()}
    folder = min(free, key=lambda each: free[each])
    megabytes = free[folder] // MEGABYTE
    if free[folder] < policy.LEAST_DISK:
        return bad(
            lazy_gettext(
                "Only %(free)s MB are free in %(folder)s.", free=megabytes, folder=str(folder)
            ),
            lazy_gettext("Make room there, or move it to a larger disk."),
        )
    return good(
        lazy_gettext("%(free)s MB are free in %(folder)s.", free=megabytes, folder=str(folder))
    )


def _folders() -> list[Path]:
    folders = [Path(tempfile.gettempdir())]
    url = make_url(_config().database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        folders.append(Path(url.database).parent)
    return folders
