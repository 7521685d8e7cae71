"""A benchmark in a process of its own: ended when its time is up, and asked for all its figures."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.figures import Figure, read_json

DUMP_S = 5.0


class BenchmarkFailed(Exception):
    """It gave no figures; the text is one line that says why."""


def figures_of(command: Sequence[str], limit_s: float) -> list[Figure]:
    """What a command writes into the file that `--json` names. Raises BenchmarkFailed where it does
    not end in time or fails; what it said is on the standard error output then."""
    with tempfile.TemporaryDirectory(prefix="cnc-bench-") as folder:
        table, said = Path(folder) / "figures.json", Path(folder) / "said"
        with said.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--json", str(table)], stdout=log, stderr=log, start_new_session=True
            )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            _dump_stacks(process)
            _repeat(said)
            raise BenchmarkFailed(f"no end within {limit_s:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if code == 0 and table.exists():
            return read_json(table)
        raise BenchmarkFailed(_repeat(said) or f"ended with {code} and no figures")


def missing(figures: Sequence[Figure], expected: int) -> list[str]:
    """What is wrong with them: too few, or without a number."""
    found = [f"{figure.name}: not a number" for figure in figures if not figure.is_measured]
    if (count := len({figure.name for figure in figures})) != expected:
        found.append(f"{count} of {expected} figures")
    return found


def _dump_stacks(process: subprocess.Popen[bytes]) -> None:
    """With PYTHONFAULTHANDLER, where each thread stands."""
    process.send_signal(signal.SIGABRT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(DUMP_S)


def _repeat(said: Path) -> str:
    """Its last line."""
    text = said.read_text(errors="replace").strip()
    print(text, file=sys.stderr, flush=True)
    return text.rpartition("\n")[2]
