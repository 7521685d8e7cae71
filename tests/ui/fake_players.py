"""Sound players for tests: scripts on PATH that note what they were asked to play."""

import stat
from pathlib import Path

import pytest


class FakePlayers:
    """A folder that is all of PATH; `played()` lists the arguments of every call."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self._folder = folder
        self._notes = folder / "played.txt"
        monkeypatch.setenv("PATH", str(folder))

    def add(self, name: str, rest: str = "exit 0") -> None:
        """A player that notes its call, then does the rest (shell)."""
        script = self._folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._notes}\n{rest}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()

    def note(self, name: str) -> Path:
        """A file that a script may write to."""
        return self._folder / name

    def played(self) -> list[str]:
        return self._notes.read_text().splitlines() if self._notes.exists() else []


def is_alive(pid: int) -> bool:
    """Whether a process is there and not only waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
