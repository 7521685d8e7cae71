"""Commands that run until closed: the window, the demo day, and the station without a window."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from cnc_station import __version__
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.run import settings
from cnc_station.cli.station_log import start_log
from cnc_station.config import DATABASE_NAME, Config
from cnc_station.crash_reports import CrashReport, LastWords, told_of
from cnc_station.end_signals import EndSignals
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.opening import Data, Opening, Reopen

DEMO_DATABASE_NAME = "demo.db"

log = logging.getLogger(__name__)


def window(call: Call) -> int:
    """Open the window, with files if the arguments name some. Raises Unavailable without a
    display."""
    with EndSignals() as ends:
        _need_window(call)
        from cnc_station.desktop import open_window  # noqa: PLC0415 - other commands need no Qt

        files = getattr(call.args, "files", ())
        with _started(call.config, aloud=False) as report:
            opening = Opening(call.config, crashes=report.previous)
            return open_window(opening, ends, files=files, reopen=_reopening(call))


def demo(call: Call) -> int:
    """Open the window on the demo day. Raises Unavailable without a display.

    Unless one is named it has its own database, which starts afresh each time.
    """
    with EndSignals() as ends:
        _need_window(call)
        return _demo(call, ends)


def _demo(call: Call, ends: EndSignals) -> int:
    from cnc_station.demo import SEED, load_demo  # noqa: PLC0415 - as above
    from cnc_station.desktop import open_window  # noqa: PLC0415 - as above

    config = call.config
    path = config.database_path
    if not call.args.database and path is not None and path.name == DATABASE_NAME:
        opening = own_demo(config)
        with _started(opening.config, aloud=False) as report:
            opening = replace(opening, crashes=report.previous)
            return open_window(opening, ends, reopen=_reopening(call))
    if config.simulator_seed is None:
        config = replace(config, simulator_seed=SEED)
    with _started(config, aloud=False) as report:
        return open_window(Opening(config, load_demo, crashes=report.previous), ends)


def own_demo(config: Config) -> Opening:
    """Return the demo day in a new database of its own, beside that of a station that works alone.
    Raises Unavailable while another window uses it."""
    from cnc_station.demo import SEED, fresh_database, load_demo  # noqa: PLC0415 - as above

    shop = config.database_path
    beside = config.data_folder if shop is None else shop.parent
    config = replace(
        config,
        database_url=f"sqlite:///{beside / DEMO_DATABASE_NAME}",
        redis_url="",
        simulator_seed=SEED if config.simulator_seed is None else config.simulator_seed,
    )
    fresh_database(config)
    return Opening(config, load_demo, Data.DEMO, partial(fresh_database, config))


def _reopening(call: Call) -> Reopen:
    """Return how the window changes between the shop's data and the demo day. The settings are read
    again: they may have changed."""

    def reopen(data: Data) -> Opening:
        config = settings(call.args, call.environ)
        return own_demo(config) if data is Data.DEMO else Opening(config)

    return reopen


def _started(config: Config, *, aloud: bool) -> CrashReport:
    """Start the log. Return the report of this process, which has looked at the log before."""
    report = CrashReport(config)
    start_log(config, aloud=aloud)
    logging.getLogger().addHandler(LastWords(report))
    for sentence in told_of(report.previous):
        log.warning("%s", sentence)
    log.info("CNC Station %s starts as station %s", __version__, config.station)
    return report


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

    with _started(call.config, aloud=True):
        asyncio.run(headless.serve(call.config, load_demo if call.args.demo else None))
    return Exit.OK


_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_display(environ: Mapping[str, str]) -> bool:
    """Return whether a display is named, or is not needed. Only Linux has to name one."""
    return sys.platform != "linux" or any(environ.get(name) for name in _NAMES)
