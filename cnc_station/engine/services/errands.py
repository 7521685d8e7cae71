"""Does what other stations ask of this one: what only who has the machine can do."""

import asyncio
import logging
from functools import partial

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.services.at_machines import AtMachines
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.errands import AnswerErrand, Errand, open_errands

log = logging.getLogger(__name__)

REST_S = 30.0
TOO_LATE = "That was asked too long ago to set the machine going now."


class Errands(Service):
    """Woken when something of the fleet has changed. Each errand takes its own time: a machine that
    is slow to stop keeps nobody from holding another."""

    def __init__(self, pen: Pen, reader: Reader, at_machines: AtMachines, station: str) -> None:
        super().__init__()
        self._pen = pen
        self._reader = reader
        self._at_machines = at_machines
        self._station = station
        self._doing: dict[int, asyncio.Task[None]] = {}

    async def run_once(self) -> float:
        """Begin with what is new, in the order in which it was asked. Who has just been answered
        may still be found: nothing is forgotten before it is found no more."""
        found = await self._reader.read_now(partial(open_errands, station=self._station))
        for errand in found:
            if errand.id not in self._doing:
                self._doing[errand.id] = asyncio.create_task(self._see_to(errand))
        still_open = {errand.id for errand in found}
        for over in [one for one, task in self._doing.items() if task.done()]:
            if over not in still_open:
                del self._doing[over]
        return REST_S

    async def stop(self) -> None:
        """Leave what is not answered yet."""
        await super().stop()
        for task in self._doing.values():
            task.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        self._doing = {}

    async def _see_to(self, errand: Errand) -> None:
        try:
            answer = await self._do(errand)
        except Exception:
            log.exception("errand %s: %s", errand.id, errand.action)
            answer = "Internal error: see the log of its station."
        await self._pen.keep(AnswerErrand(errand.id, answer))

    async def _do(self, errand: Errand) -> str:
        """What became of it: "" if it was done."""
        asked, machine_id = self._at_machines, errand.machine_id
        if not errand.in_time:
            over = f"Job {errand.job_id} is not at a machine any more."
            return over if machine_id is None else "That alarm is over."
        if errand.late:
            return TOO_LATE
        try:
            if machine_id is not None:
                await asked.act_on_machine(errand.action, machine_id, errand.actor, errand.reason)
            else:
                await asked.comes(errand.job_id)
                await asked.act(errand.action, errand.job_id, errand.actor, errand.reason)
        except CncStationError as error:
            return str(error)
        return ""
