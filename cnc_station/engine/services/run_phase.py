"""The phases of a run in hand, the messages for it, and which are heard in which phase.

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

A reply counts only while the run waits for just that; otherwise it is refused. `served` messages
are carried out one after the other, since each asks the controller and writes what it did. An
abort that the controller does not confirm brings a run from `stopping` back to where it was.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Phase(StrEnum):  # whose members hash at C speed, as every run asks for that a dozen times
    """Where a run in hand is."""

    PREPARING = auto()  # nothing is written of a start, and nothing was started
    STARTING = auto()  # its start is being written, or is; its machine was not told to start yet
    RUNNING = auto()
    HELD = auto()
    WITHDRAWN = auto()  # to end before it was started
    STOPPING = auto()  # to end as soon as its controller confirms that
    LOST = auto()  # its lease has ended: nothing is started or written by this right
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
AT_MACHINE = frozenset({Phase.RUNNING, Phase.HELD, Phase.STOPPING})  # it can be held there
TO_END = frozenset({Phase.WITHDRAWN, Phase.STOPPING, Phase.LOST})  # nothing more is started
OUT_OF_HAND = frozenset({Phase.LOST, Phase.ENDED})


class Ask(Enum):
    """What people ask of a run."""

    HOLD = auto()
    RESUME = auto()
    ABORT = auto()
    DEFER = auto()  # not now: back to the shelf, before it has begun
    CONFIRM = auto()  # the set-up is right, or the machine was started at its panel
    FINISH = auto()  # it is done, where its machine is only watched


@dataclass(frozen=True, slots=True)
class RunMessage:
    """What is asked, by whom, and why or with what."""

    ask: Ask
    actor: str
    reason: str = ""
