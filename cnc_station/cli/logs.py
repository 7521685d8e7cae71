"""The log of a station that stays: a file beside its data, with the traces that nobody is shown."""

import contextlib
import logging
from logging.handlers import RotatingFileHandler

from cnc_station.config import Config

FILE_NAME = "cnc-station.log"
_LARGEST = 2_000_000
_KEPT = 3


class _Sentences(logging.Formatter):
    """One line each, without a trace."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record)} {record.levelname} {record.getMessage()}"


def start_log(config: Config, *, aloud: bool) -> None:
    """Log into the data folder, and with `aloud` in sentences on stderr. A folder that can't be
    written costs the file, never the start: who opens the database there says so."""
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
