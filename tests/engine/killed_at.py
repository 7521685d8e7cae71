"""Kill a piece of work at its n-th step on the disk, as by `kill -9` or a power cut."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Steps:
    """Counts the steps on the disk, and ends the process in front of the n-th."""

    def __init__(self, fatal: int) -> None:
        self._fatal = fatal

    def step(self, *_told: object) -> None:
        self._fatal -= 1
        if self._fatal == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            self.step()
            return function(*arguments, **named)

        return stepped


def killed_at(number: int, work: Callable[[Callable[[float], None]], object]) -> bool:
    """Run `work` in a process of its own, killed in front of its n-th step. Return whether there
    was such a step. `work` gets a function to tell its progress to, which counts as a step."""
    child = os.fork()
    if child == 0:
        _die_at(number, work)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _die_at(number: int, work: Callable[[Callable[[float], None]], object]) -> None:
    steps, patch = Steps(number), pytest.MonkeyPatch()
    for place, name in (
        (os, "fsync"),
        (Path, "rename"),
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "mkdir"),
    ):
        patch.setattr(place, name, steps.before(getattr(place, name)))
    try:
        work(steps.step)
    except BaseException as error:  # noqa: BLE001 - this process ends here, whatever happens
        print(f"killed_at: {error!r}", file=sys.stderr)
        os._exit(1)
    os._exit(0)
