"""The route about the shop floor as a whole, for boards."""

from collections.abc import Sequence
from typing import Self

from cnc_station.engine.queries import FloorNow
from cnc_station.engine.views import Floor, NeedsYou
from cnc_station.web.api.job_values import JobOut, StatsOut
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.shop import machine_shown
from cnc_station.web.api.shop_values import MachineOut
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
    machines: list[MachineOut]
    needs_you: list[NeedsYouOut]
    next_up: list[JobOut]
    counts: StatsOut

    @classmethod
    def of(cls, floor: Floor, machines: list[MachineOut]) -> Self:
        return cls(
            at=floor.at,
            machines=machines,
            needs_you=[NeedsYouOut.of(one) for one in floor.needs_you],
            next_up=[JobOut.of(row) for row in floor.next_up],
            counts=StatsOut.of(floor.counts),
        )


async def _show(call: Call) -> Reply:
    floor = await call.door.ask(FloorNow())
    machines = [await machine_shown(call.door, card) for card in floor.cards]
    return Reply(FloorOut.of(floor, machines))


ROUTES: Sequence[Route] = (
    Route("GET", "/floor", "Show the shop floor", FloorNow, _show, {200: FloorOut}),
)
