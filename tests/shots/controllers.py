"""A shop with real controllers for pictures: its pages, and what people are asked at a machine."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog

from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListActiveRuns
from cnc_station.loop import application
from cnc_station.ui.background import Background
from cnc_station.ui.dialogs.closing import ClosingDialog
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.pages.machines import MachinesPage
from cnc_station.ui.shell import Shell
from tests.shots.shot import Shot
from tests.ui.controller_fleet import (
    AWAY,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    LOST,
    PERSON,
    Scripted,
    Shop,
    shop,
    spec,
    work,
)
from tests.until import until

Machines = Mapping[str, int]
Show = Callable[[Shell, Machines], Awaitable[QDialog | None]]


async def controller_pictures(folder: Path, wanted: Sequence[Shot]) -> None:
    """Every subject of `CONTROLLERS` that is wanted."""
    app, controllers = application(), shop()
    with (
        tempfile.TemporaryDirectory(prefix="cnc-shots-") as data,
        pytest.MonkeyPatch.context() as p,
    ):
        controllers.register(p)
        database = f"sqlite:///{data}/day.db"
        config = Config(Path(data), database, station="Shop PC 1", synchronous="NORMAL")
        shell, engine, last = Shell(Frame()), StationEngine(config), None
        await engine.start()
        try:
            machines = await work(engine, controllers)
            machines |= await _out_of_reach(engine, controllers)
            shell.window.show()
            shell.open(engine.door(PERSON), partial(load_demo, engine.door(DEMO)))
            for shot in wanted:
                shot.dress(app, shell, last)
                dialog = await CONTROLLERS[shot.subject](shell, machines)
                await shot.take(shell, folder, dialog)
                if dialog is not None:
                    dialog.reject()
                last = shot
            await shell.close()
        finally:
            controllers.end_all()
            await engine.stop()
            shell.window.finish()


async def _out_of_reach(engine: StationEngine, controllers: Shop) -> Machines:
    """A mill whose position is lost, and one that does not answer."""
    controllers.at["mill-5"] = Scripted(LOST, LINUXCNC_ANSWERS)
    controllers.at["mill-6"] = Scripted(AWAY, LINUXCNC_ANSWERS)
    controllers.at["mill-6"].answers = False
    made = {}
    for name, host in (("Mill 7", "mill-5"), ("Mill 8", "mill-6")):
        made[name] = await engine.door(PERSON).execute(
            AddMachine(spec(name, LINUXCNC, host, "Sherline"))
        )
    return made


async def _floor(shell: Shell, machines: Machines) -> FloorPage:
    shell.to_page("floor")
    page = shell.window.page("floor")
    assert isinstance(page, FloorPage)
    await until(lambda: all(map(page.feed.card, machines.values())))
    await until(lambda: page.at_machine.dialog is None)
    return page


async def _machines(shell: Shell, chosen: int) -> MachinesPage:
    shell.to_page("machines")
    page = shell.window.page("machines")
    assert isinstance(page, MachinesPage)
    page.select(chosen)
    await until(lambda: page.detail.shown is not None and page.detail.shown.id == chosen)
    return page


async def _asked(shell: Shell, machines: Machines, ask: str, name: str) -> QDialog:
    page = await _floor(shell, machines)
    card = page.feed.card(machines[name])
    assert card is not None
    if ask == "position":
        page.at_machine.confirm_position(machines[name])
    elif ask == "clear":
        page.at_machine.clear(machines[name])
    else:
        assert card.job is not None
        (page.at_machine.set_up if ask == "set-up" else page.at_machine.finish)(card.job.id)
    await until(lambda: page.at_machine.dialog)
    dialog = page.at_machine.dialog
    assert dialog is not None
    return dialog


async def _floor_only(shell: Shell, machines: Machines) -> None:
    await _floor(shell, machines)


async def _attention(shell: Shell, machines: Machines) -> None:  # noqa: ARG001 - a `Show`
    shell.to_page("attention")


async def _form(shell: Shell, machines: Machines) -> QDialog:
    form = (await _machines(shell, machines["Mill 1"])).add()
    form.name.setText("Mill 5")
    form.driver.setCurrentText(LINUXCNC.title)
    for name, text in (("host", "mill-4"), ("program_folder", "/srv/programs")):
        form.settings.fields[f"settings.{name}"].editor.setProperty("text", text)
    form.test.start()
    await until(lambda: form.test.report)
    return form


async def _log(shell: Shell, machines: Machines) -> QDialog:
    log = (await _machines(shell, machines["Mill 1"])).open_log()
    assert log is not None
    return log


async def _closing(shell: Shell, machines: Machines) -> QDialog:
    await _floor(shell, machines)
    dialog = ClosingDialog(Background(shell.window, lambda: True).way_back, shell.window)
    names = {number: name for name, number in machines.items()}
    dialog.show_runs(shell.context.door.peek(ListActiveRuns()), names)
    dialog.open()
    return dialog


def _machine(name: str) -> Show:
    async def show(shell: Shell, machines: Machines) -> None:
        await _machines(shell, machines[name])

    return show


def _question(ask: str, name: str) -> Show:
    async def show(shell: Shell, machines: Machines) -> QDialog:
        return await _asked(shell, machines, ask, name)

    return show


CONTROLLERS: Mapping[str, Show] = {
    "controllers": _floor_only,
    "controllers-attention": _attention,
    "controller-running": _machine("Mill 1"),
    "controller-alarm": _machine("Router 1"),
    "controller-not-ready": _machine("Mill 4"),
    "controller-watched": _machine("Lathe 1"),
    "controller-away": _machine("Mill 8"),
    "controller-position": _machine("Mill 7"),
    "position": _question("position", "Mill 7"),
    "set-up": _question("set-up", "Mill 2"),
    "clearing": _question("clear", "Mill 3"),
    "finish": _question("finish", "Lathe 1"),
    "closing": _closing,
    "machine-form": _form,
    "machine-log": _log,
}
