"""Having a controller open a program: it says that it has heard, and not whether it has done it."""

import asyncio

from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.drivers.linuxcnc.client import ATTEMPTS, Refused
from cnc_station.engine.drivers.linuxcnc.heard import Heard
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.run_monitor import HARMLESS
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot

NOT_SHOWN = "was not opened"
CYCLE_S = 0.15  # one cycle of the controller, and some
OPENED_S = 3.0
CLOSED_S = 0.5  # where nothing has run since the controller was started, the line stays 0
STILL_OPEN = "already open"  # after an open that another session came in between


async def close_unstarted(link: Link) -> None:
    """Take control, and close a program that was opened and never started.

    Seen in 2.9: otherwise the next is refused by two errors, the second of which ("can't open …")
    comes late and would be taken for an answer to what is asked then. The abort that closes it
    also puts the modes back to those of the last motion, and the line to the last one that ran.
    Raises NotReady."""
    try:
        await link.take_control()
        now = await link.look()
        if now.state == IDLE and now.program and now.line == 0:
            await _close(link)
    except Refused as error:
        raise NotReady(f"the controller does not close a program: {error}") from error


async def open_program(link: Link, heard: Heard, path: str) -> None:
    """With control. Raises NotReady, and RunFailed for a program that it refuses."""
    try:
        for _ in range(ATTEMPTS):
            await forget(link, heard)
            errors = await _opening(link, heard, path)
            if not any(STILL_OPEN in error or NOT_SHOWN in error for error in errors):
                break
            await _close(link)
    except Refused as error:
        raise NotReady(f"the controller does not open a program: {error}") from error
    if errors:
        words = "; ".join(errors)
        raise (NotReady if HARMLESS.search(words) else RunFailed)(words)


async def _close(link: Link) -> None:
    """An abort of nothing. What is opened before it is over keeps the line of the program that ran
    last, as if it had been started."""
    await link.set("abort")
    await link.until(lambda now: now.line > 0, CLOSED_S)
    await asyncio.sleep(CYCLE_S)


async def forget(link: Link, heard: Heard) -> None:
    """What is said from now on is of what is asked from now on."""
    await link.forget()
    heard.forget()


async def _opening(link: Link, heard: Heard, path: str) -> list[str]:
    """Why it did not; nothing where it did."""
    await link.set(f"open {path}")

    def opened(now: Snapshot) -> bool:
        return now.program == path and now.line == 0

    now = await link.until(lambda now: bool(heard.errors) or opened(now), OPENED_S)
    errors = [*heard.errors, *await link.drained()]
    return errors if errors or opened(now) else [f"{path} {NOT_SHOWN}"]
