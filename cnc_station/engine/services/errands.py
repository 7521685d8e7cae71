"""Does what other stations ask of this one: what only who has the machine can do."""

from functools import partial

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.services.at_machines import AtMachines
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.errands import AnswerErrand, Errand, open_errands

REST_S = 30.0


class Errands(Service):
    """Woken when something of the fleet has changed."""

    def __init__(self, pen: Pen, reader: Reader, at_machines: AtMachines, station: str) -> None:
        super().__init__()
        self._pen = pen
        self._reader = reader
        self._at_machines = at_machines
        self._station = station

    async def run_once(self) -> float:
        """Each in turn, with its answer."""
        for errand in await self._reader.read(partial(open_errands, station=self._station)):
            await self._pen.write(AnswerErrand(errand.id, await self._do(errand)))
        return REST_S

    async def _do(self, errand: Errand) -> str:
        """What became of it: "" if it was done."""
        asked, machine_id = self._at_machines, errand.machine_id
        if not errand.in_time:
            over = f"Job {errand.job_id} is not at a machine any more."
            return over if machine_id is None else "That alarm is over."
        try:
            if machine_id is not None:
                await asked.unlock(machine_id, errand.actor, errand.reason)
            else:
                await asked.act(errand.action, errand.job_id, errand.actor, errand.reason)
        except CncStationError as error:
            return str(error)
        return ""
