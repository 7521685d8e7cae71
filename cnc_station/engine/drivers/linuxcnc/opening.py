"""Having a controller open a program: it says that it has heard, and not whether it has done it."""

from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.drivers.linuxcnc.client import Refused
from cnc_station.engine.drivers.linuxcnc.heard import Heard
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot
from cnc_station.engine.drivers.linuxcnc.watch import HARMLESS

STILL_OPEN = "already open"  # after an open that another session came in between


async def close_unstarted(link: Link) -> None:
    """Take control, and close a program that was opened and never started.

    Seen in 2.9: otherwise the next is refused by two errors, the second of which ("can't open …")
    comes late and would be taken for an answer to what is asked then. The abort that closes it
    also puts the modes back to those of the last motion. Raises NotReady."""
    try:
        await link.take_control()
        now = await link.look()
        if now.state == IDLE and now.program and now.line == 0:
            await link.set("abort")  # of nothing
    except Refused as error:
        raise NotReady(f"the controller does not close a program: {error}") from error


async def open_program(link: Link, heard: Heard, path: str) -> None:
    """With control. Raises NotReady, and RunFailed for a program that it refuses."""
    try:
        await forget(link, heard)
        errors = await _opening(link, heard, path)
        if any(STILL_OPEN in error for error in errors):
            await link.set("abort")
            await forget(link, heard)
            errors = await _opening(link, heard, path)
    except Refused as error:
        raise NotReady(f"the controller does not open a program: {error}") from error
    if errors:
        words = "; ".join(errors)
        raise (NotReady if HARMLESS.search(words) else RunFailed)(words)


async def forget(link: Link, heard: Heard) -> None:
    """What is said from now on is of what is asked from now on."""
    await link.forget()
    heard.forget()


async def _opening(link: Link, heard: Heard, path: str) -> list[str]:
    """Why it did not; nothing where it did."""
    await link.set(f"open {path}")

    def opened(now: Snapshot) -> bool:
        return now.program == path and now.line == 0

    now = await link.until(lambda now: bool(heard.errors) or opened(now))
    errors = [*heard.errors, *await link.drained()]
    return errors if errors or opened(now) else [f"{path} was not opened"]
