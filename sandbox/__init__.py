"""A local stand-in for Plaid: its HTTP API, with data that a seed determines."""

from sandbox.app import create_app

__all__ = ["create_app"]
