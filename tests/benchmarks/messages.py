"""What it costs to tell other stations what the machines of this one do and what has changed."""

import json
import timeit
from collections.abc import Callable
from dataclasses import asdict

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import Notice, NoticeEvent
from cnc_station.engine.signals import messages
from cnc_station.engine.views import Telemetry
from tests.benchmarks.figures import Effort, Figure, compared, in_turn

MACHINES = 200
EVENTS = 300  # of a fleet's hundred jobs
TIMES = 200
EVENT = NoticeEvent(t.STARTED.name, "A", 100_000, 100_000, 7, "", "running", "running", "running")
NOTICE = Notice.of(*[EVENT] * EVENTS)
TELEMETRY = dict.fromkeys(
    range(MACHINES),
    Telemetry(120, 4000, 10.125, -3.5, 0.25, 800.0, 12_000.0, 3, 1.0, 1.0, 1.0, 1, 5, 0.25, 0.5),
)


def message_costs(effort: Effort) -> list[Figure]:
    """Beside the standard library's json, which is given plain values."""
    of_telemetry = {str(machine): asdict(known) for machine, known in TELEMETRY.items()}
    of_notice = {"events": [[*event] for event in NOTICE.events]}
    told, bare = messages.of_notice("A", NOTICE), json.dumps(of_notice)
    return [
        _cost(
            effort,
            f"telemetry of {MACHINES} machines as a message",
            lambda: messages.of_telemetry("A", TELEMETRY),
            lambda: json.dumps(of_telemetry),
            at_most=1.0,
        ),
        _cost(
            effort,
            f"notice of {EVENTS} events as a message",
            lambda: messages.of_notice("A", NOTICE),
            lambda: json.dumps(of_notice),
            at_most=1.0,
        ),
        _cost(
            effort,
            f"notice of {EVENTS} events, read",
            lambda: messages.notice(told),
            lambda: json.loads(bare),
            at_most=3.0,
        ),
    ]


def _cost(
    effort: Effort,
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    at_most: float,
) -> Figure:
    times = effort.of(TIMES)
    value, bare = in_turn(
        effort.repeats,
        lambda: timeit.timeit(ours, number=times) / times * 1e3,
        lambda: timeit.timeit(theirs, number=times) / times * 1e3,
    )
    return compared(name, value, "ms", bare, "bare json", at_most=at_most)
