"""TOML from outside: how deep it may be. Its reader takes minutes for a key of 100,000 parts."""

import tomllib
from typing import Any

_MOST_DOTS = 100  # of a line; its time grows with their square


class TooDeep(ValueError):
    """A text is nested too deep to be read."""

    def __init__(self, line: int) -> None:
        super().__init__("it is nested too deep")
        self.line = line


def load(text: str) -> dict[str, Any]:
    """Return the table of a TOML text. Raises ValueError: TooDeep, or TOMLDecodeError."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS:
            raise TooDeep(number)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TooDeep(1) from None
