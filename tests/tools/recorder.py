"""Records which functions of the product run in this process, on all its threads.

`python -m tests.tools.recorder FILE ARGUMENTS...` runs the command line with these arguments and
writes to FILE what ran from the call of its `main` to its end. It must be the first to import the
product, so that its threads start recorded.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).parents[2]
PACKAGE = str(ROOT / "cnc_station") + os.sep
_OPTIMIZED = 0x1  # co_flags of a function; the body of a module or class does not have it
_PARTS = ("<lambda>", "<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


class _Depth(threading.local):
    bodies = 0


class Recorder:
    """Collects code objects while `running` is set.

    What runs within the body of a module or class is part of an import and is not collected. A
    coroutine counts whenever it is resumed.
    """

    def __init__(self) -> None:
        self.running = False
        self._codes: set[CodeType] = set()
        self._depth = _Depth()

    def install(self) -> None:
        """Watch this thread and every thread that starts from now on."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Collect nothing from this thread meanwhile."""
        self._depth.bodies += 1
        try:
            yield
        finally:
            self._depth.bodies -= 1

    def start(self) -> None:
        """Forget what was collected and collect anew."""
        self._codes = set()
        self.running = True

    def stop(self) -> list[str]:
        """Return the functions collected since `start`, as `path:qualified name`."""
        self.running = False
        return sorted({function_of(code) for code in self._codes})

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        if event not in {"call", "return"}:
            return
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return
        if not code.co_flags & _OPTIMIZED:
            self._depth.bodies += 1 if event == "call" else -1
        elif self.running and event == "call" and not self._depth.bodies:
            self._codes.add(code)


def function_of(code: CodeType) -> str:
    """Name a code object by its file and function; a lambda or comprehension is part of the
    function that holds it."""
    names = code.co_qualname.split(".")
    while len(names) > 1 and names[-1] in _PARTS:
        names = names[:-2] if names[-2] == "<locals>" else names[:-1]
    path = Path(code.co_filename).relative_to(ROOT).as_posix()
    return f"{path}:{'.'.join(names)}"


def _command_line(file: Path, arguments: list[str]) -> None:
    recorder = Recorder()
    recorder.install()
    from cnc_station.__main__ import main  # noqa: PLC0415 - after the recorder is in place

    sys.argv = ["cnc-station", *arguments]
    recorder.start()
    try:
        main()
    finally:
        file.write_text(json.dumps(recorder.stop()), encoding="utf-8")


if __name__ == "__main__":
    _command_line(Path(sys.argv[1]), sys.argv[2:])
