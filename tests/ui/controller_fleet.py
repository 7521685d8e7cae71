"""A shop with real controllers, for pictures and tests: each driver's form and abilities are the
real ones, what answers is scripted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time
from typing import Any

import pytest

from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import (
    Capability,
    Envelope,
    MachineSpec,
    Position,
    PositionBasis,
)
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import DriverKind, RunFailed, RunInspection, RunOutcome
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import (
    Abilities,
    Doing,
    DriverInfo,
    Identity,
    JobFilter,
    Message,
    Status,
)
from tests.engine.floor import Controller
from tests.until import until

PERSON = local_principal("operator 7")
STARTS = Abilities()
LINUXCNC, GRBL, MTCONNECT = map(registry.info, ("linuxcnc", "grbl", "mtconnect"))
WATCHES = MTCONNECT.abilities
CUTTING = Status(
    Doing.RUNNING,
    program="bracket_v2_op20.ngc",
    line=1284,
    x=112.482,
    y=-36.015,
    z=-4.250,
    feed_mm_min=1180.0,
    spindle_rpm=8200.0,
    tool=4,
    feed_override=0.9,
    rapid_override=0.5,
    spindle_override=1.1,
)
ALARM = Status(
    Doing.ALARM,
    "ALARM:1 Hard limit has been triggered. Machine position is likely lost.",
    "Free the axis by hand, then unlock and home the machine.",
    x=401.250,
    y=18.775,
    z=-61.300,
    feed_mm_min=0.0,
    spindle_rpm=0.0,
)
WATCHED = Status(
    Doing.RUNNING,
    program="O2211",
    line=214,
    x=31.180,
    z=-46.072,
    feed_mm_min=210.0,
    spindle_rpm=1850.0,
    feed_override=1.0,
    parts=37,
)
NOT_HOMED = Status(
    Doing.NOT_READY, "not homed", "Home it at its panel, then come back.", x=0.0, y=0.0, z=0.0
)
_WHY_LOST = "the controller was switched off and on"
LOST = Status(
    Doing.NOT_READY,
    _WHY_LOST,
    "Check its work zero, then confirm it.",
    x=12.5,
    y=-3.25,
    z=40.0,
    position=Position(PositionBasis.LOST, _WHY_LOST),
)
AWAY = Status(
    Doing.UNREACHABLE,
    "192.168.1.21 port 5007 does not answer (it refuses the connection)",
    "Is it switched on, and does its program run?",
)
IDLE = Status(
    Doing.READY,
    x=0.0,
    y=0.0,
    z=25.0,
    feed_mm_min=0.0,
    spindle_rpm=0.0,
    tool=1,
    feed_override=1.0,
    rapid_override=1.0,
    spindle_override=1.0,
)


class Scripted(Controller):
    """A controller that says what it is told to say, in full."""

    def __init__(
        self,
        says: Status,
        identity: Identity,
        traffic: Sequence[Message] = (),
        abilities: Abilities = STARTS,
    ) -> None:
        super().__init__()
        self.abilities = abilities
        if not abilities.starts:
            self.hangs.add("start")  # until somebody presses its button
        self._status = says
        self._who = identity
        self.wire = list(traffic)
        self.answers = True

    def says(self, status: Status) -> None:
        """Its next status."""
        self._status = status
        for listener in tuple(self._listeners):
            listener(status)

    async def connect(self) -> Identity:
        """Who it is."""
        self._note("connect")
        if not self.answers:
            raise Unavailable(
                AWAY.why, raw="ConnectionRefusedError: [Errno 111] Connect call failed"
            )
        return self._who

    def does(self, doing: Doing, why: str = "") -> None:
        """As told, what else it says unchanged."""
        self.says(replace(self._status, doing=doing, why=why))

    def traffic(self) -> Sequence[Message]:
        """The last messages."""
        return tuple(self.wire)


@dataclass(slots=True)
class Shop:
    """The controllers by the address in a machine's settings."""

    at: dict[str, Scripted] = field(default_factory=dict)

    def answer(self, settings: Mapping[str, object]) -> Scripted:
        """The controller at an address; one that is idle where nothing was said of it."""
        where = str(settings.get("host") or settings.get("port") or settings.get("url"))
        return self.at.setdefault(where, Scripted(IDLE, LINUXCNC_ANSWERS))

    def end_all(self) -> None:
        """Their programs come to an end, so that the station can let go of them."""
        for controller in self.at.values():
            if controller.cutting:
                controller.end()

    def register(self, patch: pytest.MonkeyPatch) -> None:
        """Puts the scripted controllers behind the drivers' names."""
        for info in (LINUXCNC, GRBL, MTCONNECT):
            patch.setitem(registry.OWN, info.name, DriverKind(info, self.answer))


LINUXCNC_ANSWERS = Identity(
    "LinuxCNC 2.9.4",
    (
        ("Machine", "SHERLINE-MILL"),
        ("Axes", "X Y Z"),
        ("Protocol", "EMC RSH 1.1"),
        ("Program folder", "/srv/programs, 212 files, can be written"),
    ),
)


def chatter() -> list[Message]:
    """Two minutes on the wire of a LinuxCNC machine."""
    now = int(time() * 1000)
    said = (
        (True, "set mode auto"),
        (False, "SET MODE ACK"),
        (True, "set open bracket_v2_op20.ngc"),
        (False, "SET OPEN ACK"),
        (True, "set run"),
        (False, "SET RUN ACK"),
        (True, "get program_line"),
        (False, "PROGRAM_LINE 1284"),
        (True, "get abs_act_pos"),
        (False, "ABS_ACT_POS 112.482000 -36.015000 -4.250000 0.000000 0.000000 0.000000"),
        (True, "get feed_override"),
        (False, "FEED_OVERRIDE 90"),
        (False, "ERROR Linear move on line 1290 would exceed Z's negative limit"),
    )
    return [Message(now - 117_000 + n * 731, sent, text) for n, (sent, text) in enumerate(said * 9)]


def spec(name: str, driver: DriverInfo, address: str, model: str, **values: Any) -> MachineSpec:
    """A machine of the shop."""
    kind = "lathe" if driver is MTCONNECT else "router" if driver is GRBL else "mill"
    key = {"linuxcnc": "host", "grbl": "port", "mtconnect": "url"}[driver.name]
    settings = (
        {key: address, "program_folder": "/srv/programs"} if key == "host" else {key: address}
    )
    capability = Capability(kind, envelope=Envelope(762, 406, 508))
    made = MachineSpec(name, kind, model, driver.name, capability, settings=settings)
    return replace(made, **values)


def shop() -> Shop:
    """Six controllers in the states that a floor knows."""
    return Shop(
        {
            "mill-1": Scripted(IDLE, LINUXCNC_ANSWERS, chatter()),
            "mill-2": Scripted(IDLE, LINUXCNC_ANSWERS),
            "mill-3": Scripted(IDLE, LINUXCNC_ANSWERS),
            "mill-4": Scripted(NOT_HOMED, LINUXCNC_ANSWERS),
            "/dev/ttyUSB0": Scripted(IDLE, Identity("grblHAL 1.1f")),
            "http://lathe-1:5000": Scripted(
                IDLE, Identity("MTConnect agent 2.2"), abilities=WATCHES
            ),
        }
    )


PROGRAM = """(BRACKET V2 - OP20)
(T1 D=50 FACE MILL)
(T4 D=8 FLAT END MILL)
(T7 D=5 DRILL)
G21 G90 G54
T1 M6
S4500 M3
G0 X-30 Y0 Z5
G1 Z-0.5 F900
G1 X130
T4 M6
S8200 M3
G0 X0 Y0 Z5
G1 Z-4.25 F300
G1 X112 Y-36 F1180
T7 M6
S2400 M3
G0 X20 Y20 Z5
G1 Z-12 F180
G0 Z25
M30
"""


async def work(engine: StationEngine, controllers: Shop) -> dict[str, int]:
    """Brings the shop into its states; gives the machines by name."""
    program = await engine.door(PERSON).execute(AddProgram("bracket_v2_op20.ngc", PROGRAM.encode()))
    machines: dict[str, int] = {}

    async def machine(made: MachineSpec) -> int:
        machines[made.name] = await engine.door(PERSON).execute(AddMachine(made))
        return machines[made.name]

    async def job(name: str, kind: str, machine_id: int, **values: Any) -> int:
        made = JobSpec(name, kind, operation="op20", material="aluminium", estimated_s=1800.0)
        made = replace(made, **values)
        (job_id,) = await engine.door(PERSON).execute(
            SubmitJobs([replace(made, pinned_machine_id=machine_id)])
        )
        return job_id

    async def comes_to(job_id: int, state: JobState) -> None:
        async def there() -> bool:
            chosen = JobFilter(ids=frozenset({job_id}), states=frozenset({state}))
            return bool((await engine.local_door.ask(ListJobs(chosen, (), 0, 1))).rows)

        await until(there)

    first = await machine(spec("Mill 1", LINUXCNC, "mill-1", "VF-2 retrofit"))
    cut = await job("Bracket v2", "mill", first, program=program.sha256, quantity=12)
    await comes_to(cut, JobState.RUNNING)
    controllers.at["mill-1"].says(CUTTING)
    second = await machine(spec("Mill 2", LINUXCNC, "mill-2", "Sherline", operator_starts=True))
    waits = await job("Motor mount", "mill", second, program=program.sha256, quantity=4)
    await comes_to(waits, JobState.ASSIGNED)
    third = await machine(spec("Mill 3", LINUXCNC, "mill-3", "Emco F1", operator_clears=True))
    done = await job("Spacer", "mill", third, quantity=1)
    await until(lambda: controllers.at["mill-3"].cutting)
    controllers.at["mill-3"].end()
    await comes_to(done, JobState.COMPLETED)
    await engine.door(PERSON).execute(ActOnMachine(MachineAction.CLEAR, third, good=1, scrap=0))
    broken = await job("Jig base", "mill", third, quantity=1)
    await until(lambda: controllers.at["mill-3"].cutting)
    controllers.at["mill-3"].found = RunInspection(
        RunOutcome.STOPPED, "the controller was reset at line 812 of 1,640; it is homed and idle"
    )
    controllers.at["mill-3"].end(Unavailable("The connection was lost."))
    await comes_to(broken, JobState.INTERRUPTED)
    await machine(spec("Mill 4", LINUXCNC, "mill-4", "Deckel FP2"))
    await job("Hinge plate", "mill", machines["Mill 4"])
    router = await machine(spec("Router 1", GRBL, "/dev/ttyUSB0", "Shapeoko"))
    broke = await job("Front panel", "router", router, retry_limit=0)
    await until(lambda: controllers.at["/dev/ttyUSB0"].cutting)
    controllers.at["/dev/ttyUSB0"].says(ALARM)
    controllers.at["/dev/ttyUSB0"].end(RunFailed(ALARM.why, alarm=True))
    controllers.at["/dev/ttyUSB0"].says(ALARM)
    await comes_to(broke, JobState.NEEDS_ATTENTION)
    lathe = await machine(spec("Lathe 1", MTCONNECT, "http://lathe-1:5000", "ST-10"))
    turned = await job("Shaft Ø22", "lathe", lathe, quantity=40)
    await comes_to(turned, JobState.ASSIGNED)

    async def started() -> bool:
        (answer,) = await engine.door(PERSON).execute(ActOnJobs(JobAction.START, [turned]))
        return answer.applied

    await until(started)
    await comes_to(turned, JobState.RUNNING)
    controllers.at["http://lathe-1:5000"].says(WATCHED)
    return machines
