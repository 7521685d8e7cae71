"""Make a controller open a program. It confirms the reception, but not that it has opened it."""

import asyncio

from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.drivers.linuxcnc.client import ATTEMPTS, Refused
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.run_monitor import HARMLESS
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import ControllerMessages

NOT_SHOWN = "was not opened"
CYCLE_S = 0.15  # more than one cycle of the controller
OPENED_S = 3.0
CLOSED_S = 0.5  # if nothing has run since the controller was started, the line stays 0
STILL_OPEN = "already open"  # after an open during which another session interfered


async def close_unstarted(link: Link) -> None:
    """Take control, and close a program that was opened and never started. Raises NotReady.
    Observed in 2.9: otherwise the next open fails with two errors, the second ("can't open …") so
    late that a later command seems to fail. This abort also restores the modes and the line of the
    last motion."""
    try:
        await link.take_control()
        now = await link.read_snapshot()
        if now.state == IDLE and now.program and now.line == 0:
            await _close(link)
    except Refused as error:
        raise NotReady(f"the controller did not close a program: {error}") from error


async def open_program(link: Link, messages: ControllerMessages, path: str) -> None:
    """Open a program; needs control. Raises NotReady; RunFailed for a refused program."""
    try:
        for _ in range(ATTEMPTS):
            await forget(link, messages)
            errors = await _opening(link, messages, path)
            if not any(STILL_OPEN in error or NOT_SHOWN in error for error in errors):
                break
            await _close(link)
    except Refused as error:
        raise NotReady(f"the controller did not open the program: {error}") from error
    if errors:
        words = "; ".join(errors)
        raise (NotReady if HARMLESS.search(words) else RunFailed)(words)


async def _close(link: Link) -> None:
    """Abort without a run. A program opened before its end would seem to have been started."""
    await link.set("abort")
    await link.until(lambda now: now.line > 0, CLOSED_S)
    await asyncio.sleep(CYCLE_S)


async def forget(link: Link, messages: ControllerMessages) -> None:
    """Discard earlier messages: those from now on belong to the next command."""
    await link.discard_messages()
    messages.forget()


async def _opening(link: Link, messages: ControllerMessages, path: str) -> list[str]:
    """Return why the program was not opened; empty if it was."""
    await link.set(f"open {path}")

    def opened(now: Snapshot) -> bool:
        return now.program == path and now.line == 0

    now = await link.until(lambda now: bool(messages.errors) or opened(now), OPENED_S)
    errors = [*messages.errors, *await link.drain_errors()]
    return errors if errors or opened(now) else [f"{path} {NOT_SHOWN}"]
