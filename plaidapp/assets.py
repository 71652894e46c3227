"""Static files, compressed once in each process. Browsers keep them for a year.

`url_for("static", ...)` adds a hash of the content to the address, so a changed file has a new
address. A change in static/ shows at once; there is no build step.
"""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import brotli
from flask import Flask, Response, abort, current_app, g, request, url_for
from flask_compress import Compress
from werkzeug.security import safe_join

FOREVER = "public, max-age=31536000, immutable"
TEXT = re.compile(r"text/.*|application/(javascript|json)|image/svg\+xml")
CSS_URL = re.compile(r'url\("(?!data:|#)([^"?]+)"\)')

mimetypes.add_type("font/woff2", ".woff2")


def init_app(app: Flask) -> None:
    """Let Flask-Compress compress pages, and serve static files from `serve` instead of Flask.

    Flask-Compress would compress a static file again for every request. Its cache can't be used,
    because it would keep people's pages too.
    """
    app.config.update(
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
        COMPRESS_REGISTER=False,  # see below: most polls have nothing to compress
        COMPRESS_STREAMS=False,  # streamed answers must arrive piece by piece
    )
    compress = Compress()
    compress.init_app(app)
    app.after_request(
        lambda answer: answer if answer.status_code == 204 else compress.after_request(answer)
    )
    app.view_functions["static"] = serve
    app.url_defaults(_add_version)
    app.add_template_global(icons_url)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent. Links to other files in `body` have their versions."""

    body: bytes
    mimetype: str

    @cached_property
    def version(self) -> str:
        return sha256(self.body).hexdigest()[:16]

    @cached_property
    def encoded(self) -> dict[str, bytes]:
        """The body in each content coding, the best first. It is compressed as much as possible."""
        if not TEXT.fullmatch(self.mimetype):
            return {"identity": self.body}
        return {
            "br": brotli.compress(self.body),
            "gzip": gzip.compress(self.body, mtime=0),
            "identity": self.body,
        }


def serve(filename: str) -> Response:
    """Serve a file of static/. Only an address with its present version is cached for a year."""
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


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and (asset := _find(values["filename"])):
        values.setdefault("v", asset.version)


def icons_url() -> str:
    """The address of all icons. It is made once in each request: a page shows a hundred icons."""
    if "icons_url" not in g:
        g.icons_url = url_for("static", filename="icons.svg")
    return cast(str, g.icons_url)


def _find(filename: str) -> Asset | None:
    path = safe_join(current_app.static_folder or "", filename)
    try:
        return _read(Path(path), Path(path).stat().st_mtime_ns) if path else None
    except (OSError, ValueError):  # there is no such file, or the name is impossible
        return None


@lru_cache(256)
def _read(path: Path, _modified_at: int) -> Asset:
    body = path.read_bytes()
    if path.suffix == ".css":
        body = CSS_URL.sub(lambda link: _versioned_link(path, link[1]), body.decode()).encode()
    return Asset(body, mimetypes.guess_type(path)[0] or "application/octet-stream")


def _versioned_link(sheet: Path, target: str) -> str:
    """Link a style sheet to a file, such as a font, at the same address that pages preload."""
    linked = sheet.parent / target
    return f'url("{target}?v={_read(linked, linked.stat().st_mtime_ns).version}")'
