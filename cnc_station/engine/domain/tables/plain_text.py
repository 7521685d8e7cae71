"""Compare words of tables whatever their case, accents and punctuation are."""

import re
import unicodedata
from functools import lru_cache

_IN_BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
LONGEST_NAME = 200  # characters of a name that are looked at, and kept in a cache
_SIGNS = str.maketrans({"#": " no ", "№": " no ", "°": "o", "º": "o", "ß": "ss"})


def split_words(text: str) -> tuple[str, ...]:
    """Return the entries of a table of words: separated by commas."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def plain(text: str) -> str:
    """Return a text in lower case and without accents, with its punctuation."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.replace("ß", "ss")).lower()
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def folded(text: str) -> str:
    """Return the words of a name in lower case, without accents and punctuation."""
    return _folded(text[:LONGEST_NAME])


@lru_cache(maxsize=4_096)
def _folded(text: str) -> str:
    spaced = _HUMP.sub(" ", text).translate(_SIGNS)
    return " ".join(re.findall(r"[a-z0-9]+", plain(spaced)))


def without_brackets(column: str) -> str:
    """Return the name of a column without its remarks in brackets."""
    return _IN_BRACKETS.sub(" ", column[:LONGEST_NAME])


def in_brackets(column: str) -> tuple[str, ...]:
    """Return the remarks in brackets in the name of a column."""
    return tuple(_IN_BRACKETS.findall(column[:LONGEST_NAME]))
