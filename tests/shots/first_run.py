"""The first run in pictures: each step of an empty shop, joining a fleet, and the demo's strip."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog
from serial.tools import list_ports

from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.drivers import finding
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.views import FoundController
from cnc_station.loop import application
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.first_run.first_run import FIND, PROGRAM, QUESTION, FirstRun
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import TcpWire
from tests.shots.shot import Shot
from tests.until import until

FIRST_RUN = "first-run"
_SIZES = (QSize(1366, 768), QSize(1024, 600))
_LOOKS = ("light", "dark", "high-contrast", "touch")
PORTS = (
    SimpleNamespace(
        device="/dev/ttyUSB0",
        vid=1,
        product="USB Serial",
        manufacturer="QinHeng Electronics",
        description="USB Serial",
    ),
    SimpleNamespace(
        device="/dev/ttyS0", vid=None, product=None, manufacturer=None, description="n/a"
    ),
)


async def first_run_pictures(folder: Path, wanted: Sequence[Shot]) -> None:
    """Every step in each look that is wanted, in the sizes of a small PC."""
    for look in (look for look in _LOOKS if any(shot.look == look for shot in wanted)):
        for size in _SIZES:
            async with _shop() as (shell, engine):
                last = None
                for step, show in _STEPS.items():
                    shot = Shot(f"{FIRST_RUN}-{step}", look, size)
                    shot.dress(application(), shell, last)
                    await asyncio.sleep(0.1)  # the window has its new size
                    dialog = await show(shell, engine)
                    await shot.take(shell, folder, dialog)
                    if dialog is not None:
                        dialog.done(0)
                    last = shot


@asynccontextmanager
async def _shop() -> AsyncIterator[tuple[Shell, StationEngine]]:
    """An empty shop with its window."""
    with (
        tempfile.TemporaryDirectory(prefix="cnc-shots-") as data,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(list_ports, "comports", lambda: list(PORTS))
        patch.setattr(finding, "PROC", Path(data) / "proc")  # a LinuxCNC may run on this computer
        patch.setattr(finding, "LINUXCNC_PORT", 9)
        url = f"sqlite:///{data}/station.db"
        config = Config(Path(data), url, station="Shop PC 1", operator="Ana", synchronous="NORMAL")
        shell, engine = Shell(Frame()), StationEngine(config)
        await engine.start()
        shell.window.show()
        shell.open(engine.door(local_principal("Ana")), partial(load_demo, engine.door(DEMO)))
        yield shell, engine
        await shell.close()
        await engine.stop()
        shell.window.finish()
        shell.window.deleteLater()


def _first(shell: Shell, step: int) -> FirstRun:
    first = FirstRun(shell.context, shell.window, step)
    first.open()
    return first


async def _question(shell: Shell, _engine: StationEngine) -> QDialog:
    return _first(shell, QUESTION)


async def _find(shell: Shell, _engine: StationEngine) -> QDialog:
    first = _first(shell, FIND)
    await until(lambda: first.finder.choices)
    return first


async def _nothing(shell: Shell, _engine: StationEngine) -> QDialog:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_ports, "comports", list)
        first = _first(shell, FIND)
        await until(lambda: "No controller" in first.finder.said.text())
    first.finder.address.setText("no such/place")
    first.finder.there.click()
    await until(lambda: first.finder.field.error)
    return first


async def _machine(shell: Shell, _engine: StationEngine) -> QDialog:
    wire = TcpWire(FakeGrbl())
    await wire.put_back()
    found = FoundController("grbl", "GRBL / grblHAL", wire.port, {"port": wire.port})
    form = MachineForm(shell.context, shell.window, found=found)
    form.name.setText("Router 1")
    form.open()
    form.test.start()
    await until(lambda: form.test.report is not None)
    await wire.pull_out()
    return form


async def _program(shell: Shell, _engine: StationEngine) -> QDialog:
    return _first(shell, PROGRAM)


async def _fleet(shell: Shell, _engine: StationEngine) -> QDialog:
    form = FleetForm(shell.context, shell.window)
    form.fields["database_url"].set_value("shop-server")
    form.fields["database_password"].set_value("guessed")
    form.open()
    form.tell(
        (
            FieldError("database_password", _PASSWORD),
            FieldError("redis_url", "shop-server port 6379 does not answer (it refuses ...)"),
        )
    )
    return form


async def _demo(shell: Shell, engine: StationEngine) -> None:
    shell.can_reopen(partial(load_demo, engine.door(DEMO)), is_demo=True)
    await load_demo(engine.door(DEMO))


_PASSWORD = "the server refuses it: is it wrong, or the user's name in the address?"
_STEPS: Mapping[str, Callable[[Shell, StationEngine], Awaitable[QDialog | None]]] = {
    "question": _question,
    "find": _find,
    "nothing": _nothing,
    "machine": _machine,
    "program": _program,
    "fleet": _fleet,
    "demo": _demo,
}
