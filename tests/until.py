"""Waiting for facts: what tests await instead of sleeping and hoping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

_T = TypeVar("_T")
_POLL = 0.005
PATIENCE_S = 60.0
"""For what takes a moment: a computer that its host forgets stands still for many seconds."""


@overload
async def until(fact: Callable[[], Awaitable[_T]], timeout: float = ...) -> _T: ...  # noqa: ASYNC109 - as below


@overload
async def until(fact: Callable[[], _T], timeout: float = ...) -> _T: ...  # noqa: ASYNC109 - as below


async def until(
    fact: Callable[[], Any],
    timeout: float = PATIENCE_S,  # noqa: ASYNC109 - reads best where it is called
) -> Any:
    """Looks every 5 ms until `fact()`, or what it awaits, is true; gives back that value.

    Raises AssertionError after `timeout` seconds, naming the fact and what it was last.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while True:
        found = fact()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if loop.time() >= end:
            raise AssertionError(f"not within {timeout} s: {_name(fact)} (last: {value!r})")
        await asyncio.sleep(_POLL)


async def at_best(
    measure: Callable[[], Awaitable[float]], good_enough: float, tries: int = 5
) -> float:
    """How long something takes, by the best of some tries: a computer that is busy with something
    else meanwhile makes it longer, never shorter. The last, if none is good enough."""
    took = await measure()
    while took > good_enough and (tries := tries - 1):
        took = await measure()
    return took


async def emitted(
    signal: Any,
    timeout: float = PATIENCE_S,  # noqa: ASYNC109 - as above
) -> tuple[Any, ...]:
    """Waits for the next emission of a Qt signal and gives back its arguments.

    Raises AssertionError after `timeout` seconds. Make it a task before you cause the signal.
    """
    arrived: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

    def arrive(*args: Any) -> None:
        if not arrived.done():
            arrived.set_result(args)

    signal.connect(arrive)
    try:
        return await asyncio.wait_for(arrived, timeout)
    except TimeoutError:
        raise AssertionError(f"not emitted within {timeout} s: {signal}") from None
    finally:
        signal.disconnect(arrive)


def _name(fact: Callable[..., object]) -> str:
    try:
        return inspect.getsource(fact).strip()
    except (OSError, TypeError):
        return repr(fact)
