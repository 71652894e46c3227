"""A Plaid that runs on your machine: Plaid's HTTP API over a small deterministic world."""

from sandbox.app import create_app

__all__ = ["create_app"]
