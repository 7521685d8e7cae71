"""`./dev trace [--list] [--json FILE]`: what one job runs through, in files and functions of ours.

A station runs with its window on the Jobs page and one idle simulator machine; `cnc-station submit`
hands in one job beside it, in a process of its own. Counted is what either process runs from the
call of the command line's `main` until the job is completed and the page has painted that: its row
has come, and has left the list of open jobs. Imports don't count; a lambda or comprehension is part
of its function. What an idle station runs is counted apart: in as many seconds, which may or may
not hold a slow tick, and in BACKGROUND_S, which holds every one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.product_store import STATION
from tests.benchmarks.shop import fill

NAME = "Traced bracket"
RUNTIME_S = 1
LIMIT_S = 120
OTHER_JOBS = 10  # open, for a machine that is not there: the list is never empty
QUIET_S = 1.5  # what follows the opening of the page, or the end of a job, is over
BACKGROUND_S = 12.0  # longer than the slowest tick of a station, leases apart


@dataclass(frozen=True, slots=True)
class Trace:
    """Functions as `path:name`. `idle` is what a station runs anyway in as many seconds,
    `background` what it runs in some more."""

    seconds: float
    command_line: frozenset[str]
    station: frozenset[str]
    idle: frozenset[str]
    background: frozenset[str]

    @property
    def job(self) -> frozenset[str]:
        """What one job runs through, in both processes."""
        return self.command_line | self.station


class Station:
    """The recorded station's process."""

    def __init__(self, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.tools.recorded_station"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )

    def ask(self, command: str) -> None:
        """Send a command; `answer` waits for what comes of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer. Raises AssertionError if the station ends without one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the station ended with {self._process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Switch it off, as a computer would."""
        self._process.terminate()
        try:
            self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


def trace(background_s: float = BACKGROUND_S) -> Trace:
    """Run one job beside a station of its own. Raises AssertionError if it does not complete."""
    with tempfile.TemporaryDirectory(prefix="cnc-trace-") as name, _station(Path(name)) as station:
        folder = Path(name)
        station.ask("ready")
        station.ask(f"idle {QUIET_S}")
        station.answer()
        station.answer()
        station.ask(f"job {NAME}")
        options = ("--name", NAME, "--type", "mill", "--runtime", str(RUNTIME_S))
        job_id = _command_line(folder, "submit", *options)["id"]
        seen = station.answer()
        submitted = json.loads((folder / "submit.json").read_text(encoding="utf-8"))
        state = _command_line(folder, "job", str(job_id))["job"]["row"]["state"]
        assert state == "completed", f"the job is {state}"
        for seconds in (QUIET_S, seen["seconds"], background_s):
            station.ask(f"idle {seconds}")
        _, idle, background = (station.answer()["functions"] for _ in range(3))
    sets = map(frozenset, (submitted, seen["functions"], idle, idle + background))
    return Trace(seen["seconds"], *sets)


def _environ(folder: Path) -> dict[str, str]:
    """Leases so long that their renewal, which comes by chance, does not come."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CNC_")}
    settings = {
        "CNC_DATA_FOLDER": str(folder),
        "CNC_DATABASE": str(folder / "station.db"),
        "CNC_STATION": STATION,
        "CNC_LEASE_S": "3600",
        "CNC_LEADER_LEASE_S": "3600",
        "QT_QPA_PLATFORM": "offscreen",
    }
    return others | settings


@contextmanager
def _station(folder: Path) -> Iterator[Station]:
    fill(folder, OTHER_JOBS, 1, machine_type="lathe", state="queued", finished_at=None)
    station = Station(_environ(folder))
    try:
        yield station
    finally:
        station.end()


def _command_line(folder: Path, verb: str, *options: str) -> dict[str, Any]:
    """The answer of a command in a process of its own; what it ran is in `VERB.json`."""
    module = ("-m", "tests.tools.recorder", str(folder / f"{verb}.json"))
    done = subprocess.run(
        [sys.executable, *module, verb, *options, "--json"],
        env=_environ(folder),
        stdout=subprocess.PIPE,
        check=True,
        timeout=LIMIT_S,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def files(functions: frozenset[str]) -> frozenset[str]:
    """The files that hold these functions."""
    return frozenset(function.partition(":")[0] for function in functions)


def report(found: Trace) -> str:
    """The figures as a person reads them, then one line a room."""
    lines = [f"one job, {found.seconds:.1f} s from `main` to the last painted row"]
    parts = (
        ("job, both processes", found.job),
        ("  command line", found.command_line),
        ("  station", found.station),
        ("idle station, as long", found.idle),
        ("idle station, longer", found.background),
        ("job less idle, longer", found.job - found.background),
    )
    lines += [f"{words:24}{len(files(of)):5} files{len(of):6} functions" for words, of in parts]
    rooms: dict[str, set[str]] = defaultdict(set)
    for function in found.job:
        rooms[function.partition(":")[0].rpartition("/")[0]].add(function)
    lines += ["", "room"]
    for room, of in sorted(rooms.items()):
        lines.append(f"{room:34}{len(files(frozenset(of))):5} files{len(of):6} functions")
    return "\n".join(lines)


def listing(found: Trace) -> str:
    """Every function of the job by file; `c` command line, `s` station, `i` idle station."""
    marks = (("c", found.command_line), ("s", found.station), ("i", found.background))
    lines: list[str] = []
    last = ""
    for path, name in sorted(function.split(":") for function in found.job):
        if path != last:
            lines += ["", path]
            last = path
        ran = "".join(mark if f"{path}:{name}" in of else "-" for mark, of in marks)
        lines.append(f"  {ran}  {name}")
    return "\n".join(lines)


def main() -> None:
    """Trace one job and print the figures."""
    parser = argparse.ArgumentParser(prog="dev trace", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every function as well")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = trace()
    print(report(found))
    if options.list:
        print(listing(found))
    if options.json:
        options.json.write_text(json.dumps(asdict(found), default=sorted), encoding="utf-8")


if __name__ == "__main__":
    main()
