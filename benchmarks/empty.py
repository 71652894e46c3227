"""The floor of a web process: what gunicorn and Flask take for a route that does nothing."""

from flask import Flask

app = Flask("empty", template_folder=None)


@app.get("/empty")
def empty() -> str:
    return ""
