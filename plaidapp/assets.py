"""Static files: compressed once a process, and kept by browsers for as long as they stay the same.

`url_for("static", ...)` carries a hash of the content, so what was fetched by such an address need
never be asked for again. A file in static/ that changes is seen at once: nothing has to be built.
"""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
from flask import Flask, Response, abort, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_compress import Compress
from itsdangerous import URLSafeTimedSerializer
from werkzeug.security import safe_join

FOREVER = "public, max-age=31536000, immutable"
TEXT = re.compile(r"text/.*|application/(javascript|json)|image/svg\+xml")
CSS_URL = re.compile(r'url\("(?!data:|#)([^"?]+)"\)')

mimetypes.add_type("font/woff2", ".woff2")


def init_app(app: Flask) -> None:
    """Pages are compressed by Flask-Compress, which would do it anew for every static file too.

    Its cache is no help: it would hold people's pages as well.
    """
    app.config.update(
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
        COMPRESS_STREAMS=False,  # what is sent piece by piece is meant to arrive so
    )
    Compress(app)
    app.view_functions["static"] = serve
    app.url_defaults(_versioned)
    app.session_interface = _Sessions()


class _Sessions(SecureCookieSessionInterface):
    """Static files are everybody's. An answer that varies by the cookie is fetched anew with it.

    The serializer is made once: making it anew for each request takes a fifth of reading a session.
    """

    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static" or response.status_code >= 400:
            super().save_session(app, session, response)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent; `body` names other files by their versioned addresses."""

    body: bytes
    mimetype: str

    @cached_property
    def version(self) -> str:
        return sha256(self.body).hexdigest()[:16]

    @cached_property
    def encoded(self) -> dict[str, bytes]:
        """By content coding, the best first; as small as they can be had, since it is done once."""
        if not TEXT.fullmatch(self.mimetype):
            return {"identity": self.body}
        return {
            "br": brotli.compress(self.body),
            "gzip": gzip.compress(self.body, mtime=0),
            "identity": self.body,
        }


def serve(filename: str) -> Response:
    """A file of static/. Only the address of its present content is for ever."""
    asset = _find(filename)
    if asset is None:
        abort(404)
    coding = request.accept_encodings.best_match(list(asset.encoded)) or "identity"
    response = Response(asset.encoded[coding], mimetype=asset.mimetype)
    response.set_etag(f"{asset.version}-{coding}")
    response.vary.add("Accept-Encoding")
    if coding != "identity":
        response.content_encoding = coding
    current = request.args.get("v") == asset.version
    response.headers["Cache-Control"] = FOREVER if current else "no-cache"
    response.make_conditional(request)
    return response


def _versioned(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and (asset := _find(values["filename"])):
        values.setdefault("v", asset.version)


def _find(filename: str) -> Asset | None:
    path = safe_join(current_app.static_folder or "", filename)
    try:
        return _read(Path(path), Path(path).stat().st_mtime_ns) if path else None
    except (OSError, ValueError):  # a name that no file can have
        return None


@lru_cache(256)
def _read(path: Path, _changed: int) -> Asset:
    body = path.read_bytes()
    if path.suffix == ".css":
        body = CSS_URL.sub(lambda link: _link(path, link[1]), body.decode()).encode()
    return Asset(body, mimetypes.guess_type(path)[0] or "application/octet-stream")


def _link(sheet: Path, target: str) -> str:
    """A style sheet's link to another file, such as a font, at the address that pages preload."""
    linked = sheet.parent / target
    return f'url("{target}?v={_read(linked, linked.stat().st_mtime_ns).version}")'
