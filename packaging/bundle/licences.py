"""Collects the licences of what a bundle has beside Python packages, and refuses those that may not
be in it."""

import re
import sys
import sysconfig
from pathlib import Path

from cnc_station.ui.licences import Component, components

# A part may come under several; each of them, joined by "and", must match.
_ALLOWED = re.compile(
    r"(MIT|MIT-0|0BSD|BSD|ISC|Zlib|CC0|PSF|Python Software Foundation|Apache|LGPL|MPL|OFL|OpenSSL"
    r"|Unlicense|public domain)",
    re.IGNORECASE,
)
# Libraries that Python is built with, by Debian package, with the licence we have them under.
_LIBRARIES = {
    "libssl3": "Apache-2.0",
    "libsqlite3-0": "public domain",
    "libffi8": "MIT",
    "liblzma5": "public domain",
    "libbz2-1.0": "BSD",
    "zlib1g": "Zlib",
    "libexpat1": "MIT",
    "libuuid1": "BSD-3-Clause",
}


def collect(folder: Path, extra: Path) -> None:
    """Write a text for each part without metadata: `NAME, LICENCE.txt`."""
    folder.mkdir(parents=True)
    for file in extra.glob("*.txt"):
        (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    places = (
        Path(sysconfig.get_path("stdlib"), "LICENSE.txt"),
        Path(sys.base_prefix, "LICENSE.txt"),  # Windows; it covers the libraries, too
        Path(f"/usr/share/doc/python3.{sys.version_info.minor}/copyright"),  # Debian's own
    )
    python = next(place for place in places if place.exists())
    (folder / "Python, PSF-2.0.txt").write_text(python.read_text("utf-8"), "utf-8")
    if sys.platform == "win32":
        return
    for package, licence in _LIBRARIES.items():
        text = Path("/usr/share/doc", package, "copyright").read_text("utf-8")
        (folder / f"{package}, {licence}.txt").write_text(text, "utf-8")


def refused(parts: tuple[Component, ...] | None = None) -> list[str]:
    """What may not be in the bundle: a part under a licence that is not allowed, or without one."""
    return [
        f"{part.name}: {part.licence or 'no licence'}"
        for part in (components() if parts is None else parts)
        if not _is_allowed(part.licence)
    ]


def _is_allowed(licence: str) -> bool:
    """Whether it may be used under this expression: all of "and", one of "or"."""
    terms = re.split(r"\s+and\s+", licence, flags=re.IGNORECASE)
    return all(
        any(
            _ALLOWED.match(word.strip("() "))
            for word in re.split(r"\s+or\s+", term, flags=re.IGNORECASE)
        )
        for term in terms
    )
