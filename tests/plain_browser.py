"""A browser without JavaScript, as far as forms go: it reads them from the page and sends them."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.routing import MapAdapter

from tests.pages import Attributes, Page

CONTROLS = ("input", "button", "select", "option", "textarea")


class Control(NamedTuple):
    """A field or button, and the id of its form. `text` is its content."""

    form: str
    tag: str
    attributes: Attributes
    text: list[str]


class Forms(HTMLParser):
    """The forms of a page with their controls, in the order of the page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: dict[str, Attributes] = {}
        self.controls: list[Control] = []
        self._form = ""
        self._open: Control | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self._form = attributes.get("id") or f"form {len(self.forms)}"
            self.forms[self._form] = attributes
        elif tag in CONTROLS:
            control = Control(attributes.get("form") or self._form, tag, attributes, [])
            self.controls.append(control)
            self._open = None if tag == "input" else control

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""
        elif tag in CONTROLS:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open.text.append(data)

    def button(self, label: str, at: str = "") -> Control:
        """Return the first button whose label starts with `label`, and whose form is sent to an
        address that ends with `at`."""
        for control in self.controls:
            submits = control.attributes.get("type", "submit") == "submit"
            shown = control.attributes.get("value") if control.tag == "input" else None
            if submits and control.form and control.tag in ("button", "input"):
                words = " ".join((shown or "".join(control.text)).split())
                action = self.forms[control.form].get("action") or ""
                if words.startswith(label) and action.endswith(at):
                    return control
        raise AssertionError(f"no button {label!r}")

    def fields(self, form: str) -> MultiDict[str, str]:
        """Return what the form sends if nobody changes anything in it."""
        sent: MultiDict[str, str] = MultiDict()
        select = ""
        for control in self.controls:
            attributes = control.attributes
            if control.tag == "select":
                select = attributes["name"] or ""
            if control.form != form or control.tag in ("button", "select"):
                continue
            name, value = attributes.get("name"), attributes.get("value") or ""
            match control.tag, attributes.get("type", "text"):
                case "option", _:
                    if "selected" in attributes or select not in sent:
                        sent[select] = value
                case "textarea", _:
                    sent.add(name or "", "".join(control.text).strip())
                case _, "checkbox" | "radio" if "checked" not in attributes:
                    pass
                case _, kind if kind != "submit" and name:
                    sent.add(name, value)
        return sent


class PlainBrowser:
    """Follows redirects, and remembers the endpoints of all POSTs in `posted`."""

    def __init__(self, client: FlaskClient, urls: MapAdapter) -> None:
        self._client, self._urls = client, urls
        self.posted: set[str] = set()
        self.path, self.html = "", ""

    @property
    def page(self) -> Page:
        return Page(self.html)

    def get(self, path: str) -> Page:
        return self._open(path)

    def press(self, label: str, at: str = "", **changes: str) -> Page:
        """Press a button after changing fields of its form; each must exist there already. `at` is
        the end of the form's address, where several buttons have the label."""
        action, fields = self._filled(label, changes, at)
        return self._open(action, method="POST", data=fields)

    def leave(self, label: str) -> str:
        """Press a button that leads to another site, and return the address there."""
        action, fields = self._filled(label, {})
        answer = self._client.post(action, data=fields)
        assert answer.status_code == 303, f"{answer.status_code} from {action}"
        return answer.location

    def download(self, label: str) -> bytes:
        """Press a button that answers with a file, and return its content."""
        action, fields = self._filled(label, {})
        with self._client.post(action, data=fields) as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment"), action
            return answer.data

    def _filled(
        self, label: str, changes: Mapping[str, str], at: str = ""
    ) -> tuple[str, MultiDict[str, str]]:
        """Return where the form of a button is sent, and its fields."""
        forms = Forms(self.html)
        button = forms.button(label, at)
        form, fields = forms.forms[button.form], forms.fields(button.form)
        names = {c.attributes.get("name") for c in forms.controls if c.form == button.form}
        assert names >= changes.keys(), f"{changes.keys() - names} are not in the form"
        for name, value in changes.items():
            fields[name] = value
        if name := button.attributes.get("name"):
            fields.add(name, button.attributes.get("value") or "")
        action = button.attributes.get("formaction") or form.get("action") or self.path
        assert form["method"] == "post"
        self.posted.add(self._urls.match(action.partition("?")[0], method="POST")[0])
        return action, fields

    def _open(self, path: str, **options: object) -> Page:
        answer = self._client.open(path, follow_redirects=True, **options)  # type: ignore[arg-type]
        assert answer.status_code == 200, f"{answer.status_code} from {path}"
        self.path, self.html = answer.request.path, answer.text
        return self.page
