"""Does what other stations ask of this one: holding, continuing and ending its runs."""

from collections.abc import Awaitable, Callable
from functools import partial

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.runner import Runner
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.errands import AnswerErrand, Errand, open_errands

REST_S = 30.0


class Errands(Service):
    """Woken when something of the fleet has changed."""

    def __init__(self, pen: Pen, reader: Reader, runner: Runner, station: str) -> None:
        super().__init__()
        self._pen = pen
        self._reader = reader
        self._station = station
        self._doing: dict[str, Callable[[Errand], Awaitable[None]]] = {
            JobAction.HOLD: lambda e: runner.hold(e.job_id, e.actor, e.reason),
            JobAction.CONTINUE: lambda e: runner.resume(e.job_id, e.actor),
            JobAction.ABORT: lambda e: runner.abort(e.job_id, e.actor, e.reason),
        }

    async def run_once(self) -> float:
        """Each in turn, with its answer."""
        for errand in await self._reader.read(partial(open_errands, station=self._station)):
            await self._pen.write(AnswerErrand(errand.id, await self._do(errand)))
        return REST_S

    async def _do(self, errand: Errand) -> str:
        """What became of it: "" if it was done."""
        if not errand.in_time:
            return f"Job {errand.job_id} is not at a machine any more."
        try:
            await self._doing[errand.action](errand)
        except CncStationError as error:
            return str(error)
        return ""
