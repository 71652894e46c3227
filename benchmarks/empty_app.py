"""An app whose only route does nothing, to measure the overhead of gunicorn and Flask."""

from flask import Flask

app = Flask("empty", template_folder=None)


@app.get("/empty")
def empty() -> str:
    return ""
