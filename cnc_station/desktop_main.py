"""The station behind its window, from the start of the engine to its end."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QIcon

from cnc_station.bundled import bundled
from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.queries import ListMachines, StoredSettings
from cnc_station.engine.timing import STALL_S, watch_stalls
from cnc_station.engine_thread import EngineThread
from cnc_station.loop import application
from cnc_station.opening import Data, Opening, Reopen
from cnc_station.ui.background import Background
from cnc_station.ui.closing import Closing
from cnc_station.ui.frame import Frame
from cnc_station.ui.page_context import DENSITY, OPERATOR, THEME
from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from cnc_station.ui.widgets.empty import EmptyState

log = logging.getLogger(__name__)


async def main(
    opening: Opening,
    frame: Frame,
    background: Background,
    closing: asyncio.Event,
    files: Sequence[Path],
    reopen: Reopen | None,
) -> int | Opening:
    """Work until `closing` is set; `files` are taken in first. Return the exit code, or what the
    person wants to open instead; the window is then still on view."""
    config = opening.config
    station = EngineThread(config)
    try:
        await station.start()
    except CncStationError as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - a sentence for a person, no trace
        await _refuse(frame, str(error), closing)
        return 3
    application().setWindowIcon(QIcon(str(bundled("icons", "app", "cnc-station.svg"))))
    shell = Shell(frame, background)
    change = _Change(reopen)
    watching = asyncio.create_task(watch_stalls(partial(_tell_stall, shell, station)))
    try:
        await _open_shell(opening, shell, station, change)
        _ask_before_closing(shell, background, closing)
        if opening.crashes:
            shell.tell_crash(opening.crashes[-1])
        if files:
            shell.window.files_dropped.emit(list(files))
        gc.freeze()  # what has been imported need not be searched for garbage again and again
        await _first_of(closing.wait(), station.ended(), change.wanted.wait())
        await shell.close()
    finally:
        watching.cancel()
        shell.window.setEnabled(False)
        await station.stop()
        if opening.end is not None:
            await asyncio.to_thread(_end, opening.end)
        if change.opening is None:
            shell.window.finish()
    return change.opening or 0


def _end(end: Callable[[], None]) -> None:
    try:
        end()
    except (Unavailable, OSError) as error:  # the next demo day begins anew in any case
        log.warning("the data of the demo day remain: %s", error)


class _Change:
    """The wish to open other data."""

    def __init__(self, reopen: Reopen | None) -> None:
        self._reopen = reopen
        self.wanted = asyncio.Event()
        self.opening: Opening | None = None

    @property
    def possible(self) -> bool:
        return self._reopen is not None

    async def to(self, data: Data) -> None:
        """End this station in order and open other data. Raises InvalidInput or Unavailable, and
        changes nothing then."""
        assert self._reopen is not None
        self.opening = await asyncio.to_thread(self._reopen, data)
        self.wanted.set()


async def _open_shell(
    opening: Opening, shell: Shell, station: EngineThread, change: _Change
) -> None:
    config = opening.config
    at_window = partial(local_principal, origin="window", present=True)
    chosen = await station.door(at_window(config.operator)).ask(StoredSettings())
    _put_on(config, chosen)
    door = station.door(at_window(str(chosen.get(OPERATOR) or config.operator)))
    load = partial(opening.load or load_demo, station.door(DEMO))
    if opening.load is None and change.possible:
        shell.open(door, partial(change.to, Data.DEMO))
    else:
        shell.open(door, load)
    if change.possible:
        shell.can_reopen(partial(change.to, Data.SHOP), is_demo=opening.data is Data.DEMO)
    machines = await door.ask(ListMachines())
    if opening.load and not any(machine.station == config.station for machine in machines):
        shell.load_demo()
    else:
        shell.welcome()


def _tell_stall(shell: Shell, station: EngineThread, seconds: float) -> None:
    """The loop of the window stood still. The engine notes its own standstill a moment later."""
    log.warning("the window did not respond for %.0f s", seconds)
    asyncio.get_running_loop().call_later(
        STALL_S,
        lambda: shell.tell_stall(seconds, engine_too=station.stood_still(seconds + STALL_S)),
    )


async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for the first, raise its error, and cancel the others."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ask_before_closing(shell: Shell, background: Background, closing: asyncio.Event) -> None:
    """Ask before closing from now on: runs may be active."""
    asks = Closing(shell.context, shell.window, background)
    asks.agreed.connect(closing.set)
    shell.window.close_requested.disconnect(closing.set)
    shell.window.close_requested.connect(asks.ask)


def _put_on(config: Config, chosen: Mapping[str, Any]) -> None:
    """Apply the last chosen theme and density; they override the defaults of the station.

    Values unknown to this version are ignored.
    """
    name, density = ThemeName(config.theme), Density(config.density)
    with contextlib.suppress(ValueError):
        name = ThemeName(chosen.get(THEME, name))
        density = Density(chosen.get(DENSITY, density))
    if (name, density) != (ThemeName(config.theme), Density(config.density)):
        apply_theme(application(), name, density)


async def _refuse(frame: Frame, sentence: str, closing: asyncio.Event) -> None:
    """Show why the station cannot start, and wait until the message is closed."""
    title, close = frame.tr("The station can't start"), frame.tr("Close")
    refusal = EmptyState("circle-alert", title, sentence, close)
    refusal.step.connect(closing.set)
    frame.window.setCentralWidget(refusal)
    frame.window.setEnabled(True)
    await closing.wait()
    frame.window.finish()
