"""Commands of `flask --app wsgi`."""

import logging
import signal
import threading

import click
from flask import Flask
from flask.cli import with_appcontext

from .jobs import sweep


def init_app(app: Flask) -> None:
    app.cli.add_command(clock)


@click.command()
@with_appcontext
def clock() -> None:
    """Rings for pulls that were left undone, until it is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sweep.run(stop)
