"""The floor of a web process: what gunicorn and Flask take for a route that does nothing."""

from flask import Flask

app = Flask("empty")


@app.get("/empty")
def empty() -> str:
    return ""
