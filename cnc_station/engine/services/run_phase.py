"""The phases of an active run, the messages for it, and the effect of each in each phase.

|              | preparing | starting | running | held     | withdrawn | stopping | lost    |
|--------------|-----------|----------|---------|----------|-----------|----------|---------|
| hold, resume | no        | waits    | served  | served   | no        | served   | no      |
| abort        | WITHDRAWN | WITHDR.¹ | STOPPING | STOPPING | joins    | joins    | no      |
| defer        | WITHDRAWN | no       | no      | no       | joins     | no       | no      |
| confirm      | reply     | reply    | reply   | reply    | no        | reply    | no      |
| finish       | reply     | reply    | reply   | reply    | no        | reply    | no      |
| status news  | -         | -        | HELD    | RUNNING  | -         | -        | -       |
| close        | WITHDRAWN | WITHDR.¹ | STOPPING² | STOPPING² | -      | -        | aborts² |
| lease lost   | LOST      | LOST     | LOST    | LOST     | LOST      | LOST     | -       |
| lease back   | -         | -        | -       | -        | -         | -        | RUNNING |
| machine ends | ENDED     | ENDED    | ENDED   | ENDED    | ENDED     | ENDED    | ENDED   |

In capitals: the phase that follows. "no": refused, with the reason. "-": changes nothing.

¹ STOPPING at a machine that is only watched: it may be cutting already.
² Left alone where the controller goes on without its station.

A reply counts only while the run waits for it, otherwise it is refused. `served` messages are
carried out one after the other, because each asks the controller and writes the result. An abort
that the controller does not confirm returns the run from `stopping` to its former phase.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Phase(StrEnum):  # its members hash at C speed: each run needs that a dozen times
    """How far an active run is."""

    PREPARING = auto()  # no start is written, and nothing was started
    STARTING = auto()  # its start is written or being written; its machine is not started yet
    RUNNING = auto()
    HELD = auto()
    WITHDRAWN = auto()  # to end before it was started
    STOPPING = auto()  # to end when its controller confirms the abort
    LOST = auto()  # its lease has ended: nothing is started or written
    ENDED = auto()


NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.PREPARING: frozenset({Phase.STARTING, Phase.WITHDRAWN, Phase.LOST, Phase.ENDED}),
    Phase.STARTING: frozenset(
        {Phase.RUNNING, Phase.WITHDRAWN, Phase.STOPPING, Phase.LOST, Phase.ENDED}
    ),
    Phase.RUNNING: frozenset({Phase.HELD, Phase.STOPPING, Phase.LOST, Phase.ENDED}),
    Phase.HELD: frozenset({Phase.RUNNING, Phase.STOPPING, Phase.LOST, Phase.ENDED}),
    Phase.WITHDRAWN: frozenset({Phase.LOST, Phase.ENDED}),
    Phase.STOPPING: frozenset({Phase.RUNNING, Phase.HELD, Phase.LOST, Phase.ENDED}),
    Phase.LOST: frozenset({Phase.RUNNING, Phase.ENDED}),
    Phase.ENDED: frozenset(),
}

NOT_BEGUN = frozenset({Phase.PREPARING, Phase.WITHDRAWN})
AT_MACHINE = frozenset({Phase.RUNNING, Phase.HELD, Phase.STOPPING})  # it can be held
TO_END = frozenset({Phase.WITHDRAWN, Phase.STOPPING, Phase.LOST})  # nothing more is started
OUT_OF_HAND = frozenset({Phase.LOST, Phase.ENDED})


class Ask(Enum):
    """What a person asks of a run."""

    HOLD = auto()
    RESUME = auto()
    ABORT = auto()
    DEFER = auto()  # put it back into the queue before it has begun
    CONFIRM = auto()  # the set-up is right, or the machine was started at its panel
    FINISH = auto()  # it is done, where its machine is only watched


@dataclass(frozen=True, slots=True)
class RunMessage:
    """What is asked, by whom, and the reason."""

    ask: Ask
    actor: str
    reason: str = ""
