"""What a check has found. Sentences are translated when they are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flask_babel.speaklater import LazyString

Text = str | LazyString


class Verdict(NamedTuple):
    """`ok` is None if it can't be checked here. That is no failure."""

    ok: bool | None
    sentence: Text
    fix: Text = ""


class Check(NamedTuple):
    """`look` takes how many seconds it may wait for others, and raises nothing that it expects."""

    name: str
    title: Text
    look: Callable[[float], Verdict]


@dataclass(frozen=True)
class Result:
    """`fix` is what to do, if it is not ok."""

    name: str
    title: Text
    ok: bool | None
    sentence: Text
    fix: Text = ""


def good(sentence: Text) -> Verdict:
    return Verdict(True, sentence)


def bad(sentence: Text, fix: Text) -> Verdict:
    return Verdict(False, sentence, fix)


def unknown(sentence: Text) -> Verdict:
    return Verdict(None, sentence)
