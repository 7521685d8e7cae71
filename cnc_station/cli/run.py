"""Run a command from its arguments, and convert its errors to an exit code."""

import asyncio
import inspect
import logging
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from cnc_station import addresses, config
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.log_format import LogLines
from cnc_station.cli.output import kind_of, print_error
from cnc_station.cli.parser import WrongUsage, parse
from cnc_station.engine.domain.errors import CncStationError, Unavailable

log = logging.getLogger(__name__)

_OVERRIDES = ("database", "simulator_speed", "operator")


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command of `argv`. Return the exit code. Never raises."""
    as_json = "--json" in argv
    _prepare_streams()
    try:
        return _run(argv, environ)
    except WrongUsage as error:
        print_error(error, "usage", as_json=as_json)
        return Exit.USAGE
    except CncStationError as error:
        print_error(error, kind_of(error), as_json=as_json)
        return Exit.UNAVAILABLE if isinstance(error, Unavailable) else Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of the output has closed it
        sys.stdout = None  # no more output can be flushed
        return Exit.OK
    except Exception as error:
        if logging.getLogger().handlers:  # otherwise a person would see the traceback
            log.exception("a bug ended the program")
        print_error(_bug(error), "bug", as_json=as_json)
        return Exit.BUG


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    args = parse(argv)
    if args.command is None:
        return Exit.OK
    call = Call(args, settings(args, environ), environ)
    module, _, name = args.command.partition(":")
    command: Callable[[Call], Any] = getattr(import_module(module), name)
    if inspect.iscoroutinefunction(command):
        return int(asyncio.run(command(call)))
    return int(command(call))


def settings(args: Namespace, environ: Mapping[str, str]) -> config.Config:
    """Return the settings as they are now. Raises InvalidInput, or WrongUsage for a password among
    the arguments."""
    given = {name: str(value) for name in _OVERRIDES if (value := getattr(args, name, None))}
    if addresses.password(given.get("database", "")) is not None:
        raise WrongUsage(
            "all accounts of this computer can read arguments: leave the password out of "
            "--database, and store it with cnc-station secret set database"
        )
    return config.load(environ, Path(args.config) if args.config else None, given)


def _prepare_streams() -> None:
    logging.captureWarnings(capture=True)
    if logging.lastResort:  # of commands without a log
        logging.lastResort.setFormatter(LogLines("%(message)s"))
    for stream in (sys.stdout, sys.stderr):
        # a terminal that cannot show a character shows a question mark, without an error
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # None only without a console


def _bug(error: Exception) -> Exception:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}, line {last.lineno}"
    return RuntimeError(
        f"This is a bug in CNC Station, please report it: {type(error).__name__}: {error} ({place})"
    )
