"""Deliver: claim what is due, send it, record what came of it.

Each endpoint has its own few attempts at a time, so one that hangs delays no other. What people
read is sent in order, one after the other. All stations share the work.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.notice import Topic, one_of
from cnc_station.engine.domain.transitions import WEBHOOKS_CHANGED
from cnc_station.engine.domain.webhook_signature import new_secret
from cnc_station.engine.domain.webhooks import (
    GONE,
    HOUR_S,
    RETRY_S,
    TEST_EVENT,
    TOO_MANY,
    WebhookSpec,
    pause_s,
)
from cnc_station.engine.services.active_runs import PATIENCE_S
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.delivery_sender import Attempt, DeliverySender
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.deliveries import (
    DEAD,
    DELIVERED,
    ClaimDeliveries,
    ClaimedDelivery,
    DueEndpoint,
    RecordAttempt,
    ReleaseDeliveries,
    due_endpoints,
)
from cnc_station.engine.store.webhook_listeners import PENDING
from cnc_station.engine.store.webhooks import DisableWebhook, SettingsWebhook

log = logging.getLogger(__name__)

REST_S = 30.0
BUSY_S = 1.0
CLAIMED_AHEAD = 4  # times what an endpoint may have at once: a claim costs a transaction
MOST_WAITS = 60  # times that a receiver may ask for time before that counts as a failure
MARGIN_S = 15.0  # between the last moment to begin an attempt, with its whole time, and its end


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: str
    pause_s: float | None


class Deliveries(Service):
    """What a station has claimed and not recorded is due again when it starts, or elsewhere when
    its claim ends."""

    wakes_on = (one_of(Topic.DELIVERIES_QUEUED, WEBHOOKS_CHANGED),)

    def __init__(self, context: ServiceContext) -> None:
        super().__init__()
        self._context = context
        config = context.config
        self._timeout_s = config.webhook_timeout_s
        if config.smtp_host:
            self._timeout_s = max(self._timeout_s, config.smtp_timeout_s)
        self._sender = DeliverySender(context.http, context.mail, config.webhook_timeout_s)
        self._sending: dict[int, asyncio.Semaphore] = {}
        self._rest_until: dict[int, float] = {}  # endpoints that asked to be left alone
        self._claimed: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prepared = False

    async def run_once(self) -> float:
        """Claim for every endpoint that has something due and room for it."""
        if not self._prepared:
            await self._prepare()
        while True:
            due = await self._context.reader.read_now(due_endpoints)
            wait_s = {webhook_id: self._wait_s(webhook_id, one) for webhook_id, one in due.items()}
            room = self._room(due, [one for one, seconds in wait_s.items() if seconds <= 0])
            if not room:
                break
            if not await self._claim(room):  # another station is claiming them
                return BUSY_S
        return min([REST_S, *(seconds for seconds in wait_s.values() if seconds > 0)])

    def _wait_s(self, webhook_id: int, due: DueEndpoint) -> float:
        """In how many seconds the next delivery to an endpoint may be claimed here."""
        config = self._context.config
        if due.format is MessageFormat.EMAIL and not (config.smtp_host or self._context.alone):
            return REST_S  # of the stations that have a mail server
        rest_s = self._rest_until.get(webhook_id, 0.0) - time.monotonic()
        return max(due.seconds, rest_s)

    def _at_once(self, kind: MessageFormat) -> int:
        return self._context.config.webhook_concurrency if kind is MessageFormat.WEBHOOK else 1

    def _most(self, kind: MessageFormat) -> int:
        """How many deliveries an endpoint may have claimed."""
        return self._at_once(kind) * CLAIMED_AHEAD

    def _room(self, due: Mapping[int, DueEndpoint], endpoints: Iterable[int]) -> dict[int, int]:
        """How many deliveries of each may be claimed. An endpoint is filled up when half of what
        was claimed for it is done."""
        most = {webhook_id: self._most(due[webhook_id].format) for webhook_id in endpoints}
        return {
            webhook_id: number - self._claimed[webhook_id]
            for webhook_id, number in most.items()
            if self._claimed[webhook_id] <= number // 2
        }

    async def _prepare(self) -> None:
        config, write = self._context.config, self._context.writer.write
        await write(ReleaseDeliveries())
        if config.webhook_url or self._context.alone:
            spec = WebhookSpec(config.webhook_url).validated() if config.webhook_url else None
            await write(SettingsWebhook(spec, config.webhook_secret or None, new_secret()))
        self._prepared = True

    async def _claim(self, room: Mapping[int, int]) -> int:
        lease_s = self._timeout_s * CLAIMED_AHEAD + MARGIN_S
        last_start = time.monotonic() + lease_s - MARGIN_S / 2 - self._timeout_s
        claim = ClaimDeliveries(room, round(lease_s * 1000))
        found = await self._context.writer.write(claim)
        for claimed in sorted(found, key=lambda one: one.id):
            self._claimed[claimed.endpoint.id] += 1
            task = asyncio.create_task(self._deliver(claimed, last_start))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(found)

    async def stop(self) -> None:
        """Break off what is under way, and leave it to another station or to the next start."""
        await super().stop()
        under_way = tuple(self._tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if under_way:
            with contextlib.suppress(Unavailable, TimeoutError):  # their claims end by themselves
                async with asyncio.timeout(PATIENCE_S):
                    await self._context.writer.write(ReleaseDeliveries())

    async def _deliver(self, claimed: ClaimedDelivery, last_start: float) -> None:
        endpoint = claimed.endpoint
        at_once = self._sending.setdefault(
            endpoint.id, asyncio.Semaphore(self._at_once(endpoint.format))
        )
        try:
            async with at_once:
                ready = max(time.monotonic(), self._rest_until.get(endpoint.id, 0.0))
                if ready >= last_start:  # it is claimed again, later
                    return
                await asyncio.sleep(ready - time.monotonic())
                attempt = await self._sender.send(claimed)
                if attempt.wait_s is not None:
                    self._rest_until[endpoint.id] = time.monotonic() + attempt.wait_s
            await self._record(claimed, attempt)  # meanwhile the next one is sent
        except Exception:
            log.exception("delivery %d failed", claimed.id)
        finally:
            self._claimed[endpoint.id] -= 1
            if self._claimed[endpoint.id] == self._most(endpoint.format) // 2:
                self.wake.hint()

    async def _record(self, claimed: ClaimedDelivery, attempt: Attempt) -> None:
        verdict = self._judge(claimed, attempt)
        await self._context.writer.write_until_committed(
            RecordAttempt(
                claimed.id,
                claimed.token,
                verdict.state,
                verdict.pause_s,
                attempt.url,
                attempt.request_headers,
                attempt.status,
                attempt.response_headers,
                attempt.response,
                attempt.truncated,
                attempt.error,
                attempt.duration_s,
                attempt.accepted,
            )
        )
        self._context.metrics.delivery_tried(verdict.state)
        if verdict.pause_s is not None:
            self.wake.hint()
        if attempt.status == GONE and claimed.endpoint.format is not MessageFormat.EMAIL:
            reason = "The receiver answered 410: it is gone for good."
            with contextlib.suppress(Conflict):  # deleted meanwhile
                await self._context.writer.write(DisableWebhook(claimed.endpoint.id, reason))

    def _judge(self, claimed: ClaimedDelivery, attempt: Attempt) -> _Verdict:
        if not attempt.error:
            return _Verdict(DELIVERED, None)
        final = attempt.final or attempt.status == GONE
        if final or claimed.content.event == TEST_EVENT:
            return _Verdict(DEAD, None)
        tries, wait_s = claimed.tries + 1, attempt.wait_s or 0.0
        if attempt.status == TOO_MANY and attempt.wait_s is not None and tries <= MOST_WAITS:
            return _Verdict(PENDING, max(wait_s, pause_s(1) or 0.0))
        if (pause := pause_s(tries)) is not None:
            return _Verdict(PENDING, max(pause, wait_s))
        later = tries - len(RETRY_S) <= self._context.config.webhook_hourly_tries
        return _Verdict(DEAD, HOUR_S if later else None)
