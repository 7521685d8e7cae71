"""A station with its window: shows the frame first, then imports all else and starts the engine.

Closing the window asks first while a run is active. SIGTERM and SIGINT shut the station down in the
same order without a question, with or without a visible window.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)

from cnc_station.end_signals import EndSignals
from cnc_station.loop import application, run
from cnc_station.one_window import OneWindow
from cnc_station.opening import Opening, Reopen
from cnc_station.ui.background import Background
from cnc_station.ui.frame import Frame
from cnc_station.ui.main_window import MainWindow
from cnc_station.ui.theme import Density, ThemeName, apply_theme

log = logging.getLogger(__name__)

_PAINT_S = 1.0  # a minimised window is not painted
_LOOK_EVERY_MS = 300  # interval of the check whether a second start wants the window


def open_window(
    opening: Opening, ends: EndSignals, files: Sequence[Path] = (), reopen: Reopen | None = None
) -> int:
    """Run the program with its window until it is closed, or one of `ends` comes. Return the exit
    code.

    `files` are taken in as if dropped on the window. A second start shows the existing window with
    them. `reopen` is asked when the person at the window changes to other data; without it the demo
    day is loaded into this shop.
    """
    only = OneWindow(opening.config)
    if not only.acquire() and only.bring_to_front(files):
        return 0
    try:
        qInstallMessageHandler(log_message_of_qt)
        application()
        return run(_main(opening, _View(opening, only), ends, files, reopen))
    finally:
        only.release()


class _View:
    """The window on view, and what a second start asks of it."""

    def __init__(self, opening: Opening, only: OneWindow, before: MainWindow | None = None) -> None:
        config = opening.config
        apply_theme(application(), ThemeName(config.theme), Density(config.density))
        self._only = only
        self.frame = Frame()
        self.background = Background(self.frame.window)
        if before is not None:
            self.frame.window.setGeometry(before.geometry())
            self.frame.window.setWindowState(before.windowState())
        self.frame.window.show()
        self._looks = QTimer(self.frame, interval=_LOOK_EVERY_MS)
        self._looks.timeout.connect(partial(_look, only, self.frame, self.background))
        self._looks.start()

    def followed_by(self, opening: Opening) -> "_View":
        """Return a new window in the place of this one, which is closed."""
        self._looks.stop()  # the next request is for the new window
        view = _View(opening, self._only, self.frame.window)
        self.frame.window.finish()
        for part in (self.frame.window, self.frame):
            part.deleteLater()
            QCoreApplication.sendPostedEvents(part, QEvent.Type.DeferredDelete)
        return view


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


async def _main(
    opening: Opening, view: _View, ends: EndSignals, files: Sequence[Path], reopen: Reopen | None
) -> int:
    closing = asyncio.Event()
    ends.tell(partial(_close, asyncio.get_running_loop(), closing))
    await view.frame.painted(_PAINT_S)
    from cnc_station.desktop_main import main  # noqa: PLC0415 - the window is on the screen by now

    while not closing.is_set():
        view.frame.window.close_requested.connect(closing.set)
        ended = await main(opening, view.frame, view.background, closing, files, reopen)
        if isinstance(ended, int):
            return ended
        opening, files, view = ended, (), view.followed_by(ended)
        gc.unfreeze()
        gc.collect()  # the closed window, before `main` freezes what there is
    view.frame.window.finish()
    return 0


def _close(loop: asyncio.AbstractEventLoop, closing: asyncio.Event) -> None:
    """Close the window as a person does: machines would continue without their station."""
    with contextlib.suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(closing.set)
