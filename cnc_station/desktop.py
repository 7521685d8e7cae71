"""A station with its window: shows the frame first, then imports all else and starts the engine.

Closing the window asks first while a run is active. SIGTERM and SIGINT shut the station down in the
same order without a question, with or without a visible window.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from cnc_station.config import Config
from cnc_station.loop import application, run
from cnc_station.one_window import OneWindow
from cnc_station.ui.background import Background
from cnc_station.ui.frame import Frame
from cnc_station.ui.theme import Density, ThemeName, apply_theme

if TYPE_CHECKING:
    from cnc_station.demo import Loader

log = logging.getLogger(__name__)

_PAINT_S = 1.0  # a minimised window is not painted
_LOOK_EVERY_MS = 300  # interval of the check whether a second start wants the window


def open_window(config: Config, load: "Loader | None" = None, files: Sequence[Path] = ()) -> int:
    """Run the program with its window until it is closed. Return the exit code.

    `load` fills a station that has no machines. `files` are taken in as if dropped on the window. A
    second start shows the existing window with them.
    """
    only = OneWindow(config)
    if not only.acquire() and only.bring_to_front(files):
        return 0
    try:
        return _open(config, load, only, files)
    finally:
        only.release()


def _open(config: Config, load: "Loader | None", only: OneWindow, files: Sequence[Path]) -> int:
    _hear_interrupts(later=True)
    qInstallMessageHandler(log_message_of_qt)
    app = application()
    apply_theme(app, ThemeName(config.theme), Density(config.density))
    frame = Frame()
    background = Background(frame.window)
    frame.window.show()
    looks = QTimer(frame, interval=_LOOK_EVERY_MS)
    looks.timeout.connect(partial(_look, only, frame, background))
    looks.start()
    return run(_main(config, frame, background, load, files))


def _look(only: OneWindow, frame: Frame, background: Background) -> None:
    """Do what a second start has asked for."""
    files = only.wanted()
    if files is not None:
        background.leave()
    if files:
        frame.window.files_dropped.emit(list(files))


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


async def _main(
    config: Config,
    frame: Frame,
    background: Background,
    load: "Loader | None",
    files: Sequence[Path],
) -> int:
    await frame.painted(_PAINT_S)
    _hear_interrupts(later=False)
    from cnc_station.desktop_main import main  # noqa: PLC0415 - the window is on the screen by now

    closing = asyncio.Event()
    frame.window.close_requested.connect(closing.set)
    _close_when_switched_off(closing)
    return await main(config, frame, background, closing, load, files)
