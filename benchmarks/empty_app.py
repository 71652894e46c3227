"""An app whose only route does nothing, to measure the overhead of gunicorn and Flask."""

from flask import Flask

from config import Config

app = Flask("empty", template_folder=None)
app.config["PLAIDAPP"] = Config.from_env()  # gunicorn.conf.py uses it


@app.get("/empty")
def empty() -> str:
    return ""
