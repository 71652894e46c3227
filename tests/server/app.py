"""An app that does what clients of the server need to see. gunicorn loads it as `wsgi:app`."""

import os
import sys
import time

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config
from plaidapp import clicks_under_way
from server import limits

app = Flask("tests.server.app", template_folder=None)
app.wsgi_app = ProxyFix(app.wsgi_app)  # so that a test has many addresses
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
app.config["PLAIDAPP"] = Config.from_env()  # gunicorn.conf.py uses it
limits.MAX_CONNECTIONS = 30  # so that a test reaches it soon
limits.HELD_LIMIT = 1_500_000
PART = b"x" * 65_536


@app.route("/echo", methods=["GET", "POST"])
def echo() -> dict[str, object]:
    body = request.get_data()
    headers = {name: value for name, value in request.headers.items() if name != "Host"}
    parties = [request.environ[name] for name in ("SERVER_NAME", "REMOTE_ADDR")]
    return {
        "body": body.decode(),
        "path": request.full_path,
        "headers": headers,
        "parties": parties,
    }


@app.get("/path/<name>")
def path(name: str) -> str:
    return request.path


@app.get("/parts/<int:count>")
def parts(count: int) -> Response:
    return Response(PART for _ in range(count))


@app.get("/broken/<int:count>")
def broken(count: int) -> Response:
    def some() -> object:
        yield from (PART for _ in range(count))
        raise RuntimeError("in the middle")

    return Response(some())


@app.get("/whole/<int:size>")
def whole(size: int) -> bytes:
    return b"x" * size


@app.get("/exits")
def exits() -> None:
    raise SystemExit


@app.after_request
def add_bad_length(response: Response) -> Response:
    """A header that Tornado does not send."""
    if request.query_string == b"bad-length":
        response.headers["Content-Length"] = "x"
    return response


@app.route("/slow/<float:seconds>", methods=["GET", "POST"])
def slow(seconds: float) -> str:
    sys.stderr.write(f"slow for a {request.method}\n")  # at once, or threads mix their lines
    time.sleep(seconds)
    return "done"


@app.get("/expect/<float:seconds>")
def expect(seconds: float) -> str:
    clicks_under_way.expect(seconds)
    return "expected"


@app.post("/webhooks/plaid")
def webhook() -> dict[str, bool]:
    return {"somebody_waits": clicks_under_way.are_there()}


@app.get("/healthz")
def healthz() -> str:
    return str(os.getpid())


@app.get("/nothing")
def nothing() -> tuple[str, int]:
    return "", 204
