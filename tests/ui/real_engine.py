"""A context on a real engine: what the tests of pages stand on.

`tests/ui/conftest.py` takes the fixtures in: every test may ask for `office`.
"""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from cnc_station.config import Config
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.notice import MISSED
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Answer, JobFilter
from cnc_station.ui.alerts.feed import AlertFeed
from cnc_station.ui.alerts.presenter import AlertPresenter
from cnc_station.ui.bridge import Bridge
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.main_window import Arrives
from cnc_station.ui.operations import Operations
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.toasts import Message
from tests.engine.floor import supervisor_of

ME = local_principal("tester")
P = TypeVar("P", bound=QWidget)


@dataclass(slots=True)
class Said:
    """What the window said: a `Notifier`, a `Progress` and a `Shelf`."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    refused: list[tuple[tuple[Answer, ...], int]] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    undo: Callable[[], None] | None = None
    stop: Callable[[], None] | None = None
    banners: dict[Hashable, Message] = field(default_factory=dict)

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        self.done.append(words)
        self.undo = undo

    def fail(
        self,
        words: str,
        details: str = "",
        more: Callable[[], object] | None = None,
    ) -> None:
        self.failed.append(words)
        self.details.append(details)
        if more is not None:
            more()

    def show_refused(self, answers: Sequence[Answer], count: int, noun: str) -> None:  # noqa: ARG002 - the answers say it
        self.refused.append((tuple(answers), count))

    def start(self, words: str, stop: Callable[[], None] | None = None) -> None:
        self.stop = stop
        self.progress.append(words)

    def advance(self, words: str, fraction: float) -> None:  # noqa: ARG002 - the words say it too
        self.progress.append(words)

    def alert(self, message: Message) -> None:
        self.banners[message.key] = message

    def withdraw(self, key: Hashable) -> None:
        self.banners.pop(key, None)

    def finish(self) -> None:
        pass


@dataclass(slots=True, weakref_slot=True)
class Went:
    """Where a page has sent the person: `Ways`, each as (where, what). Signals connect to it."""

    to: list[tuple[str, object]] = field(default_factory=list)

    def to_page(self, key: str) -> None:
        self.to.append(("page", key))

    def to_jobs(self, chosen: JobFilter) -> None:
        self.to.append(("jobs", chosen))

    def to_job(self, job_id: int) -> None:
        self.to.append(("job", job_id))

    def to_attention(self, job_id: int) -> None:
        self.to.append(("attention", job_id))

    def to_machine(self, machine_id: int) -> None:
        self.to.append(("machine", machine_id))

    def to_program(self, sha256: str) -> None:
        self.to.append(("program", sha256))

    def to_backups(self) -> None:
        self.to.append(("backups", None))

    def to_dead_deliveries(self) -> None:
        self.to.append(("dead deliveries", None))

    def new_job(self, program: str | None = None) -> None:
        self.to.append(("new job", program))

    def import_files(self) -> None:
        self.to.append(("import", None))

    def load_demo(self) -> None:
        self.to.append(("demo", None))

    def open_shop(self) -> None:
        self.to.append(("shop", None))


@dataclass(frozen=True, slots=True)
class Office:
    """A context, and what came of sitting at it."""

    context: PageContext
    engine: StationEngine
    door: Door
    said: Said
    went: Went

    async def write(self, command: StoreCommand[Any]) -> None:
        """What a service of the engine would write."""
        await supervisor_of(self.engine).context.writer.write(command)

    def lose(self, link: str, why: str) -> None:
        """The engine finds that something it leans on is away."""
        supervisor_of(self.engine).context.health.down(link, why)

    def look_everywhere(self) -> None:
        """The engine's services look again, as they do from time to time."""
        supervisor_of(self.engine).hear(MISSED)

    async def stop_runs(self) -> None:
        """What becomes of runs when the station is closed, without the rest of its end."""
        await supervisor_of(self.engine).active_runs.stop()


@pytest.fixture
def config(tmp_path: Path, station_file: Path) -> Config:
    """A station of its own, its simulators a thousand times faster than life."""
    return Config(
        data_folder=tmp_path,
        database_url=f"sqlite:///{station_file}",
        station="A",
        simulator_speed=1000.0,
        simulator_seed=1,
        synchronous="NORMAL",
    )


@pytest_asyncio.fixture
async def office(config: Config, task_watch: None) -> AsyncIterator[Office]:  # noqa: ARG001 - it looks when all is closed
    """The engine runs before, and stops after, the test."""
    engine = StationEngine(config)
    await engine.start()
    said, went = Said(), Went()
    door = engine.door(ME)
    bridge = Bridge(door)
    operations = Operations(door, said, said, said, said.show_refused)
    alerts = AlertPresenter(AlertFeed(door, bridge, operations), door, operations, said, now_ms)
    context = PageContext(door, bridge, operations, went, now_ms, alerts)
    yield Office(context, engine, door, said, went)
    alerts.stop()
    bridge.close()
    await operations.close()
    await engine.stop()


def settled(view: QObject) -> bool:
    """Whether every answer that a view has asked for is there."""
    return not any(task.busy for task in view.findChildren(CoalescedTask))


def ticking(view: QObject) -> list[QTimer]:
    """The clocks of a view that run."""
    return [timer for timer in view.findChildren(QTimer) if timer.isActive()]


@asynccontextmanager
async def opened(office: Office, page: P) -> AsyncIterator[P]:
    """A page on view, as the window would have it, and put away as the window would."""
    page.resize(1250, 650)
    page.show()
    arriving: object = page
    if isinstance(arriving, Arrives):
        arriving.arrived()
    yield page
    await office.context.operations.close()
    page.hide()
    page.deleteLater()


def mill(name: str = "Mill 1", **settings: object) -> MachineSpec:
    """A simulated mill; `failure_share=1.0` fails every job of complexity 5."""
    return MachineSpec(name, "mill", capability=Capability("mill"), settings=settings)
