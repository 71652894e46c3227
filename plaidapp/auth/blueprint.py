"""The blueprint that the pages of signing up, logging in and the account register on."""

from flask import Blueprint

blueprint = Blueprint("auth", __name__, url_prefix="/auth")
