"""The app that gunicorn and `flask --app wsgi` load."""

from config import Config
from plaidapp import create_app, error_reports, logs

config = Config.from_env()
logs.configure(config)
error_reports.start(config)
app = create_app(config)
