"""Two real LinuxCNC mills for pictures: one cuts, one waits for its set-up to be confirmed."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from cnc_station.config import Config
from cnc_station.demo import DEMO, load_demo
from cnc_station.engine.commands import AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, Envelope, MachineSpec
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ControllerStatus
from cnc_station.loop import application
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.linuxcnc import LinuxCnc
from tests.shots.shot import Shot
from tests.until import until

MILL, FLOOR = "mill", "mills"  # the page of the machine that cuts, and the floor with both
TRAVEL = Envelope(254.0, 254.0, 152.0)
LINE = 12  # the picture is taken when it has come so far


def pocket() -> bytes:
    """A round pocket in widening circles, three passes deep: some minutes."""
    lines = ["(ROUND POCKET 60 MM, 3 PASSES)", "G21 G90 G17 G94 G54", "G0 Z10", "S3000 M3"]
    for depth in (-1, -2, -3):
        lines += ["G0 X60 Y60", "G0 Z2", f"G1 Z{depth} F120"]
        for radius in range(4, 31, 4):
            lines += [f"G1 X{60 + radius} F600", f"G3 X{60 + radius} Y60 I-{radius} J0"]
        lines.append("G0 Z10")
    return "\n".join([*lines, "M5", "M30", ""]).encode()


async def mill_pictures(folder: Path, wanted: Sequence[Shot], operator: Principal) -> None:
    """Starts controllers of its own."""
    with tempfile.TemporaryDirectory(prefix="cnc-shots-") as data, ExitStack() as stack:
        mills = [stack.enter_context(LinuxCnc(f"MILL{number}")) for number in (1, 2)]
        for mill in mills:
            with mill.panel as panel:
                panel.make_ready()
        config = Config(Path(data), f"sqlite:///{data}/mills.db", station="Shop PC 1")
        engine = StationEngine(config)
        await engine.start()
        try:
            machine_id = await _at_work(engine, mills, operator)
            await _pictures(engine, folder, wanted, operator, machine_id)
        finally:
            await engine.stop()


async def _at_work(engine: StationEngine, mills: Sequence[LinuxCnc], operator: Principal) -> int:
    """One cuts; for the other a job waits. Gives the first one's number."""
    program = await engine.door(operator).execute(AddProgram("round pocket 60.ngc", pocket()))
    job = JobSpec(
        "Bearing plate", "mill", material="aluminium", program=program.sha256, operation="op10"
    )
    ids = []
    for number, mill in enumerate(mills, 1):
        spec = MachineSpec(
            f"Mill {number}",
            "mill",
            model="LinuxCNC 2.9, three axes",
            driver="linuxcnc",
            capability=Capability("mill", envelope=TRAVEL),
            operator_clears=True,
            operator_starts=number == 2,
            settings={"port": mill.port, "program_folder": str(mill.programs)},
        )
        ids.append(await engine.door(operator).execute(AddMachine(spec)))
        await engine.door(operator).execute(
            SubmitJobs([replace(job, work_order=f"WO-241{number}")])
        )
    await until(lambda: _line(engine, ids[0]) >= LINE, timeout=60)
    return ids[0]


def _line(engine: StationEngine, machine_id: int) -> int:
    status = engine.local_door.peek(ControllerStatus(machine_id))
    return (status.line or 0) if status is not None else 0


async def _pictures(
    engine: StationEngine,
    folder: Path,
    wanted: Sequence[Shot],
    operator: Principal,
    machine_id: int,
) -> None:
    app, shell, last = application(), Shell(Frame()), None
    shell.window.show()
    shell.open(engine.door(operator), partial(load_demo, engine.door(DEMO)))
    try:
        for shot in wanted:
            shot.dress(app, shell, last)
            if shot.subject == MILL:
                shell.to_machine(machine_id)
            else:
                shell.to_page("floor")
            await shot.take(shell, folder)
            last = shot
        await shell.close()
    finally:
        shell.window.finish()
