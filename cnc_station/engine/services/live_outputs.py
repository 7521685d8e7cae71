"""Store what running handlers print, for the windows of other stations.

Only what has changed is stored, only its end, and only of a run that goes on for some seconds. So
it costs at most one transaction in `INTERVAL_S`, and nothing while nothing is printed. To ask the
station that runs it would cost two transactions for each look, and reach it only after a wake-up.
"""

from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.live_output import LiveOutput, StoreLiveOutputs

INTERVAL_S = 2.0
MOST_BYTES = 8 * 1024


class LiveOutputs(Service):
    """The end of a run stores its whole output; a run whose station dies keeps the last one."""

    def __init__(self, writer: RetryingWriter, active_runs: ActiveRuns) -> None:
        super().__init__()
        self._writer = writer
        self._active_runs = active_runs
        self._stored: dict[int, int] = {}  # by run: how much had been printed when it was stored

    async def run_once(self) -> float:
        """A run that was not there at the last look may be over at once: it is only noted."""
        printed = self._active_runs.printed()
        changed = [
            LiveOutput(run_id, token, output.size, output.end(MOST_BYTES))
            for (run_id, token), output in printed.items()
            if self._stored.get(run_id, output.size) != output.size
        ]
        if changed:
            await self._writer.write(StoreLiveOutputs(changed))
        stored = {one.run_id: one.size for one in changed}
        self._stored = {
            run_id: stored.get(run_id, self._stored.get(run_id, 0)) for run_id, _ in printed
        }
        return INTERVAL_S
