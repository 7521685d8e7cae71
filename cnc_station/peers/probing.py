"""Calls of libraries that trust their peer: in its answers, and in the time that it takes."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MALFORMED = (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError)
"""What the decoder of a library may raise for an answer that it does not expect."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return the result of `call`, or raise its exception. Raises TimeoutError if it takes longer.

    The call then goes on in a thread that does not keep the program from ending.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=work, name="probe", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
