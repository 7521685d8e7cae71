"""Placeholders in templates: `{title}` stands for a value, `{{title}}` for itself.

Every place escapes its values by its own rules, so no value can end a string, a header or a part of
an address. Braces around anything but a single word are ordinary characters: JSON needs them.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from cnc_station.engine.domain.text_gate import visible

NAMES = (
    *("title", "text", "severity", "state", "event", "machine", "job", "customer", "time", "id"),
    "secret",
)
_MOST_HEADER = 500  # characters of one value
_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_]+)\}\}|\{([A-Za-z_]+)\}")

Values = Mapping[str, str]


def unknown(text: str) -> Iterator[str]:
    """Yield the names of placeholders that do not exist."""
    for found in _PLACEHOLDER.finditer(text):
        if found[2] and found[2] not in NAMES:
            yield found[2]


def present(text: str) -> bool:
    """Return whether a text has a placeholder."""
    return any(found[2] in NAMES for found in _PLACEHOLDER.finditer(text))


def keeps_host(url: str) -> bool:
    """Return whether no value can change the server that an address leads to."""
    parts = urlsplit(url)
    return not _PLACEHOLDER.search(parts.scheme + parts.netloc)


def _filled(text: str, values: Values, escape: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] else escape(values[found[2]])

    return _PLACEHOLDER.sub(value, text)


def in_url(text: str, values: Values) -> str:
    """Fill an address in. A value is always part of one segment of the path or of the query."""

    def escape(value: str) -> str:
        line = visible(value.strip())
        # A segment of dots would lead to another path, however it is escaped.
        return "-" * len(line) if line and not line.strip(".") else quote(line, safe="")

    return _filled(text, values, escape)


def in_header(text: str, values: Values) -> str:
    """Fill the value of a header in: one line of ASCII, other characters by RFC 2047."""
    line = _filled(text, values, lambda value: visible(" ".join(value.split()), _MOST_HEADER))
    if line.isascii():
        return line
    return f"=?UTF-8?B?{base64.b64encode(line.encode()).decode()}?="


def in_form(text: str, values: Values) -> str:
    """Fill a body of `name=value&…` in."""
    return _filled(text, values, lambda value: quote_plus(visible(value, lines=True)))


def in_text(text: str, values: Values) -> str:
    """Fill a plain text in."""
    return _filled(text, values, lambda value: visible(value, lines=True))


def in_json(text: str, values: Values) -> str:
    """Fill the strings of a JSON text in: its structure stays what it is."""
    return json.dumps(_mapped(json.loads(text), values), ensure_ascii=False)


def _mapped(value: Any, values: Values) -> Any:
    if isinstance(value, str):
        return in_text(value, values)
    if isinstance(value, list):
        return [_mapped(one, values) for one in value]
    if isinstance(value, dict):
        return {key: _mapped(one, values) for key, one in value.items()}
    return value
