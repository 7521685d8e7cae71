"""`doctor`: check everything the station needs, and state what to do about faults.

It changes nothing: it creates the data folder if needed, and writes a file there that it removes
again.
"""

import errno
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from cnc_station import config, private_files
from cnc_station.cli.doctor_automation import automation
from cnc_station.cli.doctor_bundle import write_bundle
from cnc_station.cli.doctor_database import database, redis
from cnc_station.cli.doctor_growth import growth
from cnc_station.cli.doctor_mail import mail
from cnc_station.cli.doctor_private import passwords, privacy
from cnc_station.cli.doctor_window import window
from cnc_station.cli.invocation import Call, Diagnosis, Exit, Verdict
from cnc_station.cli.output import clock, print_json, say
from cnc_station.logs.file import file_name
from cnc_station.peers.limits import PROBE
from cnc_station.peers.probing import within

_GIGABYTE = 1_000_000_000
_BUILT = 1_760_000_000  # a correct clock is later than the time of writing this program


Check = Callable[[Call], Iterator[Diagnosis]]


def doctor(call: Call) -> int:
    """Print all findings. Unavailable if one of them is bad."""
    checks: tuple[Check, ...] = (
        python,
        settings,
        window,
        folder,
        privacy,
        passwords,
        disk,
        log,
        archive,
        database,
        growth,
        redis,
        automation,
        mail,
        wall_clock,
    )
    found = [diagnosis for check in checks for diagnosis in _in_time(check, call)]
    bundle = getattr(call.args, "bundle", None)
    path = None if bundle is None else write_bundle(call, found, bundle)
    if call.json:
        print_json({"findings": found} | ({"bundle": str(path)} if path else {}))
    else:
        _print(found)
    if path and not call.json:
        say(f"Everything is in {path}, without passwords. Send this file.")
    bad = any(diagnosis.verdict is Verdict.BAD for diagnosis in found)
    return Exit.UNAVAILABLE if bad else Exit.OK


def _in_time(check: Check, call: Call) -> list[Diagnosis]:
    """Return the findings of a check. A check of a server ends in time, whatever it sends."""
    name = _ASKS_A_SERVER.get(check)
    of_file = check in {database, growth} and call.config.database_path is not None
    if name is None or of_file:
        return _findings(check, call)
    try:
        return within(PROBE.last_byte_s, lambda: _findings(check, call))
    except TimeoutError:
        text = f"gives no complete answer within {PROBE.last_byte_s:g} s"
        return [Diagnosis.bad(name, text, "Check the server, the network and the address.")]


def _findings(check: Check, call: Call) -> list[Diagnosis]:
    """Return the findings of a check, also if it meets a path that cannot even be looked at: one
    that is too long, or in a folder of others."""
    found: list[Diagnosis] = []
    try:
        found.extend(check(call))
    except OSError as error:
        text = f"{error.filename or 'a file'} can't be looked at: {error.strerror}"
        remedy = "Check the path in the settings, and the rights of this account to it."
        found.append(Diagnosis.bad(check.__name__.replace("_", " "), text, remedy))
    return found


_ASKS_A_SERVER: Mapping[Check, str] = {
    database: "database",
    growth: "growth",
    redis: "redis",
    mail: "mail",
}


def _print(found: list[Diagnosis]) -> None:
    width = max(len(diagnosis.subject) for diagnosis in found)
    marks = {Verdict.GOOD: "ok", Verdict.WARNING: "look", Verdict.BAD: "BAD"}
    for diagnosis in found:
        mark = marks[diagnosis.verdict].ljust(4)
        say(f"{mark}  {diagnosis.subject.ljust(width)}  {diagnosis.text}")
        if diagnosis.remedy:
            say(f"{' ' * (width + 8)}{diagnosis.remedy}")


def python(_call: Call) -> Iterator[Diagnosis]:
    """Check the interpreter and the system."""
    text = f"Python {platform.python_version()} on {platform.platform()}"
    if sys.version_info < (3, 11):  # noqa: UP036 - a checkout may be started by any Python
        yield Diagnosis.bad("python", text, "Install Python 3.11 or newer.")
        return
    yield Diagnosis.good("python", text)


def settings(call: Call) -> Iterator[Diagnosis]:
    """List the source of the settings, those in force, and spelling mistakes."""
    named = call.args.config or call.environ.get("CNC_CONFIG")
    file = Path(named) if named else config.default_file()
    place = (
        f"{file} and the environment" if file.is_file() else f"the environment; there is no {file}"
    )
    found = "; ".join((f"station {call.config.station}", *_in_force(call.config)))
    yield Diagnosis.good("settings", f"{found}; otherwise the defaults (from {place})")
    for name in config.unknown_variables(call.environ):
        yield Diagnosis.warning("settings", f"{name} is not a setting", "Check its spelling.")


def _in_force(found: config.Config) -> Iterator[str]:
    """Yield what differs from the defaults and is not in other lines."""
    default = config.Config(found.data_folder, found.database_url, found.redis_url, found.station)
    for field in fields(found):
        if not field.compare:  # about the settings, which may be secret
            continue
        value, usual = getattr(found, field.name), getattr(default, field.name)
        if is_dataclass(value):
            for part in fields(value):
                if (own := getattr(value, part.name)) != getattr(usual, part.name):
                    yield f"{field.name}_{part.name} {own}"
        elif value != usual:
            yield f"{field.name} {value}"


def _data_folder(call: Call) -> Path:
    path = call.config.database_path
    return path.parent if path is not None else call.config.data_folder


def folder(call: Call) -> Iterator[Diagnosis]:
    """Check that the data folder can be written."""
    place = _data_folder(call)
    try:
        private_files.make_folder(place)
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"written by doctor")
    except OSError as error:
        remedy = "Give this account write access to it, or name another place with --database."
        if error.errno == errno.ENOSPC:
            remedy = "Free some space."
        text = f"{place} can't be written: {error.strerror}"
        yield Diagnosis.bad("data folder", text, remedy)
        return
    yield Diagnosis.good("data folder", f"{place} can be written")


def disk(call: Call) -> Iterator[Diagnosis]:
    """Check the free space for the database."""
    place = _data_folder(call)
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free / _GIGABYTE
    text = f"{free:.1f} GB free"
    if free < 0.1:
        yield Diagnosis.bad("disk", text, "Free some space now: soon nothing can be saved.")
    elif free < 1.0:
        yield Diagnosis.warning("disk", text, "Free some space before it runs out.")
    else:
        yield Diagnosis.good("disk", text)


def log(call: Call) -> Iterator[Diagnosis]:
    """Check that the station can write its log. It works without one."""
    settings = call.config
    path = settings.logs / file_name(settings.station)
    if not settings.log_max_mb:
        yield Diagnosis.good("log", "no log file is written (log_max_mb 0)")
        return
    try:
        private_files.make_folder(settings.logs)
        with tempfile.TemporaryFile(dir=settings.logs) as file:
            file.write(b"written by doctor")
    except OSError as error:
        text = f"{path} can't be written: {error.strerror}"
        remedy = "Give this account write access to the folder, or set log_folder to another one."
        yield Diagnosis.warning("log", text, remedy)
        return
    yield Diagnosis.good("log", f"{path}; cnc-station logs shows it")


def archive(call: Call) -> Iterator[Diagnosis]:
    """Check that the archive can be written: otherwise nothing is deleted from the database."""
    place = call.config.archive_folder
    if place is None:
        return
    try:
        private_files.make_folder(place)
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"written by doctor")
    except OSError as error:
        text = f"{place} can't be written, so nothing is deleted: {error.strerror}"
        yield Diagnosis.bad("archive", text, "Connect the disk, or set archive_folder to another.")
        return
    yield Diagnosis.good("archive", f"{place} can be written")


def wall_clock(call: Call) -> Iterator[Diagnosis]:
    """Check this computer's clock; due dates and the history depend on it."""
    now = time.time()
    zone = call.config.time_zone or time.tzname[0]
    text = f"{clock(int(now * 1000), call.config.time_zone)} ({zone})"
    if now < _BUILT:
        yield Diagnosis.bad("clock", f"{text} is in the past", "Set the clock.")
    else:
        yield Diagnosis.good("clock", text)
