"""How forms are read: the texts of named fields, and nothing else."""

from io import BytesIO
from typing import Any

from flask import Request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser


class TextForm(FlaskForm):
    """Reads only the texts of `formdata`, which is `request.form` or `request.args`.

    FlaskForm would read uploaded files and JSON too, and their values are no texts.
    """

    def __init__(self, formdata: MultiDict[str, str] | None = None, **options: Any) -> None:
        super().__init__(formdata=formdata, **options)


class NamedParts(FormDataParser):
    """Refuses a form that has a part without a readable name: its name would be None."""

    def parse(self, *arguments: Any, **options: Any) -> Any:
        stream, fields, files = super().parse(*arguments, **options)
        if None in fields or None in files:
            raise BadRequest
        return stream, fields, files


class FormRequest(Request):
    form_data_parser_class = NamedParts

    def _get_file_stream(self, *_facts: Any, **_more: Any) -> BytesIO:
        """Write no temporary file for an upload: no form takes one."""
        return BytesIO()
