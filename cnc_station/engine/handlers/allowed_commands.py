"""The commands that an administrator has allowed on this station: a TOML file that only the
administrator may write.

    [[command]]
    path = "/usr/bin/rsync"
    args = ["-a", "/srv/nc/[a-z]+/", "/mnt/backup/"]

Each of `args` is a regular expression (`linear_pattern.py`) for the whole argument at its place;
`more_args` is one for each further argument. `folders` are those that a job may name as `cwd`,
`env` the variables that it may set. `timeout_s`, `memory_mb`, `file_mb`, `cpu_s` and `processes`
are limits. Several entries may have the same path.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cnc_station.engine.domain import toml_text
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.handlers.linear_pattern import LinearPattern, TooMuchWork, Work
from cnc_station.engine.outside_file import FileRefused, read_file

# Set by us, or able to replace the command or to run other code in it.
_NEVER = re.compile(
    r"PATH|LD_.*|CNC_.*|HOME|TMPDIR|IFS|ENV|BASH_.*|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|PYTHON.*|PERL5.*"
    r"|PERLLIB|RUBYOPT|RUBYLIB|NODE_OPTIONS|NODE_PATH|_?JAVA_.*OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH"
    r"|GIT_.*|RSYNC_RSH"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LIMITS = ("timeout_s", "memory_mb", "file_mb", "cpu_s", "processes")
_MOST = 10_000_000
_MOST_BYTES = 1_000_000
_MOST_LINKS = 40  # as Linux
_MOST_WORK = 100_000  # some 40 ms on the loop at most


class NotAllowed(CncStationError):
    """Why a command may not be run at this station, or why its list cannot be trusted."""


@dataclass(frozen=True, slots=True)
class AllowedCommand:
    """One entry of the list."""

    path: str
    args: tuple[LinearPattern, ...] = ()
    more_args: LinearPattern | None = None
    folders: frozenset[str] = frozenset()
    env: frozenset[str] = frozenset()
    timeout_s: int = 3_600
    memory_mb: int = 2_048
    file_mb: int = 1_024
    cpu_s: int = 3_600
    processes: int = 256

    def refusal(
        self, args: Sequence[str], cwd: str | None, env: Mapping[str, str], work: Work
    ) -> str:
        """Return what this entry does not allow; "" if it allows the command. Raises
        TooMuchWork."""
        if len(args) < len(self.args):
            return f"{self.path} is allowed with {len(self.args)} arguments or more"
        further = args[len(self.args) :]
        if further and self.more_args is None:
            return f"{self.path} is allowed with {len(self.args)} arguments at most"
        patterns = [*self.args, *([self.more_args] * len(further) if self.more_args else ())]
        for place, (pattern, arg) in enumerate(zip(patterns, args, strict=True), 1):
            if not pattern.matches(arg, work):
                return f"argument {place} of {self.path} does not match {pattern.pattern}"
        if cwd is not None and cwd not in self.folders:
            return f"{self.path} is not allowed in the folder {cwd}"
        for name in env:
            if name not in self.env:
                return f"{self.path} is not allowed with the variable {name}"
        return ""


class AllowList:
    """The list in the file `path`, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, ...] = ()
        self._commands: tuple[AllowedCommand, ...] = ()

    def commands(self) -> tuple[AllowedCommand, ...]:
        """Return the entries. Raises NotAllowed if the list can't be read or trusted."""
        refuse_writable_by_others(self._path)
        try:
            seen = self._path.stat()
            mark = (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
            if mark != self._read_at:
                self._commands = parse(read_file(self._path, _MOST_BYTES).decode())
                self._read_at = mark
        except FileRefused as refused:
            raise NotAllowed(f"the list of commands can't be read: {refused.sentence}") from refused
        except (OSError, ValueError) as error:
            raise NotAllowed(f"the list of commands can't be read: {error}") from error
        return self._commands

    def find(
        self, path: str, args: Sequence[str], cwd: str | None, env: Mapping[str, str]
    ) -> AllowedCommand:
        """Return the entry that allows a command. Raises NotAllowed."""
        refusals = []
        work = Work(_MOST_WORK)
        for entry in self.commands():
            if entry.path == path:
                try:
                    refusal = entry.refusal(args, cwd, env, work)
                except TooMuchWork:
                    raise NotAllowed(
                        f"the arguments of {path} are too long to be checked"
                    ) from None
                if not refusal:
                    return entry
                refusals.append(refusal)
        raise NotAllowed(refusals[-1] if refusals else f"{path} is not in the list of commands")


def refuse_writable_by_others(path: Path) -> None:
    """Raise NotAllowed if somebody other than the administrator or this program's user could change
    or replace the file."""
    try:
        for place, found in _way_to(path):
            sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            open_to_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky
            writable = open_to_others and not stat.S_ISLNK(found.st_mode)
            if found.st_uid not in (0, os.geteuid()) or writable:
                raise NotAllowed(
                    f"{place} can be changed by others: it must belong to root or to the user of "
                    "CNC Station, and group and others must not be able to write to it"
                )
        if not stat.S_ISREG(found.st_mode):
            raise NotAllowed(f"{path} is not a file")
    except OSError as error:
        raise NotAllowed(f"{path}: {error.strerror or error}") from error


def _way_to(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield each folder and link that leads to a file, also from link to link, and last the file.
    Raises OSError."""
    here = Path(path.absolute().anchor)
    rest = list(path.absolute().parts[1:])
    yield here, here.lstat()
    links = 0
    while rest:
        name = rest.pop(0)
        here = here.parent if name == ".." else here / name
        found = here.lstat()
        yield here, found
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = here.readlink()
            here = Path(target.anchor) if target.is_absolute() else here.parent
            rest[:0] = target.parts[1:] if target.is_absolute() else target.parts


def parse(text: str) -> tuple[AllowedCommand, ...]:
    """Return the entries of a list. Raises ValueError with a sentence."""
    table = toml_text.load(text)
    if unknown := table.keys() - {"command"}:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known; each entry is a [[command]]")
    entries = table.get("command", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("each entry must be a [[command]]")
    return tuple(_entry(number, entry) for number, entry in enumerate(entries, 1))


def _entry(number: int, entry: dict[str, Any]) -> AllowedCommand:
    path = entry.get("path")
    if not isinstance(path, str) or not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"entry {number}: path must be an absolute path")
    known = {one.name for one in fields(AllowedCommand)}
    if unknown := entry.keys() - known:
        raise ValueError(f"{path}: {', '.join(sorted(unknown))} is not known")
    variables = frozenset(_texts(path, entry, "env"))
    for name in variables:
        if not _NAME.fullmatch(name) or _NEVER.fullmatch(name):
            raise ValueError(f"{path}: the variable {name} can't be allowed")
    more = entry.get("more_args")
    return AllowedCommand(
        path,
        args=tuple(_pattern(path, one) for one in _texts(path, entry, "args")),
        more_args=None if more is None else _pattern(path, more),
        folders=frozenset(_texts(path, entry, "folders")),
        env=variables,
        **{name: _limit(path, name, entry[name]) for name in _LIMITS if name in entry},
    )


def _limit(path: str, name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ValueError(f"{path}: {name} must be a whole number from 1 to {_MOST:,}")
    return value


def _texts(path: str, entry: dict[str, Any], name: str) -> list[str]:
    found = entry.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{path}: {name} must be a list of texts")
    return found


def _pattern(path: str, text: object) -> LinearPattern:
    try:
        return LinearPattern(str(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{path}: {text} is not a regular expression: {error}") from error
