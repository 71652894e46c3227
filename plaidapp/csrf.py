"""CSRF protection, apart from the other extensions: only what answers browsers imports forms."""

from flask_wtf import CSRFProtect

csrf = CSRFProtect()
