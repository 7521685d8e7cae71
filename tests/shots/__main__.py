"""`./dev shots [FOLDER]`: a picture of every page in every look and size, of the demo day at work;
of its alerts; of the stations, of a fleet's too; of what people are asked at real controllers, of
the first run, and of a real LinuxCNC mill that cuts.

The README's own pictures are among them: `--readme` writes those to resources/screenshots.
"""

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from PySide6.QtWidgets import QWidget

from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.commands import ActOnJobs, ActOnMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import (
    CountJobs,
    ListJobs,
    ListMachines,
    ListOpenAlerts,
    ListPrograms,
)
from cnc_station.engine.views import JobFilter
from cnc_station.loop import application, run
from cnc_station.ui.frame import Frame
from cnc_station.ui.pages.settings import SettingsPage
from cnc_station.ui.shell import Shell
from tests.shots.alerts import add_rules
from tests.shots.backups import fill_folder
from tests.shots.controllers import CONTROLLERS, controller_pictures
from tests.shots.first_run import FIRST_RUN, first_run_pictures
from tests.shots.fleet import fleet_pictures
from tests.shots.mills import FLOOR as MILLS_FLOOR
from tests.shots.mills import MILL, mill_pictures
from tests.shots.schedules import add_schedules
from tests.shots.shot import LOOKS, SIZES, Shot
from tests.shots.webhooks import endpoints
from tests.until import until

DELIVERIES = "deliveries"
BACKUPS = "backups"
PAGES = (
    "floor",
    "jobs",
    "attention",
    "runs",
    "programs",
    "schedules",
    "integrations",
    DELIVERIES,
    "machines",
    "stations",
    "settings",
    "notifications",
    BACKUPS,
    "alert-rule",
    "alerts",
)
FLEET = "fleet"
MILLS = (MILL, MILLS_FLOOR)
EVERYTHING = (*PAGES, FLEET, *MILLS, *CONTROLLERS, FIRST_RUN)
README = Path("resources/screenshots")
README_SHOTS = (
    ("floor", "light"),
    ("floor", "dark"),
    ("jobs", "light"),
    ("attention", "light"),
    ("programs", "light"),
    ("schedules", "light"),
    ("runs", "light"),
    ("integrations", "light"),
    (DELIVERIES, "light"),
    (FLEET, "light"),
    (MILL, "light"),
    (MILLS_FLOOR, "dark"),
)
SPEED = 60.0
COMPLETED_FIRST = 30


def shots(*, readme: bool, only: str | None) -> Iterator[Shot]:
    """All that are wanted; look by look, so that each is put on once a size."""
    if readme:
        for subject, look in README_SHOTS:
            if only in (None, subject):
                yield Shot(subject, look, SIZES[0])
        return
    for look in LOOKS:
        for size in SIZES:
            for subject in EVERYTHING:
                if only in (None, subject):
                    yield Shot(subject, look, size)


async def _take(folder: Path, wanted: list[Shot]) -> None:
    pages = [shot for shot in wanted if shot.subject in PAGES]
    if pages:
        await _day_pictures(folder, pages)
    if fleet := [shot for shot in wanted if shot.subject == FLEET]:
        await fleet_pictures(folder, fleet, PERSON.name)
    if mills := [shot for shot in wanted if shot.subject in MILLS]:
        await mill_pictures(folder, mills, PERSON)
    if controllers := [shot for shot in wanted if shot.subject in CONTROLLERS]:
        await controller_pictures(folder, controllers)
    if first := [shot for shot in wanted if shot.subject == FIRST_RUN]:
        await first_run_pictures(folder, first)


async def _day_pictures(folder: Path, wanted: list[Shot]) -> None:
    app = application()
    with tempfile.TemporaryDirectory(prefix="cnc-shots-") as data:
        config = Config(
            data_folder=Path(data),
            database_url=f"sqlite:///{data}/day.db",
            station="Shop PC 1",
            operator="operator 7",
            simulator_speed=SPEED,
            simulator_seed=7,
            synchronous="NORMAL",
        )
        shell = Shell(Frame())
        engine = StationEngine(config)
        await engine.start()
        try:
            await load_demo(engine.door(DEMO))
            shell.window.show()
            shell.open(
                engine.door(local_principal(config.operator)),
                partial(load_demo, engine.door(DEMO)),
            )
            await until(partial(_lived_in, engine), timeout=180)
            await _something_is_wrong(engine)
            await add_schedules(engine.door(PERSON))
            await _automation(engine)
            await until(partial(_alerts_are_open, engine))
            await add_rules(engine.door(PERSON))
            async with endpoints(engine.door(PERSON)):
                last = None
                for shot in wanted:
                    shot.dress(app, shell, last)
                    dialog = await _show(shell, shot.subject)
                    await shot.take(shell, folder, dialog)
                    if dialog is not None:
                        dialog.close()
                    last = shot
            await shell.close()
        finally:
            await engine.stop()
            shell.window.finish()


async def _lived_in(engine: StationEngine) -> bool:
    """Enough has happened for a picture to show a day."""
    counts = await engine.local_door.ask(CountJobs(JobFilter()))
    return counts.completed_today >= COMPLETED_FIRST


async def _something_is_wrong(engine: StationEngine) -> None:
    """What a bad moment looks like: failed jobs, a held machine, one in maintenance."""
    waiting = await engine.local_door.ask(
        ListJobs(JobFilter(states=frozenset({JobState.QUEUED})), (), 20, 2)
    )
    for row, why in zip(waiting.rows, _TROUBLES, strict=False):
        await engine.door(PERSON).execute(
            ActOnJobs(JobAction.OVERRIDE, [row.id], reason=why, state=JobState.NEEDS_ATTENTION)
        )
    running = (await engine.local_door.ask(ListJobs(_RUNNING, (), 0, 20))).rows
    await engine.door(PERSON).execute(
        ActOnJobs(JobAction.HOLD, [running[0].id], reason="chips in the way")
    )
    idle = [
        m.id for m in await engine.local_door.ask(ListMachines()) if m.spec.machine_type == "drill"
    ]
    await engine.door(PERSON).execute(ActOnMachine(MachineAction.MAINTENANCE_ON, idle[-1]))


async def _alerts_are_open(engine: StationEngine) -> bool:
    """What is wrong has become alerts."""
    return len(await engine.local_door.ask(ListOpenAlerts())) > len(_TROUBLES)


async def _automation(engine: StationEngine) -> None:
    """Jobs without a machine: one that has printed something, one that failed."""
    lines = [f"part {n:02}  bore 22.0{n % 7}  ok" for n in range(40)]
    report = {"report": "bracket", "measured": lines}
    fails = {"durationMs": 0, "shouldFail": True, "failMessage": "the ERP answers 503"}
    specs = [
        JobSpec("Confirm order 4711", handler="test.delay", payload=fails),
        JobSpec("Measuring report", handler="test.echo", payload=report),
    ]
    await engine.door(PERSON).execute(SubmitJobs(specs))


async def _show(shell: Shell, subject: str) -> QWidget | None:
    """Show a subject; return its dialog if it has one."""
    if subject == DELIVERIES:
        shell.to_dead_deliveries()
        return None
    if subject == "alerts":
        shell.to_page("floor")
        shell.alert_panel.open_panel()
        return None
    if subject == "notifications":
        shell.to_notifications()
        return None
    if subject == BACKUPS:
        await fill_folder(shell.context.door)
        shell.to_backups()
        return None
    if subject == "alert-rule":
        return await _rule_form(shell)
    if subject == "settings":
        cast("SettingsPage", shell.window.page("settings")).parts.tabs.choose("general")
    shell.window.show_page(subject)
    if subject == "integrations":
        cast("Any", shell.window.page(subject)).show_endpoints()
    elif subject == "jobs":
        running = (await shell.context.door.ask(ListJobs(_RUNNING, (), 0, 20))).rows
        milled = [row for row in running if row.program and row.machine_type == "mill"]
        longest = max(milled or running, key=lambda row: row.estimated_s * row.quantity)
        shell.to_job(longest.id)
    elif subject == "programs":
        kept = await shell.context.door.ask(ListPrograms("bracket"))
        shell.to_program(kept[0].sha256)
    return None


async def _rule_form(shell: Shell) -> QWidget:
    """The form of the rule that sends to an endpoint."""
    shell.to_notifications()
    rules = cast("SettingsPage", shell.window.page("settings")).notifications.rules
    await until(lambda: len(rules.lines) > 1)
    line = next(one for one in rules.lines.values() if one.row.rule.webhook_id)
    return rules.open_form(line)


PERSON = local_principal("operator 7")
_TROUBLES = ("tool 4 broke, line 31", "first article out of tolerance: bore 22.08")
_RUNNING = JobFilter(states=frozenset({JobState.RUNNING}))


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(prog="dev shots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/shots"))
    parser.add_argument("--readme", action="store_true", help="only the README's own")
    parser.add_argument("--page", choices=EVERYTHING, help="only this page")
    options = parser.parse_args()
    wanted = list(shots(readme=options.readme, only=options.page))
    folder = README if options.readme else options.folder
    folder.mkdir(parents=True, exist_ok=True)
    run(_take(folder, wanted))


if __name__ == "__main__":
    main()
