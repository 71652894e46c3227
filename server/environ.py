"""What WSGI calls the environ: a request, as the app reads it."""

import sys
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from tornado.httputil import HTTPHeaders, RequestStartLine

from . import limits


def environ_of(
    start_line: RequestStartLine,
    headers: HTTPHeaders,
    body: bytes,
    size: int,
    server: tuple[str, str],
    client: str,
) -> dict[str, Any]:
    """Return the environ without the names that a server may add.

    `size` is that of the body in bytes, of which a part may be missing. `server` is the host and
    the port where it listens, and `client` the address of the client.
    """
    path, query = _path_and_query(start_line.path)
    environ = {
        "REQUEST_METHOD": start_line.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": start_line.path,
        "SERVER_PROTOCOL": start_line.version,
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "REMOTE_ADDR": client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.get_all():
        if "_" in name or name in ("Transfer-Encoding", "Content-Length"):
            continue  # X_Forwarded_For would pass for X-Forwarded-For
        key = name.upper().replace("-", "_")
        if key != "CONTENT_TYPE":
            key = f"HTTP_{key}"
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    if size or "Content-Length" in headers:
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def problem_with(start_line: RequestStartLine, headers: HTTPHeaders) -> tuple[int, str] | None:
    """Return the status and the sentence for a header that the app should not see."""
    fields = list(headers.get_all())
    size = len(start_line.path) + sum(len(name) + len(value) + 4 for name, value in fields)
    if size > limits.MAX_HEADER or len(fields) > limits.MAX_FIELDS:
        return 431, "The header of this request is too large. Delete the cookies of this site."
    if len(headers.get_list("Host")) != (start_line.version != "HTTP/1.0" or "Host" in headers):
        return 400, "A request has to name one host."
    try:
        _path_and_query(start_line.path)
    except ValueError:
        return 400, "The address in this request can't be read."
    return None


def _path_and_query(target: str) -> tuple[str, str]:
    """Raises ValueError if the target can't be read."""
    if not target.startswith("/"):  # http://host/path, as proxies are asked
        parts = urlsplit(target)
        return parts.path or "/", parts.query
    path, _, query = target.partition("?")
    return path, query
