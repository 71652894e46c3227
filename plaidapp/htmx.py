"""Recognize requests of HTMX, and answer with its headers.

https://four.htmx.org/docs, "Response Headers".
"""

from flask import Response, make_response, render_template, request


def is_htmx() -> bool:
    """Return True if HTMX requests a fragment; False for a page, a form or a history restore."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def redirect(location: str, status: int = 200) -> Response:
    """Redirect the whole page. HTMX would show the page of a 3xx inside the panel."""
    response = make_response("", status)
    response.headers["HX-Redirect"] = location
    return response


def retarget(html: str, target: str, status: int, swap: str = "outerMorph") -> Response:
    """Put `html` into `target` (a CSS selector) instead of the target of the request.

    A morph keeps the focus and what the person typed in other fields.
    """
    response = make_response(html, status)
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = swap
    return response


def notice(sentence: str, status: int) -> Response:
    """Show a sentence in the live region of the page."""
    return retarget(
        render_template("_notice.html", sentence=sentence), "#notice", status, "innerHTML"
    )
