"""The app that gunicorn and `flask --app wsgi` load."""

from config import Config
from plaidapp import create_app, logs

config = Config.from_env()
logs.configure(config)
app = create_app(config)
