"""Deliver webhooks: claim what is due, send it, record what came of it.

Each endpoint has its own few attempts at a time, so one that hangs delays no other. All stations
share the work.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.notice import Topic, one_of
from cnc_station.engine.domain.transitions import WEBHOOKS_CHANGED
from cnc_station.engine.domain.webhook_signature import headers, new_secret
from cnc_station.engine.domain.webhooks import (
    GONE,
    HOUR_S,
    RETRY_S,
    TEST_EVENT,
    WebhookSpec,
    is_success,
    pause_s,
)
from cnc_station.engine.outgoing_http import HttpAnswer, HttpFailed, HttpRequest
from cnc_station.engine.services.active_runs import PATIENCE_S
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.deliveries import (
    DEAD,
    DELIVERED,
    ClaimDeliveries,
    ClaimedDelivery,
    RecordAttempt,
    ReleaseDeliveries,
    due_endpoints,
)
from cnc_station.engine.store.webhook_listeners import PENDING
from cnc_station.engine.store.webhooks import DisableWebhook, SettingsWebhook
from cnc_station.engine.timing import now_ms

log = logging.getLogger(__name__)

REST_S = 30.0
BUSY_S = 1.0
CLAIMED_AHEAD = 4  # times what an endpoint may have at once: a claim costs a transaction
MARGIN_S = 15.0  # between the last moment to begin an attempt, with its whole time, and its end


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: str
    pause_s: float | None
    error: str


class Deliveries(Service):
    """What a station has claimed and not recorded is due again when it starts, or elsewhere when
    its claim ends."""

    wakes_on = (one_of(Topic.DELIVERIES_QUEUED, WEBHOOKS_CHANGED),)

    def __init__(self, context: ServiceContext) -> None:
        super().__init__()
        self._context = context
        self._at_once = context.config.webhook_concurrency
        self._timeout_s = context.config.webhook_timeout_s
        self._sending: dict[int, asyncio.Semaphore] = {}
        self._claimed: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prepared = False

    async def run_once(self) -> float:
        """Claim for every endpoint that has something due and room for it."""
        if not self._prepared:
            await self._prepare()
        while True:
            due = await self._context.reader.read_now(due_endpoints)
            room = self._room(webhook_id for webhook_id, seconds in due.items() if seconds <= 0)
            if not room:
                break
            if not await self._claim(room):  # another station is claiming them
                return BUSY_S
        return min([REST_S, *(seconds for seconds in due.values() if seconds > 0)])

    def _room(self, endpoints: Iterable[int]) -> dict[int, int]:
        """How many deliveries of each may be claimed. An endpoint is filled up when half of what
        was claimed for it is done."""
        most = self._at_once * CLAIMED_AHEAD
        return {
            webhook_id: most - self._claimed[webhook_id]
            for webhook_id in endpoints
            if self._claimed[webhook_id] <= most // 2
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
        for claimed in found:
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
        endpoint = claimed.endpoint.id
        at_once = self._sending.setdefault(endpoint, asyncio.Semaphore(self._at_once))
        try:
            async with at_once:
                if time.monotonic() < last_start:  # otherwise it is claimed again, later
                    await self._attempt(claimed)
        except Exception:
            log.exception("delivery %d failed", claimed.id)
        finally:
            self._claimed[endpoint] -= 1
            if self._claimed[endpoint] == self._at_once * CLAIMED_AHEAD // 2:
                self.wake.hint()

    async def _attempt(self, claimed: ClaimedDelivery) -> None:
        started = time.perf_counter()
        request: HttpRequest | None = None
        answer: HttpAnswer | None = None
        error = ""
        try:
            request = self._request(claimed)
            answer = await self._context.http.send(request)
        except HttpFailed as failed:
            error = str(failed)
        except Exception:
            log.exception("delivery %d failed", claimed.id)
            error = "Internal error: see the log of the station."
        verdict = self._judge(claimed, answer, error)
        await self._context.writer.write_until_committed(
            RecordAttempt(
                claimed.id,
                claimed.token,
                verdict.state,
                verdict.pause_s,
                claimed.endpoint.url,
                request.headers if request else {},
                answer.status if answer else None,
                answer.headers if answer else {},
                _text(answer.body) if answer else "",
                answer is not None and answer.truncated,
                verdict.error,
                time.perf_counter() - started,
            )
        )
        if verdict.pause_s is not None:
            self.wake.hint()
        if answer is not None and answer.status == GONE:
            reason = "The receiver answered 410: it is gone for good."
            with contextlib.suppress(Conflict):  # deleted meanwhile
                await self._context.writer.write(DisableWebhook(claimed.endpoint.id, reason))

    def _request(self, claimed: ClaimedDelivery) -> HttpRequest:
        endpoint, content = claimed.endpoint, claimed.content
        body = content.body()
        signed = headers(endpoint.secrets, claimed.key, content.event, now_ms() // 1000, body)
        return HttpRequest(
            "POST",
            endpoint.url,
            {"Content-Type": "application/json", **signed},
            body,
            self._timeout_s,
        )

    def _judge(self, claimed: ClaimedDelivery, answer: HttpAnswer | None, error: str) -> _Verdict:
        if answer is not None and is_success(answer.status):
            return _Verdict(DELIVERED, None, "")
        if answer is not None:
            redirect = " A redirect is not followed." if 300 <= answer.status < 400 else ""
            error = f"The receiver answered {answer.status}.{redirect}"
        if claimed.content.event == TEST_EVENT or (answer is not None and answer.status == GONE):
            return _Verdict(DEAD, None, error)
        tries = claimed.tries + 1
        if (pause := pause_s(tries)) is not None:
            return _Verdict(PENDING, pause, error)
        later = tries - len(RETRY_S) <= self._context.config.webhook_hourly_tries
        return _Verdict(DEAD, HOUR_S if later else None, error)


def _text(body: bytes) -> str:
    """Text that any database stores."""
    return body.decode(errors="replace").replace("\x00", "\ufffd")
