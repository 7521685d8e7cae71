"""The log of a running station: a file beside its data, with tracebacks."""

import contextlib
import logging
from logging.handlers import RotatingFileHandler

from cnc_station.config import Config

FILE_NAME = "cnc-station.log"
_LARGEST = 2_000_000
_KEPT = 3


class _Sentences(logging.Formatter):
    """One line for each record, without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record)} {record.levelname} {record.getMessage()}"


def start_log(config: Config, *, aloud: bool) -> None:
    """Log into the data folder, and with `aloud` in sentences on stderr.

    If the folder cannot be written there is no file, but the station starts: opening the database
    reports it.
    """
    handlers: list[logging.Handler] = []
    with contextlib.suppress(OSError):
        config.data_folder.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(
            config.data_folder / FILE_NAME,
            maxBytes=_LARGEST,
            backupCount=_KEPT,
            encoding="utf-8",
            delay=False,
        )
        file.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
        )
        handlers.append(file)
    if aloud:
        stream = logging.StreamHandler()
        stream.setFormatter(_Sentences())
        handlers.append(stream)
    logging.basicConfig(level=logging.INFO, handlers=handlers or [logging.NullHandler()])
    logging.getLogger("alembic").setLevel(logging.WARNING)
