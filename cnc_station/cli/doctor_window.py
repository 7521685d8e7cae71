"""Check whether a window can open, in another process: Qt ends a process without a display."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from cnc_station.bundled import self_command
from cnc_station.cli.invocation import Call, Diagnosis, Exit
from cnc_station.cli.output import print_json, say
from cnc_station.cli.window import has_display

_PATIENCE_S = 30.0


def window(call: Call) -> Iterator[Diagnosis]:
    """Check Qt, its platform and its fonts."""
    if find_spec("PySide6") is None:
        yield Diagnosis.warning("window", "PySide6 is not installed", "Install PySide6.")
        return
    try:
        done = subprocess.run(
            [*self_command(), "doctor", "--probe-window"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Diagnosis.warning("window", "Qt does not answer", "Check the display.")
        return
    if done.returncode != Exit.OK:
        yield failed(done.stderr, call)
        return
    yield from _read(json.loads(done.stdout))


def failed(output: str, call: Call) -> Diagnosis:
    """What the output of a window that did not open means."""
    lines = [line for line in output.splitlines() if line.strip()]
    if not has_display(call.environ):
        return Diagnosis.warning(
            "window",
            "there is no display",
            "Start it from a desktop, or run `cnc-station serve`, which needs none.",
        )
    return Diagnosis.warning(
        "window",
        f"Qt can't open one: {lines[0] if lines else 'without a message'}",
        "On Debian: apt install libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 "
        "libxcb-keysyms1 libxcb-shape0 libdbus-1-3 libfontconfig1.",
    )


def _read(answer: dict[str, str | int]) -> Iterator[Diagnosis]:
    yield Diagnosis.good("window", f"Qt {answer['qt']} on {answer['platform']}")
    if answer["fonts"]:
        yield Diagnosis.good("fonts", f"{answer['fonts']} families")
    else:
        yield Diagnosis.warning("fonts", "the system has none", "apt install fonts-dejavu-core")


def probe(_call: Call) -> int:
    """Run in the other process: start Qt and print its platform and fonts."""
    try:
        from PySide6.QtCore import qVersion  # noqa: PLC0415 - only this process may need Qt
        from PySide6.QtGui import QFontDatabase, QGuiApplication  # noqa: PLC0415 - likewise
    except ImportError as error:
        say(str(error), error=True)
        return Exit.UNAVAILABLE
    app = QGuiApplication(sys.argv[:1])
    families = len(QFontDatabase.families())
    print_json({"qt": qVersion(), "platform": app.platformName(), "fonts": families})
    return Exit.OK
