"""Where a running station logs: into its file, and without a window to stderr."""

import contextlib
import logging
import sys
from functools import partial

from cnc_station import private_files
from cnc_station.cli.log_format import LogSentences
from cnc_station.cli.output import say
from cnc_station.config import Config
from cnc_station.logs.background import BackgroundHandler
from cnc_station.logs.file import LogFile, file_name
from cnc_station.logs.job_events import sinks, warn_of
from cnc_station.logs.repeats import HTTP, RepeatCounter, log_uncaught

_MEGABYTE = 1_000_000
_WORTH_SAYING = 500  # the status of a request that a person at the terminal should see


def start_log(config: Config, *, aloud: bool) -> None:
    """Log into the station's file, and with `aloud` to stderr: sentences, or JSON by the settings.

    If the file cannot be written, this is said once on stderr and the station works without it.
    """
    logging.raiseExceptions = False
    with contextlib.suppress(OSError):  # opening the database reports it
        private_files.make_folder(config.data_folder)
        private_files.tighten(private_files.of_data_folder(config.data_folder))
    files: list[BackgroundHandler] = []
    handlers: list[logging.Handler] = []
    if config.log_max_mb:
        files.append(_file_handler(config))
    if aloud and config.log_form == "json":
        files.append(BackgroundHandler(config.station, _write_to_stderr))
    elif aloud:
        stream = logging.StreamHandler()
        stream.setFormatter(LogSentences())
        stream.addFilter(_is_for_people)
        handlers.append(stream)
        sinks.append(partial(warn_of, handler=RepeatCounter([stream])))
    sinks.extend(file.write_events for file in files)
    handlers += files
    counted = RepeatCounter(handlers) if handlers else logging.NullHandler()
    logging.basicConfig(level=logging.INFO, handlers=[counted])
    log_uncaught()
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _file_handler(config: Config) -> BackgroundHandler:
    file = LogFile(
        config.logs / file_name(config.station),
        config.log_max_mb * _MEGABYTE,
        config.log_keep_days,
    )
    return BackgroundHandler(config.station, file.write, _complain)


def _complain(text: str) -> None:
    if sys.stderr is not None:  # a window on Windows has none
        say(f"cnc-station: {text}. The station goes on.", error=True, flush=True)


def _write_to_stderr(lines: str) -> None:
    with contextlib.suppress(ValueError):  # it is closed
        sys.stderr.write(lines)
        sys.stderr.flush()


def _is_for_people(record: logging.LogRecord) -> bool:
    """Whether a record is shown at the terminal: all but requests that went well."""
    fields = vars(record)
    return fields.get("event") != HTTP or int(fields.get("status", 0)) >= _WORTH_SAYING
