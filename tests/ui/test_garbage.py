import asyncio
import gc
import threading
import weakref

from tests.until import until


class Ring:
    """Garbage only the collector finds; it notes on which thread."""

    def __init__(self, ends: list[int]) -> None:
        self.me = self
        self.ends = ends

    def __del__(self) -> None:
        self.ends.append(threading.get_ident())


def churn(stop: threading.Event) -> None:
    """What a database thread does to the collector: many objects that stay a while."""
    kept: list[list[object]] = []
    while not stop.is_set():
        kept.append([[] for _ in range(100)])
        if len(kept) > 1000:
            kept.clear()


async def test_garbage_ends_on_the_windows_thread_however_busy_the_others_are() -> None:
    ends: list[int] = []
    stop = threading.Event()
    thread = threading.Thread(target=churn, args=(stop,))
    thread.start()
    try:
        for _ in range(200):
            Ring(ends)
            await asyncio.sleep(0)
        await until(lambda: len(ends) == 200)
    finally:
        stop.set()
        thread.join()
    assert set(ends) == {threading.main_thread().ident}


async def test_what_has_become_old_is_found_too() -> None:
    ends: list[int] = []
    ring = Ring(ends)
    gone = weakref.ref(ring)
    gc.collect(0)  # from now on it is of middle age
    del ring

    kept: list[list[object]] = []

    def made_more() -> bool:
        kept.append([[] for _ in range(1000)])
        return gone() is None

    await until(made_more)
