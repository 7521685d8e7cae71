"""Running tests on a copy of the tree, and on a mutant in it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from tests.mutants.mutations import Mutant
from tests.mutants.reach import FOLDER_VARIABLE, Test, read
from tests.tools.recorder import ROOT

_NOT_COPIED = (".git", ".venv", "node_modules", "build", "dist", "__pycache__", ".*_cache")
_LINKED = (".venv", "tests/drivers/opcua_server/node_modules")
_LEAST_S = 60.0  # for a start of pytest and of the servers
_LEAST_TEST_S = 20.0
_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
_PASSED, _FAILED, _INTERRUPTED, _NOTHING = 0, 1, 2, 4  # pytest's exit codes; 4: not imported


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    UNREACHED = "not run by these tests"


class Tree:
    """A copy of the checkout in which one mutant at a time is tried.

    `folder` is open to other users, under whom a database server of the tests runs.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self._root = folder / "tree"
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self._temporary.chmod(0o777)
        shutil.copytree(
            ROOT, self._root, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED)
        )
        for name in _LINKED:
            if (ROOT / name).exists():
                (self._root / name).symlink_to((ROOT / name).resolve())

    def measure(self, paths: Sequence[str], jobs: int) -> list[Test]:
        """Run all tests at these paths once and return those that pass, with what they reach.
        Raises AssertionError if pytest could not run them."""
        folder = self._root.parent / "reach"
        folder.mkdir()
        options = ("-n", str(jobs), "--dist", "loadgroup") if jobs > 1 else ()
        command = (*_PYTEST, "-p", "tests.mutants.reach", *options, *paths)
        done = self._run(command, None, {FOLDER_VARIABLE: str(folder)})
        assert done in {_PASSED, _FAILED}, f"pytest ended with {done} on the unchanged code"
        return read(folder)

    def check(self, tests: Sequence[Test]) -> None:
        """Raise AssertionError unless these tests pass on the unchanged code."""
        fate = self._fate(tests)
        assert fate is Fate.SURVIVED, "the tests do not pass on the unchanged code"

    def try_mutant(self, mutant: Mutant, tests: Sequence[Test]) -> Fate:
        """What these tests make of a mutant; the copy is unchanged afterwards."""
        if not tests:
            return Fate.UNREACHED
        file = self._root / mutant.path
        source = file.read_bytes()
        try:
            _write(file, mutant.apply(source))
            return self._fate(tests)
        finally:
            _write(file, source)

    def _fate(self, tests: Sequence[Test]) -> Fate:
        names = self._root.parent / "tests.txt"
        names.write_text("\n".join(test.name for test in tests), encoding="utf-8")
        limit = _LEAST_S + 3 * sum(test.seconds for test in tests)
        one = _LEAST_TEST_S + 5 * max(test.seconds for test in tests)
        done = self._run((*_PYTEST, "-x", f"--timeout={one:.0f}", f"@{names}"), limit, {})
        if done is None:
            return Fate.TIMED_OUT
        assert done in {_PASSED, _FAILED, _INTERRUPTED, _NOTHING} or done < 0, f"pytest: {done}"
        return Fate.SURVIVED if done == _PASSED else Fate.KILLED

    def _run(
        self, command: Sequence[str], limit: float | None, variables: Mapping[str, str]
    ) -> int | None:
        """Its exit code; None if it was ended after `limit` seconds, with all it has started."""
        environ = os.environ | {
            "PYTHONPATH": str(self._root),
            "TMPDIR": str(self._temporary),
            "HYPOTHESIS_PROFILE": "ci",
            **variables,
        }
        self._process = process = subprocess.Popen(
            [sys.executable, *command],
            cwd=self._root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.end()
            self._process = None
            process.wait()

    def end(self) -> None:
        """End the tests that run, and all that they have started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _write(file: Path, source: bytes) -> None:
    """With its compiled form gone, as that is only told apart by a whole second and the size."""
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()
    file.write_bytes(source)
