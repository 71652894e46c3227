"""Download everything: one ZIP file with all that is stored of a person.

docs/download-format.md describes it.
"""

from . import page

__all__ = ["page"]  # importing it registers its route
