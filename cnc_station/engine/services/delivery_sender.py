"""Send one delivery in the format of its endpoint, and say what came of it."""

import datetime as dt
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.domain.message_formats.base import HttpMessage, Mail, masked
from cnc_station.engine.domain.message_formats.present import is_final, present, refusal, wait_s
from cnc_station.engine.domain.webhooks import is_success
from cnc_station.engine.outgoing_http import HttpAnswer, HttpFailed, HttpRequest, OutgoingHttp
from cnc_station.engine.outgoing_mail import OutgoingMail
from cnc_station.engine.store.deliveries import ClaimedDelivery
from cnc_station.engine.timing import now_ms

log = logging.getLogger(__name__)

_HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt, without a secret. `error` is "" if it was delivered; `final` if
    another try would give the same; `wait_s` for how long the receiver asks to be left alone."""

    url: str
    request_headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response: str = ""
    truncated: bool = False
    error: str = ""
    final: bool = False
    wait_s: float | None = None
    accepted: tuple[str, ...] = ()
    duration_s: float = 0.0


class DeliverySender:
    """One for each station. `timeout_s` is that of a receiver over HTTP."""

    def __init__(self, http: OutgoingHttp, mail: OutgoingMail, timeout_s: float) -> None:
        self._http = http
        self._mail = mail
        self._timeout_s = timeout_s

    async def send(self, claimed: ClaimedDelivery) -> Attempt:
        """Send a delivery once. Raises only if this is cancelled."""
        endpoint = claimed.endpoint
        started = time.perf_counter()
        try:
            sent = present(endpoint, claimed.content, claimed.key, now_ms() // 1000)
            if isinstance(sent, Mail):
                return await self._send_mail(claimed, sent, started)
            return await self._send_http(claimed, sent, started)
        except Exception:
            log.exception("delivery %d failed", claimed.id)
            return Attempt(
                endpoint.url,
                error="Internal error: see the log of the station.",
                accepted=claimed.accepted,
                duration_s=time.perf_counter() - started,
            )

    async def _send_mail(self, claimed: ClaimedDelivery, mail: Mail, started: float) -> Attempt:
        answer = await self._mail.send(mail, claimed.accepted)
        return Attempt(
            claimed.endpoint.url,
            status=answer.status,
            response=answer.words,
            error=answer.error,
            final=answer.final,
            accepted=answer.accepted,
            duration_s=time.perf_counter() - started,
        )

    async def _send_http(
        self, claimed: ClaimedDelivery, sent: HttpMessage, started: float
    ) -> Attempt:
        secrets = claimed.endpoint.secrets
        url, headers = masked(sent.url, secrets), _shown(sent.headers, secrets)
        request = HttpRequest(sent.method, sent.url, sent.headers, sent.body, self._timeout_s)
        try:
            answer = await self._http.send(request)
        except HttpFailed as failed:
            seconds = time.perf_counter() - started
            error = masked(str(failed), secrets)
            return Attempt(url, headers, error=error, duration_s=seconds)
        error, final = _judged(claimed, answer)
        wait = wait_s(answer.status, answer.headers, answer.body, dt.datetime.now(dt.UTC))
        return Attempt(
            url,
            headers,
            answer.status,
            _shown(answer.headers, secrets),
            masked(_text(answer.body), secrets),
            answer.truncated,
            error,
            final,
            wait,
            duration_s=time.perf_counter() - started,
        )


def _judged(claimed: ClaimedDelivery, answer: HttpAnswer) -> tuple[str, bool]:
    """Return why the receiver did not accept it, "" if it did, and whether that is final."""
    endpoint, status = claimed.endpoint, answer.status
    if is_success(status):
        return "", False
    redirect = " A redirect is not followed." if 300 <= status < 400 else ""
    words = refusal(endpoint, status, answer.body)
    said = f": {words.rstrip('.')}." if words else "."
    final = is_final(endpoint, status)
    again = " It is not tried again: the answer would be the same." if final else ""
    return f"The receiver answered {status}{said}{redirect}{again}", final


def _shown(headers: Mapping[str, str], secrets: tuple[str, ...]) -> dict[str, str]:
    return {
        name: "•••" if name.lower() in _HIDDEN_HEADERS else masked(value, secrets)
        for name, value in headers.items()
    }


def _text(body: bytes) -> str:
    """Text that any database stores."""
    return body.decode(errors="replace").replace("\x00", "\ufffd")
