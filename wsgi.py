"""What gunicorn and `flask --app wsgi` start."""

from config import Config
from plaidapp import create_app

app = create_app(Config.from_env())
