"""Which job field the name of a column stands for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cnc_station.engine.domain.tables.plain_text import (
    LONGEST_NAME,
    folded,
    split_words,
    without_brackets,
)
from cnc_station.engine.domain.tables.synonyms import FIELD_NAMES, NOT_USED
from cnc_station.engine.domain.tables.units import split_unit

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NUMBER_WORDS = frozenset(("no", "nr", "n", "num", "numero", "nummer", "number", "nro"))
_NO_SUBJECT = frozenset(("name", "display name", "id", "code", "no", "number"))  # of a path's end


@dataclass(frozen=True, slots=True)
class Meaning:
    """A field of a job, how sure its name is (0 is best) and the language of the name. `field` is
    None for a column that a job has no field for."""

    field: str | None
    sureness: int
    language: str


def spellings(column: str) -> tuple[str, ...]:
    """Return the spellings of a name to look up, the most exact one first: all of it, without
    brackets, without its unit, the parts of a path; each also with `no` for any word for number."""
    return _all_spellings(column[:LONGEST_NAME])


@lru_cache(maxsize=4_096)
def _all_spellings(column: str) -> tuple[str, ...]:
    names = [name for name in _spellings(column) if name]
    return tuple(dict.fromkeys([*names, *map(_numbered, names)]))


def _numbered(name: str) -> str:
    """Return `order no` for `order number`, `Nr. Auftrag` and the like."""
    words = ["no" if word in _NUMBER_WORDS else word for word in name.split()]
    first, *others = words
    return " ".join([*others, "no"]) if first == "no" and others else " ".join(words)


def _spellings(column: str) -> Iterator[str]:
    yield folded(column)
    plain = without_brackets(column).replace("_", " ")
    yield folded(plain)
    name, unit = split_unit(plain)
    if unit is not None:
        yield folded(name) or ("time per part" if not unit.rate else "")
    if "/" in plain:
        first, _, last = plain.rpartition("/")
        end = folded(last)
        yield end if end not in _NO_SUBJECT else folded(first)
        yield folded(plain.partition("/")[0])


def meaning_of(column: str) -> Meaning | None:
    """Return what the name of a column stands for; None for a name that is not known."""
    return next((_MEANINGS[name] for name in spellings(column) if name in _MEANINGS), None)


def is_known(column: str) -> bool:
    """Return whether the name of this column stands for a field."""
    meaning = meaning_of(column)
    return meaning is not None and meaning.field is not None


def _table() -> Mapping[str, Meaning]:
    found: dict[str, Meaning] = {}
    for field, languages in FIELD_NAMES.items():
        found.setdefault(folded(field), Meaning(field, 0, "en"))
        for language, names in languages.items():
            for place, name in enumerate(split_words(names), start=1):
                for spelled in (folded(name), folded(name.translate(_UMLAUTS))):
                    found.setdefault(spelled, Meaning(field, place, language))
                    found.setdefault(_numbered(spelled), Meaning(field, place, language))
    for name in split_words(NOT_USED):
        for spelled in (name, name.translate(_UMLAUTS)):
            found.setdefault(folded(spelled), Meaning(None, 0, ""))
    return found


_MEANINGS = _table()
