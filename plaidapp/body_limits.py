"""How large the body of a request may be: policy.MAX_FORM, unless its route says otherwise."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, request

from . import policy

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    """Call this before anything that reads forms, such as the CSRF check."""
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = policy.MAX_FORM
    app.before_request(_check)


def allow(size: int) -> Callable[[View], View]:
    """Let the bodies of this route have up to `size` bytes. Put it below the route's decorator."""

    def decorate(view: View) -> View:
        view.body_limit = size  # type: ignore[attr-defined]
        return view

    return decorate


def in_words() -> str:
    """Return the limit of this request."""
    kilobytes = (request.max_content_length or 0) // 1024
    return f"{kilobytes // 1024} MB" if kilobytes >= 1024 else f"{kilobytes} KB"


def _check() -> None:
    """Refuse a body that says it is too large, also on a route that would not read it."""
    view = current_app.view_functions.get(request.endpoint or "")
    if limit := getattr(view, "body_limit", None):
        request.max_content_length = request.max_form_memory_size = limit
    if view and (request.content_length or 0) > (request.max_content_length or 0):
        abort(413)
