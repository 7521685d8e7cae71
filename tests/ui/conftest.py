"""What every UI test stands on: one application, the application's own loop, nothing left behind.

Tests are `async def` and await `tests.until.until` or `emitted`; never `qtbot.wait*`, which opens a
loop within the loop.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from cnc_station.loop import application, application_loop
from cnc_station.ui.alerts import sound_player
from cnc_station.ui.widgets import tap_guard
from tests.ui.fake_players import FakePlayers
from tests.ui.leaks import LOOKS, PAUSE_S, Leftovers
from tests.ui.outside_text import dressed, pipe  # noqa: F401 - fixtures for tests with markup
from tests.ui.real_engine import config, office  # noqa: F401 - fixtures for every test
from tests.ui.tapping import TapClock


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"application": application_loop}


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """Takes the place of pytest-qt's: there is one application, kept to the end of the process."""
    return application()


@pytest.fixture(scope="session", autouse=True)
def no_events_outside_the_loop() -> Iterator[None]:
    """pytest-qt handles events after each test, when no loop runs: a page's timer that fires then
    would ask for a task nobody can run. What waits is for the loop, or ends with its owner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytestqt.plugin._process_events", lambda: None)
        yield


@pytest.fixture(autouse=True)
def buttons_settle_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is quicker than a finger; one that is about the guard asks for one of those below."""
    if not {"settling_buttons", "tap_clock"} & set(request.fixturenames):
        monkeypatch.setattr(tap_guard, "SETTLE_MS", 0)


@pytest.fixture(autouse=True)
def nothing_is_heard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test plays no sound on the computer of a developer; one about sounds asks for `players`."""
    if "players" not in request.fixturenames:
        monkeypatch.setattr(sound_player, "PLAYERS", ())


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePlayers:
    """Sound players that are scripts; the test adds those that are installed."""
    return FakePlayers(tmp_path / "bin", monkeypatch)


@pytest.fixture
def settling_buttons() -> float:
    """Buttons are dead after a change as long as in the shop; returns the seconds."""
    return tap_guard.SETTLE_MS / 1000


@pytest.fixture
def tap_clock(monkeypatch: pytest.MonkeyPatch) -> TapClock:
    """Buttons are dead after a change until the test moves this clock."""
    clock = TapClock(settle_s=0.1)
    monkeypatch.setattr(tap_guard, "SETTLE_MS", 1000 * clock.settle_s)
    monkeypatch.setattr(tap_guard, "monotonic", clock)
    return clock


@pytest.fixture
def loop_errors() -> list[str]:
    """What has reached the loop's exception handler; a test that means it checks and clears it."""
    return []


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication, loop_errors: list[str]) -> Iterator[None]:
    """Fails the test that leaves a timer, thread or top-level widget, or an error in the loop."""
    assert qapp is QApplication.instance()
    leftovers = Leftovers()
    yield
    left = leftovers.found()
    assert not left, "left behind:\n" + "\n".join(left)
    assert not loop_errors, "errors nobody handled:\n" + "\n".join(loop_errors)


@pytest.fixture(autouse=True)
def no_task_left_behind(nothing_left_behind: None, request: pytest.FixtureRequest) -> None:  # noqa: ARG001 - set up after it, so that it looks when the loop is closed
    """Gives each async test, and only those, the watch on its tasks."""
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("task_watch")


@pytest_asyncio.fixture
async def task_watch(loop_errors: list[str]) -> AsyncIterator[None]:
    """Fails the test that leaves a task; looks before the loop closes and cancels it."""

    def note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop_errors.append(f"{context['message']} {context.get('exception', '')!r}")

    asyncio.get_running_loop().set_exception_handler(note)
    yield

    def left() -> list[str]:
        return [str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]

    for _ in range(LOOKS):
        if not left():
            return
        await asyncio.sleep(PAUSE_S)
    pytest.fail("tasks left behind:\n" + "\n".join(left()))
