"""What is stored, as files that other programs read: one module a format.

A format is a function from an `Export` to pieces of text, a row or so each; `routes` names all.
"""

from . import json, routes

__all__ = ["json", "routes"]
