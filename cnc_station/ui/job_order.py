"""Move waiting jobs within their queue: one place, to the front, to the end."""

from collections.abc import Sequence
from enum import Enum

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.states import WAITING_JOBS
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter, JobRow, Sort, SortKey
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.page_context import PageContext

BY_QUEUE = (Sort(SortKey.QUEUE),)
BY_STATE_AND_QUEUE = (Sort(SortKey.STATE), Sort(SortKey.QUEUE))


class Way(Enum):
    """Where to move."""

    UP = "up"
    DOWN = "down"
    FRONT = "front"
    END = "end"


class QueueMoves:
    """A job's queue is that of its machine type: rows of other types are skipped."""

    def __init__(self, context: PageContext, model: JobTableModel) -> None:
        self._context = context
        self._model = model

    @staticmethod
    def shows_queue(order: Sequence[Sort]) -> bool:
        """Whether rows are in queue order, so that `up` and `down` have a meaning."""
        return tuple(order) in (BY_QUEUE, BY_STATE_AND_QUEUE)

    @staticmethod
    def movable(rows: Sequence[JobRow]) -> bool:
        """Whether these jobs wait, all in one queue."""
        waiting = all(row.state in WAITING_JOBS for row in rows)
        return bool(rows) and waiting and len({row.machine_type for row in rows}) == 1

    def move(self, rows: Sequence[JobRow], way: Way) -> None:
        """Move jobs, keeping their order; the toast offers Undo."""
        ids = [row.id for row in rows]
        if way is Way.END:
            self._context.operations.act(JobAction.REORDER, ids, before=None)
        elif way is Way.FRONT:
            self._context.operations.run(self._to_front(ids, rows[0].machine_type))
        else:
            found = self._before(set(ids), rows[0].machine_type, way)
            if found is not None:
                self._context.operations.act(JobAction.REORDER, ids, before=found or None)

    def _before(self, ids: set[int], machine_type: str, way: Way) -> int | None:
        """The job to stand in front of, 0 for the end of the queue; None if it is already there or
        the next job is unknown."""
        queue = [row.id for _, row in self._queue(machine_type)]
        places = [at for at, job_id in enumerate(queue) if job_id in ids]
        if not places:
            return None
        if way is Way.UP:
            ahead = [job_id for job_id in queue[: places[0]] if job_id not in ids]
            return ahead[-1] if ahead else None
        behind = [job_id for job_id in queue[places[-1] + 1 :] if job_id not in ids]
        if len(behind) > 1:
            return behind[1]
        all_known = self._model.known.stop == self._model.total
        return 0 if behind and all_known else None

    def _queue(self, machine_type: str) -> list[tuple[int, JobRow]]:
        return [
            (at, row)
            for at, row in self._model.placed()
            if row.machine_type == machine_type and row.state in WAITING_JOBS
        ]

    def drop(self, row: JobRow, place: int) -> None:
        """Move a job in front of the first of its queue at `place` or below."""
        queue = self._queue(row.machine_type)
        behind = [other.id for at, other in queue if at >= place and other.id != row.id]
        if behind or self._model.known.stop == self._model.total:
            before = behind[0] if behind else None
            self._context.operations.act(JobAction.REORDER, [row.id], before=before)

    async def _to_front(self, ids: Sequence[int], machine_type: str) -> None:
        queue = JobFilter(states=WAITING_JOBS, machine_types=frozenset({machine_type}))
        page = await self._context.door.ask(ListJobs(queue, BY_QUEUE, 0, len(ids) + 1))
        first = next((row.id for row in page.rows if row.id not in ids), None)
        if first is not None:
            self._context.operations.act(JobAction.REORDER, ids, before=first)
