"""HTMX's vocabulary: is this request one of its, and what it understands in an answer.

https://four.htmx.org/docs, "Response Headers".
"""

from flask import Response, make_response, render_template, request


def is_htmx() -> bool:
    """True when HTMX asks for a fragment; False for a page, a plain form, or history restore."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def redirect(location: str, status: int = 200) -> Response:
    """Sends the whole page elsewhere. A 3xx would be followed inside the panel that asked."""
    response = make_response("", status)
    response.headers["HX-Redirect"] = location
    return response


def retarget(html: str, target: str, status: int, swap: str = "outerMorph") -> Response:
    """Puts `html` in `target` (a CSS selector) instead of where the asking element wanted it.

    Morphing keeps the focus and what was typed elsewhere.
    """
    response = make_response(html, status)
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = swap
    return response


def notice(sentence: str, status: int) -> Response:
    """A sentence in the page's live region, whatever asked."""
    return retarget(
        render_template("_notice.html", sentence=sentence), "#notice", status, "innerHTML"
    )
