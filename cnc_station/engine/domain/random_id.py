"""Ids that no other process makes."""

import os
import random

_source = random.Random()  # seeded by the system
if hasattr(os, "register_at_fork"):  # otherwise a forked process would make the same ones
    os.register_at_fork(after_in_child=_source.seed)


def random_id() -> str:
    """Return 32 hexadecimal digits, which are no secret, valid also as an id of W3C Trace Context.

    To ask the system for randomness, a thread gives the interpreter away and then waits for it:
    with readers at work that was a tenth of the time that an HTTP request took.
    """
    return f"{_source.getrandbits(128) or 1:032x}"
