"""Commands of `flask --app wsgi`, one module for each group of them.

What a command prints for people and programs goes through `output`. A command exits with 0 if all
went well, with 1 if a thing failed, and with 2 if it was called in a wrong way.
"""

from flask import Flask

from . import (
    backup,
    clock,
    delete,
    doctor,
    export,
    items,
    operators,
    people,
    prune,
    pulls,
    tokens,
    verify,
)

COMMANDS = (
    clock.run_clock,
    verify.verify,
    tokens.rotate_tokens,
    people.list_people,
    people.log_out,
    items.list_items,
    items.sync,
    pulls.list_pulls,
    export.export,
    delete.delete,
    backup.backup,
    backup.restore,
    operators.make_operator,
    doctor.doctor,
    prune.prune,
)


def init_app(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)
