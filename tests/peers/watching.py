"""What must hold while a station talks to a peer that misbehaves."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.tools.lag import LagProbe

MOST_MB = 96
"""Growth of this process, with the false peer and what it sends in it."""
MOST_WORK_S = 0.12
"""What the loop's thread computes without a turn for others. A busy computer does not change it."""
MOST_LAG_S = 1.0
"""Of one call in a hundred, on computers that do other work at the same time."""
LONGEST_WORDS = 2_000
_EXCEPTION = re.compile(r"Errno|Traceback|\b(?!Bad)\w*Error\b")  # OPC UA's own codes begin with Bad


def resident_mb() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


@asynccontextmanager
async def going_on(within_s: float) -> AsyncIterator[None]:
    """The block ends within so many seconds, the loop goes on, and the memory stays bounded."""
    before, peak, work = resident_mb(), 0.0, 0.0

    async def watch() -> None:
        nonlocal peak, work
        while True:
            peak = max(peak, resident_mb())
            begun = time.thread_time()
            await asyncio.sleep(0.002)
            work = max(work, time.thread_time() - begun)

    watching = asyncio.create_task(watch())
    try:
        with LagProbe() as probe:
            async with asyncio.timeout(within_s):
                yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    assert work < MOST_WORK_S, f"the loop computed for {work:.3f} s"
    assert probe.percentile(0.99) < MOST_LAG_S, f"the loop stood still: {max(probe.lags):.3f} s"
    assert peak - before < MOST_MB, f"{peak - before:.0f} MB more"


async def turns_during(
    work: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.process_time
) -> list[float]:
    """What this process, or this thread, computed between two turns of the loop, in seconds."""
    turns: list[float] = []

    async def take_turns() -> None:
        while True:
            begun = clock()
            await asyncio.sleep(0.001)
            turns.append(clock() - begun)

    taking = asyncio.create_task(take_turns())
    await asyncio.sleep(0.005)
    turns.clear()
    await work()
    await asyncio.sleep(0.002)
    taking.cancel()
    return turns


def is_sentence(words: str) -> bool:
    """Whether a person can read it: one line, no escapes, no name of an exception."""
    return (
        0 < len(words) <= LONGEST_WORDS and words.isprintable() and _EXCEPTION.search(words) is None
    )
