"""The app that gunicorn and `flask --app wsgi` load."""

from config import Config
from plaidapp import create_app

app = create_app(Config.from_env())
