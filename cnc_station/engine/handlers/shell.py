"""Commands of the operating system: only those that an administrator has allowed, never through a
shell, in a folder of their own, with a clean environment and limits."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.handlers import guard
from cnc_station.engine.handlers.allowed_commands import (
    AllowedCommand,
    AllowList,
    NotAllowed,
    refuse_writable_by_others,
)
from cnc_station.engine.handlers.base import (
    HandlerContext,
    HandlerFailed,
    HandlerOrder,
    HandlerResult,
    Narrowed,
    RestrictedHandler,
)
from cnc_station.engine.handlers.output import Output

GUARD = "--guard"  # the option of a frozen program that makes it a guard
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OFF = "shell.command is off at this station: an administrator allows commands with shell_commands"
LONGEST_S = 86_400
_FIELDS = frozenset({"command", "args", "cwd", "env", "timeout", "success"})
_MOST_CHARACTERS = 32_768
_PIECE = 65_536
_MIB = 1024 * 1024
# Shares of the lease. A station that does not move is noticed in time: the last extension of the
# lease is at most a third of it older than the last sign of life.
_SILENCE, _GRACE = 0.5, 0.05
_LONGEST_GRACE_S = 5.0
_LAST_WORDS = 200
_KEY = "CNC_IDEMPOTENCY_KEY"
_HOLDING_S = 1.0  # how long a process without a guard may keep the output open


class ShellCommand(RestrictedHandler):
    """Implements `Handler`.

    Payload: `command` (an absolute path), `args`, `cwd` (default: a new folder that is removed
    afterwards), `env`, `timeout` in seconds, `success`: the exit codes that count as done (default
    [0]).
    """

    name = "shell.command"

    def __init__(self, context: HandlerContext) -> None:
        listed = context.shell_commands
        self._list = AllowList(listed) if listed and sys.platform == "linux" else None
        self._folder = context.work_folder
        self._silence_s = context.lease_s * _SILENCE
        self._grace_s = min(_LONGEST_GRACE_S, context.lease_s * _GRACE)

    def check(self, payload: Mapping[str, Any]) -> Iterable[FieldError]:
        for name in payload.keys() - _FIELDS:
            yield FieldError(str(name), f"is not known; known are {', '.join(sorted(_FIELDS))}")
        yield from _path("command", payload.get("command", ""))
        if "cwd" in payload:
            yield from _path("cwd", payload["cwd"])
        args = payload.get("args", [])
        if not isinstance(args, list):
            yield FieldError("args", "must be a list of texts: no shell takes them apart")
        else:
            for place, arg in enumerate(args, 1):
                yield from checks.text(f"args[{place}]", arg, _MOST_CHARACTERS)
        env = payload.get("env", {})
        if not isinstance(env, Mapping):
            yield FieldError("env", "must be an object of names and texts")
        else:
            for name, value in env.items():
                yield from checks.text(f"env.{name}", value, _MOST_CHARACTERS)
        timeout = payload.get("timeout", 1)
        if not checks.number(timeout) or not 0 < timeout <= LONGEST_S:
            yield FieldError("timeout", f"must be a number of seconds up to {LONGEST_S:,}")
        yield from _success(payload.get("success", [0]))

    def allowed(self) -> Narrowed | None:
        try:
            commands = self._list.commands() if self._list else ()
        except NotAllowed:
            return None
        return Narrowed("command", frozenset(entry.path for entry in commands))

    def refusal(self, payload: Mapping[str, Any]) -> str:
        try:
            self._entry(payload)
        except NotAllowed as error:
            return str(error)
        return ""

    def _entry(self, payload: Mapping[str, Any]) -> AllowedCommand:
        """Return what allows this command. Raises NotAllowed."""
        if self._list is None:
            raise NotAllowed(OFF)
        command = payload["command"]
        entry = self._list.find(
            command, payload.get("args", ()), payload.get("cwd"), payload.get("env", {})
        )
        refuse_writable_by_others(Path(command))
        return entry

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> HandlerResult:
        try:
            entry = self._entry(order.payload)
        except NotAllowed as error:
            raise HandlerFailed(str(error), final=True) from error
        limit_s = min(order.payload.get("timeout", entry.timeout_s), entry.timeout_s)
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=f"run-{order.run_id}-", dir=self._folder)
        try:
            process = await _start_guard()
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise HandlerFailed(f"can't be started: {error}") from error
            raise
        assert process.stdin is not None
        process.stdin.write(json.dumps(self._told(order, entry, folder)).encode() + b"\n")
        progress(0.0)
        seeing_out = _see_out(process, order, folder, self._silence_s / 4)
        work = asyncio.create_task(seeing_out)
        try:
            async with asyncio.timeout(limit_s):
                report = await asyncio.shield(work)
        except TimeoutError:
            await _stop(process, work)
            raise HandlerFailed(f"took longer than its limit of {limit_s:g} s") from None
        except asyncio.CancelledError:
            await _stop(process, work)
            raise
        progress(1.0)
        return _result(order, report)

    def _told(self, order: HandlerOrder, entry: AllowedCommand, folder: str) -> Mapping[str, Any]:
        """Return the order for the guard."""
        payload = order.payload
        return {
            "argv": [payload["command"], *payload.get("args", ())],
            "cwd": payload.get("cwd", folder),
            "env": _environment(order, folder),
            "folder": folder,
            "silence_s": self._silence_s,
            "grace_s": self._grace_s,
            "limits": {
                "memory_bytes": entry.memory_mb * _MIB,
                "file_bytes": entry.file_mb * _MIB,
                "cpu_s": entry.cpu_s,
                "processes": entry.processes,
            },
        }


async def _start_guard() -> Process:
    return await asyncio.create_subprocess_exec(
        *_guard_command(),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd="/",
        env={"PATH": PATH, "LANG": "C.UTF-8"},
        start_new_session=True,
    )


def _path(name: str, value: object) -> Iterable[FieldError]:
    yield from checks.text(name, value, 1_000, wanted=True)
    given = isinstance(value, str) and value.strip()
    if given and (not given.startswith("/") or ".." in given.split("/")):
        yield FieldError(name, "must be an absolute path")


def _success(codes: object) -> Iterable[FieldError]:
    given = codes if isinstance(codes, list) else []
    errors = [error for code in given for error in checks.whole("success", code, 0, 255)]
    if not given or errors:
        yield FieldError("success", "must be a list of exit codes, such as [0, 1]")


def _guard_command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, GUARD]
    return [sys.executable, "-I", "-S", guard.__file__]


def _environment(order: HandlerOrder, folder: str) -> dict[str, str]:
    """Return all that the command gets: nothing of ours but what names its run."""
    return {
        **order.payload.get("env", {}),
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        "CNC_JOB_ID": str(order.job_id),
        "CNC_RUN_ID": str(order.run_id),
        "CNC_ATTEMPT": str(order.attempt),
        "CNC_TRACE_ID": order.trace_id,
        _KEY: order.key,
    }


async def _see_out(
    process: Process, order: HandlerOrder, folder: str, beat_s: float
) -> Mapping[str, Any]:
    """Gather the output until everything has ended. Return the guard's report."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    beats = asyncio.create_task(_beat(process, beat_s))
    gathering = asyncio.create_task(_gather(process.stdout, order.output))
    try:
        told = await process.stderr.read()  # the guard alone has it: this ends with the guard
        report = _report_of(told)
        if report is None:
            await asyncio.to_thread(_tidy_up, order.key, folder)
        await asyncio.wait([gathering], timeout=_HOLDING_S if report is None else None)
    finally:
        for task in (beats, gathering):
            task.cancel()
        process.stdin.close()
    return {"error": "its guard was killed"} if report is None else report


def _report_of(told: bytes) -> Mapping[str, Any] | None:
    try:
        report = json.loads(told)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def _tidy_up(key: str, folder: str) -> None:
    """Do what a killed guard has left undone."""
    guard.kill_marked(f"{_KEY}={key}".encode())
    shutil.rmtree(folder, ignore_errors=True)


async def _gather(stream: asyncio.StreamReader, output: Output) -> None:
    while piece := await stream.read(_PIECE):
        output.write(piece)


async def _beat(process: Process, every_s: float) -> None:
    """Tell the guard that the station is there."""
    assert process.stdin is not None
    while True:
        await asyncio.sleep(every_s)
        process.stdin.write(b".")


async def _stop(process: Process, work: asyncio.Task[Mapping[str, Any]]) -> None:
    """Ask for an orderly end, and return when nothing is left. If that wait is cancelled, the guard
    kills everything at once."""
    assert process.stdin is not None
    process.stdin.write(guard.STOP)
    try:
        await asyncio.wait([work])
    except asyncio.CancelledError:
        process.stdin.close()
        raise


def _result(order: HandlerOrder, report: Mapping[str, Any]) -> HandlerResult:
    name = Path(order.payload["command"]).name
    if (code := report.get("exit")) in order.payload.get("success", [0]):
        return HandlerResult(f"exit code {code}", code)
    last = _last_line(order.output)
    if "exit" in report:
        raise HandlerFailed(f"{name} ended with exit code {report['exit']}{last}", report["exit"])
    if "signal" in report:
        number = int(report["signal"])
        with contextlib.suppress(ValueError):
            raise HandlerFailed(
                f"{name} was ended by {signal.Signals(number).name}{last}", 128 + number
            )
    raise HandlerFailed(f"{name} can't be run: {report.get('error', 'for an unknown reason')}")


def _last_line(output: Output) -> str:
    lines = output.kept().text.strip().splitlines()
    return f": {lines[-1].strip()[:_LAST_WORDS]}" if lines else ""
