"""Which host a request names, whether it came over https, and from which address.

Anybody can send any Host and X-Forwarded-* header. This module decides what the rest of the app may
believe of them, before Flask sees the request.
"""

import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from string import punctuation
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from flask import Flask, Response, redirect, request
from flask_babel import lazy_gettext
from werkzeug import Response as BaseResponse
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import RequestRedirect

from config import Config

from . import policy
from .error_pages import answer

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
OF_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""These accept any host: a load balancer or Prometheus may know an address of its own for them."""
HOST = re.compile(
    r"(\[[0-9a-f:.]{2,45}\]|(?=.{1,254}$|.{1,254}:)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?)"
    r"(?::[0-9]{1,5})?",
    re.ASCII | re.IGNORECASE,
)
UNCOUNTED_PROXY = (
    "A request came with X-Forwarded-For, and TRUSTED_PROXIES=%d does not fit it. Set it to the"
    " number of proxies in front of this app. Until then the app does not know visitors' addresses,"
    " so it limits wrong log-ins and sign-ups by the proxy's address, or not by address at all."
    " And unless PUBLIC_URL says so, it does not know that people come over https."
)
REFUSED = (
    "A request for the host %r was refused. If it is a name of this site, add it to ALLOWED_HOSTS."
    " If it is this app's own address, a proxy in front does not pass the visitor's Host header on."
)
IS_WRONG = "plaidapp.host_is_wrong"
WRONG_HOST = lazy_gettext(
    "This site has another address. If you run it, add the name in this address to ALLOWED_HOSTS,"
    " and let a proxy in front of it pass the Host header on."
)


def init_app(app: Flask) -> None:
    config: Config = app.config["PLAIDAPP"]
    count = config.trusted_proxies
    believable = Believable(app.wsgi_app, config)
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        believable, x_for=count, x_proto=count, x_host=count
    )
    app.before_request(_refuse_wrong_host)
    app.before_request(_redirect_within_this_site)


def warn_if_any_is_accepted(config: Config) -> None:
    if not (config.public_url or config.allowed_hosts):
        log.warning(
            "Requests for any host are accepted. Set PUBLIC_URL to where people reach this app, and"
            " TRUSTED_PROXIES to the number of proxies in front of it. With neither, an app behind"
            " a proxy does not know that people come over https, and its cookies lack Secure."
        )


def is_public_name(host: str) -> bool:
    """Is this host of a request neither an IP address nor this machine?"""
    name = host.partition(":")[0].lower().rstrip(".")
    return name != "localhost" and not name.endswith(".localhost") and _parsed(host) is None


def _refuse_wrong_host() -> Response | None:
    return answer(400, str(WRONG_HOST)) if IS_WRONG in request.environ else None


def _redirect_within_this_site() -> BaseResponse | None:
    """Leave the host out of a redirect to the right spelling of a path. Werkzeug writes it."""
    if not isinstance(request.routing_exception, RequestRedirect):
        return None
    parts = urlsplit(request.routing_exception.new_url)
    return redirect(urlunsplit(("", "", parts.path, parts.query, "")), 308)


class Believable:
    """WSGI middleware, called by ProxyFix. Leaves in the environment what the app may believe."""

    def __init__(self, app: Any, config: Config) -> None:
        self._app = app
        public = urlsplit(config.public_url or "")
        public_names = set(_names_in(public))
        names = public_names.union(config.allowed_hosts)
        # A person who names this machine in one way may use all of its names.
        self._allowed = names | LOOPBACK if names & LOOPBACK else names
        self._trusted_proxies = config.trusted_proxies
        self._has_warned = False
        self._refused: set[str] = set()
        # People reach these over https, even if the proxy in front does not say so.
        self._https = public_names - LOOPBACK if public.scheme == "https" else set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        of_server = environ["werkzeug.proxy_fix.orig"]
        environ["REMOTE_ADDR"] = self._visitor(environ, of_server["REMOTE_ADDR"])
        query: str = environ.get("QUERY_STRING", "")
        if not query.isascii():  # bytes that a browser would encode, perhaps no UTF-8
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=punctuation)
        name = self._name(environ, of_server["SERVER_NAME"] or "")
        is_https = environ["wsgi.url_scheme"].lower() == "https"
        environ["wsgi.url_scheme"] = "https" if is_https or name in self._https else "http"
        if name is None:
            refused = environ.get("HTTP_HOST", "")[:100]
            # It must not break the page that refuses it, or appear there.
            environ["HTTP_HOST"] = environ["SERVER_NAME"] = "localhost"
            if environ.get("PATH_INFO") not in OF_PROBES:
                environ[IS_WRONG] = True
                self._log_refused(refused)
        answered: Iterable[bytes] = self._app(environ, start_response)
        return answered

    def _log_refused(self, host: str) -> None:
        if host not in self._refused and len(self._refused) < policy.REFUSED_HOSTS_LOGGED:
            self._refused.add(host)
            log.warning(REFUSED, host)

    def _visitor(self, environ: dict[str, Any], sender: str | None) -> str:
        """Return the visitor's address; empty if only the one of a proxy is known.

        All visitors have a proxy's address, so one of them could use up the limits of all.
        """
        address = _address(environ.get("REMOTE_ADDR"), sender)
        if "HTTP_X_FORWARDED_FOR" not in environ or address != _address(sender):
            return address
        if not self._has_warned:
            self._has_warned = True
            log.warning(UNCOUNTED_PROXY, self._trusted_proxies)
        return address if address and ip_address(address).is_global else ""

    def _name(self, environ: dict[str, Any], server_name: str) -> str | None:
        """Return the name of the request's host, None if it is wrong."""
        matched = HOST.fullmatch(environ.get("HTTP_HOST") or server_name)
        if matched is None:
            return None
        name = matched[1].lower()
        if not self._allowed or name in self._allowed:
            return name
        return name if name in LOOPBACK and _is_loopback(server_name) else None


def _names_in(url: SplitResult) -> Iterable[str]:
    """Yield the host of an address as a Host header spells it."""
    if name := url.hostname:
        yield f"[{name}]" if ":" in name else name.encode("idna").decode()


@lru_cache(8)
def _is_loopback(server_name: str) -> bool:
    """Does the server listen on loopback only? SERVER_NAME is where it listens."""
    address = _parsed(server_name)
    return server_name == "localhost" or (address is not None and address.is_loopback)


def _address(*candidates: str | None) -> str:
    """Return the first of them that is an IP address, without a port; empty if none is.

    A proxy may write "unknown" there. A server on a Unix socket knows no address.
    """
    for text in candidates:
        if address := _parsed(text or ""):
            return str(address)
    return ""


@lru_cache(256)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address with or without a port. IPv4 within IPv6 is read as IPv4."""
    try:
        host = text if text.count(":") > 1 and "[" not in text else urlsplit(f"//{text}").hostname
        address = ip_address(host or "")
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # without a zone such as %eth0
