"""The window before the engine has started."""

import subprocess
import sys

from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell

HEAVY = ("cnc_station.engine.views", "cnc_station.engine.store", "sqlalchemy", "pyqtgraph", "numpy")


def test_the_frame_is_painted_without_the_modules_of_the_engine_and_the_pages() -> None:
    asked = f"import sys, cnc_station.desktop; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


async def test_a_frame_says_when_it_is_painted_and_waits_for_no_hidden_one() -> None:
    frame = Frame()
    await frame.painted(0.01)
    assert not frame.window.isVisible()
    frame.window.show()
    await frame.painted(60.0)
    frame.window.finish()
    frame.window.deleteLater()


async def test_the_window_says_how_long_it_did_not_respond() -> None:
    frame = Frame()
    shell = Shell(frame)
    shell.tell_stall(5.2, engine_too=False)
    shell.tell_stall(8.0, engine_too=True)
    assert frame.window.toasts.messages() == [
        "The window did not respond for 5 s. Machines and jobs went on.",
        "The station stood still for 8 s. Check the machines.",
    ]
    frame.window.finish()
    frame.window.deleteLater()
