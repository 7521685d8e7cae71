"""Commands that run until closed: the window, the demo day, and the station without a window."""

import asyncio
import errno
import logging
import stat
import sys
from collections.abc import Mapping
from dataclasses import replace
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from cnc_station import private_files
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.log_format import WITH_SOURCE, LogLines, LogSentences
from cnc_station.config import DATABASE_NAME, Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.logs import RepeatCounter, log_uncaught

DEMO_DATABASE_NAME = "demo.db"

log = logging.getLogger(__name__)


def window(call: Call) -> int:
    """Open the window, with files if the arguments name some. Raises Unavailable without a
    display."""
    _need_window(call)
    from cnc_station.desktop import open_window  # noqa: PLC0415 - other commands need no Qt

    start_log(call.config, aloud=False)
    return open_window(call.config, files=getattr(call.args, "files", ()))


def demo(call: Call) -> int:
    """Open the window on the demo day. Raises Unavailable without a display.

    Unless one is named it has its own database, which starts afresh each time.
    """
    _need_window(call)
    from cnc_station.demo import SEED, fresh_database, load_demo  # noqa: PLC0415 - as above
    from cnc_station.desktop import open_window  # noqa: PLC0415 - as above

    config = call.config
    path = config.database_path
    if not call.args.database and path is not None and path.name == DATABASE_NAME:
        config = replace(config, database_url=f"sqlite:///{path.with_name(DEMO_DATABASE_NAME)}")
        fresh_database(config)
    if config.simulator_seed is None:
        config = replace(config, simulator_seed=SEED)
    start_log(config, aloud=False)
    return open_window(config, load_demo)


def _need_window(call: Call) -> None:
    """Raise Unavailable if no window can open.

    Without a display Qt would end the process with an obscure message. Missing system libraries are
    reported as such.
    """
    if not has_display(call.environ):
        raise Unavailable(
            "There is no display: start it from a desktop, or run `cnc-station serve`, which "
            "needs none."
        )
    try:
        import PySide6.QtWidgets  # noqa: F401, PLC0415 - other commands need no Qt
    except ImportError as error:
        raise Unavailable(
            f"Qt can't be loaded ({error}): run `cnc-station doctor` to see what to install."
        ) from error


def serve(call: Call) -> int:
    """Run the station without a window until it is stopped."""
    from cnc_station import headless  # noqa: PLC0415 - the window starts without it
    from cnc_station.demo import load_demo  # noqa: PLC0415 - likewise

    start_log(call.config, aloud=True)
    asyncio.run(headless.serve(call.config, load_demo if call.args.demo else None))
    return Exit.OK


_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_display(environ: Mapping[str, str]) -> bool:
    """Return whether a display is named, or is not needed. Only Linux has to name one."""
    return sys.platform != "linux" or any(environ.get(name) for name in _NAMES)


FILE_NAME = "cnc-station.log"
_LARGEST = 2_000_000
_KEPT = 3


class _PrivateFile(RotatingFileHandler):
    """A log file, and its rotations, for this user alone."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        private_files.create(path)
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would block for ever
            raise OSError(errno.EINVAL, "is not an ordinary file", self.baseFilename)
        return super()._open()


def start_log(config: Config, *, aloud: bool) -> None:
    """Log into the data folder, and with `aloud` in sentences on stderr.

    If the folder cannot be written there is no file, but the station starts: opening the database
    reports it. A disk that fills up later costs lines of the log and nothing else.
    """
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = []
    unwritten = ""
    try:
        private_files.make_folder(config.data_folder)
        private_files.tighten(private_files.of_data_folder(config.data_folder))
        file = _PrivateFile(
            config.data_folder / FILE_NAME,
            maxBytes=_LARGEST,
            backupCount=_KEPT,
            encoding="utf-8",
            delay=False,
        )
        file.setFormatter(LogLines(WITH_SOURCE))
        handlers.append(file)
    except OSError as error:
        unwritten = f"no log is written: {error.filename} {error.strerror}"
    if aloud:
        stream = logging.StreamHandler()
        stream.setFormatter(LogSentences())
        handlers.append(stream)
    counted = RepeatCounter(handlers) if handlers else logging.NullHandler()
    logging.basicConfig(level=logging.INFO, handlers=[counted])
    log_uncaught()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if unwritten:
        log.warning("%s", unwritten)
