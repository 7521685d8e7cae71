"""The route about the shop floor as a whole, for boards."""

from collections.abc import Sequence
from typing import Self

from cnc_station.engine.door import Asks
from cnc_station.engine.queries import FloorNow, LatestTelemetry
from cnc_station.engine.views import Floor, MachineCard, NeedsYou
from cnc_station.web.api.job_values import JobOut, StatsOut
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.shop_values import MachineDetailOut, MachineOut, TelemetryOut
from cnc_station.web.api.values import TimeOut, Told


class NeedsYouOut(Told):
    """One thing that waits for a person. `at_panel`: it can only be done at the machine itself."""

    remedy: str
    title: str
    text: str
    since: TimeOut
    job_id: int | None
    machine_id: int | None
    at_panel: bool

    @classmethod
    def of(cls, one: NeedsYou) -> Self:
        return cls.model_validate(one)


class FloorOut(Told):
    """Machines, what needs a person, and the next jobs, all of one moment."""

    at: TimeOut
    machines: list[MachineDetailOut]
    needs_you: list[NeedsYouOut]
    next_up: list[JobOut]
    counts: StatsOut

    @classmethod
    def of(cls, floor: Floor, machines: list[MachineDetailOut]) -> Self:
        return cls(
            at=floor.at,
            machines=machines,
            needs_you=[NeedsYouOut.of(one) for one in floor.needs_you],
            next_up=[JobOut.of(row) for row in floor.next_up],
            counts=StatsOut.of(floor.counts),
        )


async def _machine(card: MachineCard, door: Asks) -> MachineDetailOut:
    row = MachineOut.of(card)
    found = await door.ask(LatestTelemetry(row.id)) if row.job else None
    values = {name: getattr(row, name) for name in MachineOut.model_fields}
    telemetry = None if found is None else TelemetryOut.of(found)
    return MachineDetailOut.model_construct(**values, telemetry=telemetry)


async def _show(call: Call) -> Reply:
    floor = await call.door.ask(FloorNow())
    return Reply(FloorOut.of(floor, [await _machine(card, call.door) for card in floor.cards]))


ROUTES: Sequence[Route] = (
    Route("GET", "/floor", "Show the shop floor", FloorNow, _show, {200: FloorOut}),
)
