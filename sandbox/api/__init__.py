"""Plaid's endpoints: one module for each page of its API reference."""
