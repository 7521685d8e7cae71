"""The gate for commands: every text in a command is checked here before anything is stored.

A field of type `str` is a single line of at most `DEFAULT.most` characters, unless its class says
otherwise in `TEXTS`. A command that is added later is checked without further code.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, partial
from operator import attrgetter, le
from typing import Any, TypeVar

from cnc_station.engine.domain import json_text, text_gate
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.trace import TRACE_ID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """What a text may be. `lines`: it may have tabs and line breaks. `foreign`: the name of a file,
    which nobody here chose: it is cut and made visible, never refused. `form`: what it must match
    unless it is empty, and `form_words` what that is."""

    most: int
    lines: bool = False
    foreign: bool = False
    form: re.Pattern[str] | None = None
    form_words: str = ""


DEFAULT = Text(200)
REASON = Text(2_000, lines=True)
FILE_NAME = Text(200, foreign=True)
OPERATOR = Text(60)
TRACE = Text(64, form=TRACE_ID, form_words="must be letters, digits, dots, hyphens and underscores")
_LISTS = (list, tuple)
_NUMBERS = (bool, int, float, int | None, float | None)


def admitted(command: T) -> T:
    """Return a command with its texts as they are stored. Raises InvalidInput with each fault."""
    errors: list[FieldError] = []
    found: T = _walk(command, "", DEFAULT, partial(_checked, errors=errors))
    if errors:
        raise InvalidInput(*errors)
    return found


def searchable(query: T) -> T:
    """Return a query whose texts every database can compare with those it stores. A search for a
    character that is never stored finds nothing; it is not an error."""
    found: T = _walk(query, "", DEFAULT, _comparable)
    return found


def operator(name: str) -> str:
    """Return the name of an operator as it is stored. Raises InvalidInput."""
    errors: list[FieldError] = []
    found = _text(name, "operator", OPERATOR, errors)
    if not found:
        errors.append(FieldError("operator", "is missing"))
    if errors:
        raise InvalidInput(*errors)
    return found


def text_faults(name: str, value: str, rule: Text) -> Iterator[FieldError]:
    """Yield what is wrong with the text of a field."""
    fits = rule.form is None or not value or rule.form.fullmatch(value) is not None
    if fits and len(value) <= rule.most and text_gate.is_tidy(value):
        return
    if len(value) > rule.most * 4:  # too long in any spelling: nobody looks further
        yield FieldError(name, f"at most {rule.most:,} characters")
    elif (wrong := text_gate.fault(value, lines=rule.lines)) is not None:
        yield FieldError(name, wrong)
    elif not fits:
        yield FieldError(name, f"{rule.form_words}, at most {rule.most:,}")
    else:
        tidy = text_gate.tidy(value, lines=rule.lines)
        if len(tidy) > rule.most or len(tidy.lower()) > rule.most:
            yield FieldError(name, f"at most {rule.most:,} characters")


_Visit = Callable[[Any, str, Text], Any]


def _walk(value: Any, name: str, rule: Text, visit: _Visit) -> Any:
    """Return a value with its texts and mappings as `visit` returns them."""
    kind: Any = type(value)
    if kind is str:
        return visit(value, name, rule)
    if is_dataclass(kind):
        return _walk_fields(value, visit)
    if kind not in _LISTS:  # the common ones first: to ask an abstract class takes longer
        if isinstance(value, Mapping):
            return visit(value, name, rule)
        if not isinstance(value, Sequence | Set) or isinstance(value, str | bytes):
            return value
    items = [_walk(item, name, rule, visit) for item in value]
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    return frozenset(items) if isinstance(value, Set) else tuple(items)


def has_tidy_texts(value: Any) -> bool:
    """Return whether all fields of type `str` certainly are texts as they are stored. Fast; most
    are."""
    kind: Any = type(value)
    return _fields(kind).are_tidy(value)


def _walk_fields(value: Any, visit: _Visit) -> Any:
    kind: Any = type(value)
    found = _fields(kind)
    changed = {}
    for name, rule, wanted in found.others if found.are_tidy(value) else found.every:
        old = getattr(value, name)
        if wanted and not isinstance(old, str):
            visit(old, name, rule)
        elif old and (new := _walk(old, name, rule, visit)) is not old:
            changed[name] = new
    return replace(value, **changed) if changed else value


class _Fields:
    """The fields of a class that may hold text, what each may be, and whether it must be text."""

    def __init__(self, kind: Any) -> None:
        texts: Mapping[str, Text] = getattr(kind, "TEXTS", {})
        self.every = tuple(
            (field.name, texts.get(field.name, DEFAULT), field.type is str)
            for field in fields(kind)
            if field.type not in _NUMBERS
        )
        self.others = tuple(row for row in self.every if not row[2] or row[1].form)
        self._most = tuple(rule.most for _, rule, wanted in self.every if wanted)
        names = [name for name, _, wanted in self.every if wanted]
        # One of them twice: of a single name, attrgetter returns the value and not a tuple.
        self._texts = attrgetter(*names, names[0]) if names else lambda _: ()

    def are_tidy(self, value: Any) -> bool:
        """Return whether all that must be text certainly is, as it is stored."""
        texts = self._texts(value)
        try:
            return text_gate.are_tidy(texts) and all(map(le, map(len, texts), self._most))
        except TypeError:
            return False


@cache
def _fields(kind: type[Any]) -> _Fields:
    return _Fields(kind)


def _checked(value: Any, name: str, rule: Text, errors: list[FieldError]) -> Any:
    if isinstance(value, str):
        return _text(value, name, rule, errors)
    if not isinstance(value, Mapping):
        errors.append(FieldError(name, "must be text"))
    elif (wrong := json_text.fault(value)) is not None:
        errors.append(FieldError(name, wrong))
    return value


def _comparable(value: Any, _name: str, _rule: Text) -> Any:
    if not isinstance(value, str):
        return value
    stored = unicodedata.normalize("NFC", value.replace("\x00", "\\x00"))
    return stored.encode(errors="backslashreplace").decode()


def _text(value: str, name: str, rule: Text, errors: list[FieldError]) -> str:
    if rule.foreign:
        return text_gate.visible(text_gate.tidy(value), rule.most)
    if found := tuple(text_faults(name, value, rule)):
        errors += found
        return value
    tidy = text_gate.tidy(value, lines=rule.lines)
    return value if tidy == value else tidy
