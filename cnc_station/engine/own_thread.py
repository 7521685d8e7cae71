"""Work with a disk that may never answer, on a thread of its own.

The thread is left alone then: it delays neither the loop nor the end of the process, as one of a
pool would.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def on_own_thread(
    work: Callable[[], T], longest_s: float | None = None, *, name: str = "disk"
) -> T:
    """Return what `work` returns, or raise what it raises. Raises TimeoutError after `longest_s`:
    then `work` may still go on."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(set_result: Callable[[], None]) -> None:
        if not done.done():
            set_result()

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - raised again in the coroutine that waits
            failure = error
            _tell(loop, finish, lambda: done.set_exception(failure))
        else:
            _tell(loop, finish, lambda: done.set_result(found))

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(longest_s):
        return await done


def _tell(
    loop: asyncio.AbstractEventLoop,
    finish: Callable[[Callable[[], None]], None],
    set_result: Callable[[], None],
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(finish, set_result)
