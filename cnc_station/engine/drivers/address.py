"""Addresses of machines, which may contain a password: `http://ann:word@10.0.0.5:5000`."""

import re

from cnc_station.engine.views import KEPT

# Up to the last @, so that a password with an @ is not shown in part.
_GUARDED = re.compile(r"((?:[\w+.-]+://|(?![\w+.-]+://))[^/:@]*:)(.+)(@.*)", re.DOTALL)


def password(address: str) -> str | None:
    """Return the password in an address; None if there is none."""
    found = _GUARDED.fullmatch(address)
    return found[2] if found else None


def shown(address: str) -> str:
    """Return the address with `KEPT` in place of its password."""
    found = _GUARDED.fullmatch(address)
    return f"{found[1]}{KEPT}{found[3]}" if found else address
