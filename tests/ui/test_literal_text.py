"""Nothing from outside is taken for markup: every page and dialog of a shop whose names, messages
and cells begin like HTML and name a pipe as a picture."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import (
    QMenu,
    QToolTip,
)

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, Position, PositionBasis
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.drivers.base import RunFailed
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobById, JobsById, ListMachines, ListRuns
from cnc_station.engine.views import (
    Doing,
    Identity,
    JobDetail,
    MachineRow,
    Message,
    ProgramFinding,
    Status,
)
from cnc_station.engine.views.attachments import AttachmentRow, SetUpSheet
from cnc_station.ui.dialogs.clearing import ClearingDialog
from cnc_station.ui.dialogs.confirm_position import ConfirmPositionDialog
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.finish import FinishDialog
from cnc_station.ui.dialogs.import_table import ImportDialog
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.dialogs.machine_log import MachineLogDialog
from cnc_station.ui.dialogs.set_up import SetUpDialog
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.programs import ProgramsPage
from cnc_station.ui.set_up.content import SetUpContent
from cnc_station.ui.shell import Shell
from tests.ui.controller_fleet import GRBL, LINUXCNC, Scripted, Shop, spec
from tests.ui.outside_text import MARKUP, Walk, WatchedPipe, tip_labels
from tests.ui.real_engine import mill, settled
from tests.until import until

CUTS, WAITS, ALARM, LOST, SLOW = (f"{MARKUP} {n}" for n in range(1, 6))
SAYS = Status(Doing.READY, MARKUP, MARKUP, program=f"{MARKUP}.nc", details=MARKUP)
WHO = Identity(MARKUP, ((MARKUP, MARKUP),))
PROGRAM = f"({MARKUP})\nG21 G90\nS900 M3\nG0 Z5\nG1 Z-1 F100\nG1 X40 Q7\nM30\n"
GOOD_TABLE = f"{MARKUP},Machine,Qty,Name\n{MARKUP},mill,1,{MARKUP}\n"
BAD_TABLE = f"{GOOD_TABLE}{MARKUP},{MARKUP},{MARKUP},{MARKUP}\n"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, station=MARKUP)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop({address: Scripted(SAYS, WHO) for address in ("cuts", "waits", "alarm", "lost")})
    now = 1_790_000_000_000
    shop.at["cuts"].wire = [Message(now, sent=False, text=MARKUP)]
    shop.register(monkeypatch)
    return shop


@pytest_asyncio.fixture
async def shell(
    config: Config,
    shop: Shop,
    pipe: WatchedPipe,  # noqa: ARG001 - it is watched until the window is gone
    dressed: None,  # noqa: ARG001 - before the window is made
) -> AsyncIterator[Shell]:
    shell, engine = Shell(Frame()), StationEngine(config)
    await engine.start()
    shell.window.show()
    shell.open(engine.door(local_principal(MARKUP)), asyncio.Event().wait)
    yield shell
    QToolTip.hideText()
    await until(lambda: not tip_labels())
    shop.end_all()
    await shell.close()
    await engine.stop()
    shell.window.finish()
    shell.window.deleteLater()


def job(name: str, machine_id: int, sha256: str) -> JobSpec:
    return JobSpec(
        name,
        MARKUP,
        material=MARKUP,
        tenant=MARKUP,
        work_order=MARKUP,
        operation=MARKUP,
        source=MARKUP,
        payload={MARKUP: MARKUP, "notes": MARKUP},
        program=sha256,
        retry_limit=0,
        estimated_s=600,
        pinned_machine_id=machine_id,
    )


async def comes_to(door: Door, job_id: int, state: JobState) -> None:
    async def there() -> bool:
        return [row.state for row in await door.ask(JobsById([job_id]))] == [state]

    await until(there)


async def machines(door: Door) -> dict[str, MachineRow]:
    return {row.spec.name: row for row in await door.ask(ListMachines())}


async def work(door: Door, shop: Shop) -> dict[str, int]:
    """A run that cuts, a set-up that waits, an alarm and a lost position; the jobs by machine."""
    kept = await door.execute(AddProgram(f"{MARKUP}.nc", PROGRAM.encode()))
    jobs: dict[str, int] = {}
    for name, address, driver in (
        (CUTS, "cuts", LINUXCNC),
        (WAITS, "waits", LINUXCNC),
        (ALARM, "alarm", GRBL),
        (LOST, "lost", LINUXCNC),
    ):
        made = spec(name, driver, address, MARKUP, operator_starts=name == WAITS)
        made = replace(made, machine_type=MARKUP, capability=Capability(MARKUP))
        machine = await door.execute(AddMachine(made))
        if name != LOST:
            submit = SubmitJobs([job(name, machine, kept.sha256)])
            (jobs[name],) = await door.execute(submit)
    await comes_to(door, jobs[CUTS], JobState.RUNNING)
    await comes_to(door, jobs[WAITS], JobState.ASSIGNED)
    await until(lambda: shop.at["alarm"].cutting)
    shop.at["alarm"].end(RunFailed(MARKUP, alarm=True))
    shop.at["alarm"].says(replace(SAYS, doing=Doing.ALARM))
    await comes_to(door, jobs[ALARM], JobState.NEEDS_ATTENTION)
    shop.at["cuts"].says(replace(SAYS, doing=Doing.RUNNING, line=5))
    lost = Position(PositionBasis.LOST, MARKUP)
    shop.at["lost"].says(replace(SAYS, doing=Doing.NOT_READY, position=lost))
    slow = await door.execute(AddMachine(mill(SLOW)))
    await door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, slow, MARKUP))
    (jobs[SLOW],) = await door.execute(SubmitJobs([JobSpec(SLOW, "mill")]))
    await door.execute(ActOnJobs(JobAction.HOLD, [jobs[SLOW]], MARKUP))
    return jobs


async def detail(door: Door, job_id: int) -> JobDetail:
    found = await door.ask(JobById(job_id))
    assert found is not None
    return found


async def quiet(shell: Shell) -> None:
    await until(lambda: settled(shell.window))


async def walk_pages(shell: Shell, jobs: dict[str, int], walk: Walk) -> None:
    door = shell.context.door
    found = await machines(door)
    program = (await detail(door, jobs[CUTS])).row.program
    assert program is not None
    ways: list[Callable[[], None]] = [
        *(partial(shell.to_page, key) for key in ("floor", "stations", "settings")),
        *(partial(shell.to_job, jobs[name]) for name in (CUTS, WAITS, SLOW)),
        *(partial(shell.to_machine, machine.id) for machine in found.values()),
        partial(shell.to_attention, jobs[ALARM]),
        partial(shell.to_program, program),
    ]
    for go in ways:
        go()
        await quiet(shell)
        walk.over(shell.window)
        for menu in shell.window.findChildren(QMenu):
            walk.menu(menu)
    programs = shell.window.page("programs")
    assert isinstance(programs, ProgramsPage)
    assert programs.detail.shown is not None
    remarks = (ProgramFinding(1, "warning", MARKUP), ProgramFinding(0, "error", MARKUP))
    shell.to_page("programs")
    shown = programs.detail.shown
    another = replace(shown.row, sha256="0" * 64)
    programs.detail.show_program(replace(shown, row=another, findings=remarks))
    walk.over(shell.window)


async def test_no_page_takes_outside_text_for_markup(
    shell: Shell, shop: Shop, pipe: WatchedPipe
) -> None:
    jobs = await work(shell.context.door, shop)
    shell.operations.say(MARKUP)
    shell.window.toasts.fail(MARKUP, MARKUP)
    walk = Walk()
    await walk_pages(shell, jobs, walk)
    assert walk.wrong == set()
    kinds = ("label", "tip", "button", "action", "cell", "cell tip", "shown tip")
    assert [kind for kind in kinds if not walk.seen[kind]] == []
    assert pipe.readers == 0


async def dialogs(shell: Shell, jobs: dict[str, int]) -> AsyncIterator[Dialog]:
    context, window, door = shell.context, shell.window, shell.context.door
    found = await machines(door)
    cut, waits = await detail(door, jobs[CUTS]), await detail(door, jobs[WAITS])
    (run, *_) = await door.ask(ListRuns(job_id=jobs[ALARM]))
    failed = (await detail(door, jobs[ALARM])).row
    status = replace(SAYS, doing=Doing.RUNNING)
    sheet = SetUpSheet(MARKUP, 1, MARKUP, {1: MARKUP}, {MARKUP: MARKUP})
    kind = AttachmentKind.PDF
    of_program = AttachmentRow(1, None, MARKUP, 1, "", MARKUP, kind, 1, None, None, 0, MARKUP)
    set_up = SetUpContent(waits, None, sheet, (of_program,))
    yield SetUpDialog(context, set_up, found[WAITS], window, watched=False)
    yield FinishDialog(context, cut.row, found[CUTS], status, window)
    yield ClearingDialog(context, found[ALARM], failed, run, window)
    yield ConfirmPositionDialog(context, found[LOST], window)
    yield MachineLogDialog(context, found[CUTS], MARKUP, window)
    yield JobForm.copy(context, window, cut)
    form = MachineForm(context, window, found[CUTS])
    form.test.start()
    yield form
    for content in (GOOD_TABLE, BAD_TABLE):
        table = ImportDialog(context, window, Path(f"{MARKUP}.csv"), content.encode())
        table.open()
        await until(partial(getattr, table, "preview"))
        yield table


async def test_no_dialog_takes_outside_text_for_markup(
    shell: Shell, shop: Shop, pipe: WatchedPipe
) -> None:
    jobs = await work(shell.context.door, shop)
    walk = Walk()
    async for dialog in dialogs(shell, jobs):
        dialog.show()
        await until(partial(settled, dialog))
        walk.over(dialog)
        dialog.reject()
    assert walk.wrong == set()
    kinds = ("title", "label", "cell", "cell tip", "shown tip")
    assert [kind for kind in kinds if not walk.seen[kind]] == []
    assert pipe.readers == 0
