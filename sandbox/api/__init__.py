"""Plaid's endpoints, a module for each page of its reference."""
