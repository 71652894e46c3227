"""CSRF protection. It is not in `extensions` because it imports forms, which workers don't need."""

from flask_wtf import CSRFProtect

csrf = CSRFProtect()
