"""Ways in which the thread of the window stands still."""

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QThread

_NUMBERS = range(150_000)  # some 3 ms


def _for(seconds: float, step: Callable[[], object]) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        step()


def _compute() -> int:
    total = 0
    for number in range(1_000):
        total += number * number % 7
    return total


def in_qt(seconds: float) -> None:
    """In a call of Qt, such as a native dialog: the interpreter is free."""
    QThread.msleep(round(seconds * 1000))


def computing(seconds: float) -> None:
    """In Python: the interpreter is free when another thread asks for it."""
    _for(seconds, _compute)


def in_short_calls(seconds: float) -> None:
    """In functions of C that keep the interpreter for milliseconds each."""
    _for(seconds, lambda: sum(_NUMBERS))


WAYS: Mapping[str, Callable[[float], None]] = {
    "in Qt": in_qt,
    "computing": computing,
    "in short calls": in_short_calls,
}


def in_one_call(seconds: float) -> None:
    """In one function of C that keeps the interpreter: nothing in Python goes on."""
    count = 1_000_000
    begun = time.monotonic()
    sum(range(count))
    sum(range(round(count * seconds / (time.monotonic() - begun))))
