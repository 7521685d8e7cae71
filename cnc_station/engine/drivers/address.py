"""Addresses of machines, which may hold a password: `http://ann:word@10.0.0.5:5000`."""

import re

from cnc_station.engine.views import KEPT

# As far as the last @, so that no odd sign shows a part of it.
_GUARDED = re.compile(r"((?:[\w+.-]+://|(?![\w+.-]+://))[^/:@]*:)(.+)(@.*)", re.DOTALL)


def password(address: str) -> str | None:
    """The password an address holds."""
    found = _GUARDED.fullmatch(address)
    return found[2] if found else None


def shown(address: str) -> str:
    """The address as people may see it, with `KEPT` in place of its password."""
    found = _GUARDED.fullmatch(address)
    return f"{found[1]}{KEPT}{found[3]}" if found else address
