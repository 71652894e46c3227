"""The names of cookies."""

from flask import request


def of_this_host(name: str) -> str:
    """Return what a cookie of this request is called.

    Over https, a browser takes a cookie whose name begins with `__Host-` from this host only, and
    over https only. The one of the other scheme is never read, since others can plant or read it.
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
    """
    return f"__Host-{name}" if request.is_secure else name
