"""Ids that no other station makes."""

import random

_source = random.Random()  # seeded by the system, once


def random_id() -> str:
    """Return 32 hexadecimal digits, which are no secret, valid also as an id of W3C Trace Context.

    To ask the system for randomness, a thread gives the interpreter away and then waits for it:
    with readers at work that was a tenth of the time that an HTTP request took.
    """
    return f"{_source.getrandbits(128) or 1:032x}"
