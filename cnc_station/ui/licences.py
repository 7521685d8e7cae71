"""What is inside the program, with the licences it comes under.

Read from the installed distributions, in a checkout and in a frozen bundle alike: the bundle takes
their metadata along. What else is in a bundle has its texts in `resources/licences/`, put there
when it is built.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from cnc_station.bundled import bundled

# What the program imports itself; theirs follow. Qt for Python's runtime has no requirement on it.
_ROOTS = (
    *("PySide6_Essentials", "shiboken6", "qasync", "SQLAlchemy", "alembic", "psycopg"),
    *("psycopg-binary", "redis", "pyqtgraph", "openpyxl", "filelock", "platformdirs", "keyring"),
    *("aiohttp", "pydantic", "pyserial", "asyncua", "cronsim", "tzdata", "aiosmtplib"),
    *("prometheus-client", "structlog", "argon2-cffi", "pyjwt", "segno"),
)
# Distributions whose metadata name no licence in a form that a program can read.
_KNOWN = {"asyncua": "LGPL-3.0-or-later", "PySide6_Essentials": "LGPL-3.0", "shiboken6": "LGPL-3.0"}
_TEXT = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
_EXTRA = re.compile(r"\bextra\s*==")
_LONGEST_NAME = 60  # otherwise the whole text stands where its name should
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the program. `version` is empty where it has none; `texts` are its licence's."""

    name: str
    version: str
    licence: str
    texts: tuple[str, ...]


def components() -> tuple[Component, ...]:
    """All parts, by name."""
    found = {part.name: part for part in map(_component, _closure(_ROOTS))}
    for other in _others():
        part = found.get(other.name)  # a wheel without the text of its licence
        found[other.name] = replace(part, texts=other.texts) if part else other
    return tuple(sorted(found.values(), key=lambda part: part.name.lower()))


def _closure(roots: Sequence[str]) -> Iterator[Distribution]:
    """The installed distributions that these need, and themselves."""
    waiting, seen = list(roots), set[str]()
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another platform or Python
            continue
        yield found
        asked = [one for one in found.requires or () if not _EXTRA.search(one)]
        waiting += [match[0] for one in asked if (match := _NAME.match(one))]


def _component(found: Distribution) -> Component:
    name = found.metadata["Name"]
    texts = [file.read_text() for file in found.files or () if _TEXT.search(str(file))]
    return Component(name, found.version, _licence(found), tuple(texts))


def _licence(found: Distribution) -> str:
    about = found.metadata
    if known := _KNOWN.get(about["Name"]):
        return known
    for expression in about.get_all("License-Expression", ()):
        return str(expression)
    classified = [
        text.rpartition("::")[2].strip()
        for text in about.get_all("Classifier", ())
        if text.startswith("License ::") and text != "License :: OSI Approved"
    ]
    stated = "".join(about.get_all("License", ())).strip()
    return " or ".join(classified) or (stated if len(stated) < _LONGEST_NAME else "")


def _others() -> Iterator[Component]:
    """Font, icons, and what a bundle has beside Python packages: `NAME, LICENCE.txt` each."""
    yield Component("Inter", "", "OFL-1.1", (bundled("fonts", "LICENSE-Inter.txt").read_text(),))
    icons = bundled("icons", "LICENSE-Lucide.txt").read_text()
    yield Component("Lucide icons", "", "ISC", (icons,))
    try:
        folder = bundled("licences")
    except FileNotFoundError:  # a checkout or a wheel: those are the system's
        return
    for file in folder.iterdir():
        name, _, licence = file.name.removesuffix(".txt").partition(", ")
        yield Component(name, "", licence, (file.read_text(),))
