"""Save everything that is stored of a person in a file."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from .. import extensions, new_files
from ..auth.download import archive
from ..events import event
from ..store.base.types import now
from ..store.people import activity, users
from . import arguments, output


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def export(name: str, file: Path) -> None:
    """Save everything of the person with this username or email address in FILE.

    FILE must not exist. It is the ZIP file of the button "Download everything", and only its owner
    can read it. It appears when it is complete. The person's activity says that it was made.
    """
    user = arguments.person(name)
    user_id, opaque_id = user.id, users.opaque_id_of(user)
    event("operator", command="export", person=opaque_id)
    try:
        with new_files.written(file) as partial, partial.open("wb") as saved:
            activity.note(user_id, activity.Kind.DOWNLOADED)
            extensions.read_one_snapshot()
            pieces = archive.pieces(user_id, now())
            with output.progress_of("Saving", pieces, drawn_every=1000) as bar:
                saved.writelines(bar)
    except FileExistsError:
        problem = f"{file} exists already. Name a file that does not."
        raise click.BadParameter(problem, param_hint="FILE") from None
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}.") from None
    click.echo(f"Saved in {file}: {file.stat().st_size:,} bytes.")
