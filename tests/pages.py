"""Reads answers for the tests: elements, field values, errors beside a field, cookies."""

from html.parser import HTMLParser

from werkzeug.test import TestResponse

VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})
Attributes = dict[str, str | None]


class Page(HTMLParser):
    """A page or a fragment: every element with its attributes and the text inside it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes, list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inside: list[str] = []
        self.elements.append((tag, dict(attrs), inside))
        if tag not in VOID:
            self._open.append((tag, inside))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, inside in self._open:
            inside.append(data)

    def find_all(self, **wanted: str) -> list[tuple[Attributes, str]]:
        """Return the attributes and text of each element with these attributes."""
        return [
            (attributes, " ".join("".join(inside).split()))
            for _, attributes, inside in self.elements
            if all(attributes.get(name) == value for name, value in wanted.items())
        ]

    def find(self, **wanted: str) -> tuple[Attributes, str]:
        """Return the attributes and text of the only element with these attributes."""
        found = self.find_all(**wanted)
        assert len(found) == 1, f"{len(found)} elements with {wanted}"
        return found[0]

    def texts_of(self, *tags: str) -> list[str]:
        """Return the text of every element with one of these tags."""
        texts = [inside for tag, _, inside in self.elements if tag in tags]
        return [" ".join("".join(inside).split()) for inside in texts]

    def has(self, **wanted: str) -> bool:
        return any(
            all(attributes.get(name) == value for name, value in wanted.items())
            for _, attributes, _ in self.elements
        )

    def value(self, field: str) -> str | None:
        """Return the value of the field with this name, None if it is empty."""
        return self.find(name=field)[0].get("value")

    def beside(self, field: str) -> str:
        """Return the texts that the field's aria-describedby points to."""
        described = self.find(name=field)[0].get("aria-describedby") or ""
        return " ".join(self.find(id=part)[1] for part in described.split())

    def complaints(self) -> set[str]:
        """Return the names of the fields marked as invalid."""
        return {
            attributes["name"] or ""
            for _, attributes, _ in self.elements
            if attributes.get("aria-invalid") == "true"
        }

    @property
    def text(self) -> str:
        inside = "".join(
            "".join(text) for tag, _, text in self.elements if tag in ("body", "main", "div")
        )
        return " ".join(inside.split())


def plain(text):
    """Return the text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def token_of(answer: TestResponse) -> str:
    """Return the CSRF token of a page. Every form of a page has the same."""
    tokens = {
        attributes["value"]
        for _, attributes, _ in Page(answer.text).elements
        if attributes.get("name") == "csrf_token"
    }
    assert len(tokens) == 1
    return tokens.pop() or ""


def set_cookie(answer: TestResponse, name: str) -> str:
    """Return the header that sets this cookie."""
    (header,) = (
        each for each in answer.headers.getlist("Set-Cookie") if each.startswith(f"{name}=")
    )
    return header
