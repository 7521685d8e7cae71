"""A station with its window: shows the frame first, then imports and starts the engine.

Closing the window asks first while a run is active. SIGTERM and SIGINT shut the station down in the
same order without a question, with or without a visible window.
"""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from cnc_station.config import Config
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.queries import ListMachines, StoredSettings
from cnc_station.loop import application, run
from cnc_station.one_window import OneWindow
from cnc_station.secrets import complete
from cnc_station.ui.background import Background
from cnc_station.ui.closing import Closing
from cnc_station.ui.page_context import DENSITY, OPERATOR, THEME
from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.web.serving import serving

if TYPE_CHECKING:
    from cnc_station.demo import Loader

log = logging.getLogger(__name__)

_LOOK_EVERY_MS = 300  # interval of the check whether a second start wants the window


def open_window(config: Config, load: "Loader | None" = None) -> int:
    """Run the program with its window until it is closed. Return the exit code.

    `load` fills a station that has no machines. A second start shows the existing window.
    """
    only = OneWindow(config)
    if not only.acquire() and only.bring_to_front():
        return 0
    try:
        return _open(config, load, only)
    finally:
        only.release()


def _open(config: Config, load: "Loader | None", only: OneWindow) -> int:
    _hear_interrupts(later=True)
    qInstallMessageHandler(log_message_of_qt)
    app = application()
    apply_theme(app, ThemeName(config.theme), Density(config.density))
    shell = Shell()
    background = Background(shell.window)
    shell.window.show()
    looks = QTimer(shell, interval=_LOOK_EVERY_MS)
    looks.timeout.connect(lambda: background.leave() if only.wanted() else None)
    looks.start()
    return run(_main(config, shell, background, load))


_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_message_of_qt(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """Write a message of Qt to the log of the program."""
    log.log(_LEVELS[kind], "Qt: %s", text)


def _hear_interrupts(*, later: bool) -> None:
    """Handle Ctrl-C after the loop runs: during Qt's first paint it would be lost."""
    if hasattr(signal, "pthread_sigmask"):
        how = signal.SIG_BLOCK if later else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, {signal.SIGINT})


def _close_when_switched_off(closing: asyncio.Event) -> None:
    """Close the window on SIGTERM, as a person does.

    SIGTERM comes when a computer is shut down. Without this, machines would continue without their
    station; closing the window stops them first.
    """
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(closing.set))


async def _main(config: Config, shell: Shell, background: Background, load: "Loader | None") -> int:
    from cnc_station.demo import DEMO, load_demo  # noqa: PLC0415 - after the window is on the screen
    from cnc_station.engine.engine import StationEngine  # noqa: PLC0415 - likewise
    from cnc_station.local_socket.server import listening  # noqa: PLC0415 - likewise

    _hear_interrupts(later=False)
    closing = asyncio.Event()
    shell.window.close_requested.connect(closing.set)
    _close_when_switched_off(closing)
    try:
        engine = StationEngine(await asyncio.to_thread(complete, config))
        await engine.start()
    except CncStationError as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - a sentence for a person, no trace
        await _refuse(shell, str(error), closing)
        return 3
    try:
        chosen = await engine.local_door.ask(StoredSettings())
        _put_on(config, chosen)
        door = engine.door(local_principal(str(chosen.get(OPERATOR) or config.operator)))
        shell.open(door, partial(load or load_demo, engine.door(DEMO)))
        _ask_before_closing(shell, background, closing)
        machines = await door.ask(ListMachines())
        if load and not any(machine.station == config.station for machine in machines):
            shell.load_demo()
        else:
            shell.welcome()
        gc.freeze()  # what has been imported need not be searched for garbage again and again
        async with serving(config, door), listening(config, engine.door):
            await closing.wait()
        await shell.close()
    finally:
        await engine.stop()
        shell.window.finish()
    return 0


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


async def _refuse(shell: Shell, sentence: str, closing: asyncio.Event) -> None:
    """Show why the station cannot start, and wait until the message is closed."""
    title, close = shell.tr("The station can't start"), shell.tr("Close")
    refusal = EmptyState("circle-alert", title, sentence, close)
    refusal.step.connect(closing.set)
    shell.window.setCentralWidget(refusal)
    shell.window.setEnabled(True)
    await closing.wait()
    shell.window.finish()
