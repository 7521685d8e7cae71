"""What the benchmarks use of the product: the notices between stations."""

from collections.abc import Callable

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import Notice, NoticeEvent
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import RedisSignals

Signals = RedisSignals


async def talking(redis_url: str) -> Signals:
    """A station's way to the others; it listens to nothing."""
    return await listening(redis_url, lambda _: None, lambda: None)


async def listening(
    redis_url: str, hear: Callable[[int], None], ready: Callable[[], None]
) -> Signals:
    """Calls `hear` with the id of each job that a notice names, from `ready` on."""

    def received(notice: Notice) -> None:
        if notice.missed:  # as it is at first
            ready()
        for job_id in notice.jobs:
            hear(job_id)

    signals = RedisSignals(redis_url)
    await signals.start(SignalHandlers(lambda _: None, received, lambda _: None))
    return signals


def notify(signals: Signals, job_id: int) -> None:
    """Publish a notice that names one job."""
    signals.publish_notice(Notice.of(NoticeEvent(t.STARTED.name, job_id=job_id)))
