"""Which requests the control plane takes: no page of another site may send it anything.

A browser sends a form or text/plain to any address, but asks first before it sends JSON.
"""

from urllib.parse import urlsplit

import msgspec
from werkzeug.wrappers import Request, Response

PREFIX = "/_control/"


class Refused(Exception):
    """Why nothing was changed, as a sentence without its period."""


def refusal(request: Request) -> Response | None:
    """Return the answer to a request that is refused, or None."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return bad_request("Pages of other origins can't use the control plane", 403)
    if request.method == "POST" and request.mimetype != "application/json":
        return bad_request("The Content-Type must be application/json", 415)
    return None


def json_response(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, content_type="application/json")


def bad_request(why: str, status: int = 400) -> Response:
    return json_response({"error": f"Nothing was changed. {why}."}, status)
