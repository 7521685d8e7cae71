"""What the API takes and answers about webhooks and their deliveries."""

from typing import Annotated, Any, Self

from pydantic import Field

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.webhooks import (
    LEAST_SECRET,
    MOST_SECRET,
    WebhookEvent,
    WebhookSpec,
)
from cnc_station.engine.views.webhooks import (
    DeliveryAttempt,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryPage,
    DeliveryRow,
    DeliveryState,
    NewWebhook,
    WebhookRow,
)
from cnc_station.web.api.limits import Count, Ids, described, limits, one_of
from cnc_station.web.api.values import (
    Id,
    PageIn,
    PageOut,
    TakenJson,
    TimeIn,
    TimeOut,
    Told,
)

_Secret = Annotated[str, Field(min_length=LEAST_SECRET, max_length=MOST_SECRET)]


class WebhookFields(TakenJson):
    """The fields of an endpoint. `tenant` null: the jobs of all tenants."""

    url: Annotated[str | None, limits(WebhookSpec, "url")] = None
    events: list[Annotated[str, described(one_of(WebhookEvent))]] | None = None
    tenant: Annotated[str | None, limits(WebhookSpec, "tenant")] = None
    enabled: bool | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were given, as those of a `WebhookSpec`."""
        found = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("url", "events", "enabled"):
            if name in found and found[name] is None:
                raise InvalidInput(FieldError(name, "is missing"))
        if self.events is not None:
            found["events"] = tuple(self.events)
        return found


class WebhookIn(WebhookFields):
    """A new endpoint. Without a `secret` one is made."""

    url: Annotated[str, limits(WebhookSpec, "url"), Field(min_length=1)]
    secret: _Secret | None = Field(default=None, repr=False)

    def spec(self) -> WebhookSpec:
        """The endpoint as the engine takes it."""
        return WebhookSpec(**{k: v for k, v in self.given().items() if k != "secret"})


class WebhookOut(Told):
    """An endpoint, without its secret. `dead`: deliveries that failed and were given up for now."""

    id: int
    format: MessageFormat
    url: str
    events: list[str]
    tenant: str | None
    enabled: bool
    disabled_reason: str
    from_settings: bool
    previous_until: TimeOut | None
    created_at: TimeOut
    created_by: str
    pending: int
    dead: int

    @classmethod
    def of(cls, row: WebhookRow) -> Self:
        return cls.model_validate(row)


class NewWebhookOut(WebhookOut):
    """A new endpoint, or one with a new secret, which is told only here."""

    secret: str | None = Field(repr=False)

    @classmethod
    def of_new(cls, row: WebhookRow, new: NewWebhook) -> Self:
        shown = WebhookOut.of(row)
        values = {name: getattr(shown, name) for name in WebhookOut.model_fields}
        return cls.model_construct(**values, secret=new.secret)


class WebhooksOut(PageOut):
    """The endpoints, in the order they were added."""

    webhooks: list[WebhookOut]


class RotateIn(TakenJson):
    """A new secret. For `overlap_s` everything is signed with both."""

    secret: _Secret | None = Field(default=None, repr=False)
    overlap_s: Annotated[float, Field(ge=0, le=2_592_000)] = 86_400.0


class DeliveryOut(Told):
    """A delivery. `key` is its id at the receiver."""

    id: int
    key: str
    webhook_id: int
    url: str
    event: str
    job_id: int | None
    tenant: str
    at: TimeOut
    state: DeliveryState
    due_at: TimeOut | None
    tries: int
    ended_at: TimeOut | None
    last_status: int | None
    last_error: str

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        return cls.model_validate(row)


class AttemptOut(Told):
    """One attempt. `response` is the beginning of the answer, `truncated` if there was more."""

    at: TimeOut
    station: str
    url: str
    request_headers: dict[str, str]
    status: int | None
    response_headers: dict[str, str]
    response: str
    truncated: bool
    error: str
    duration_s: float

    @classmethod
    def of(cls, attempt: DeliveryAttempt) -> Self:
        return cls.model_validate(attempt)


class DeliveryDetailOut(DeliveryOut):
    """A delivery with the exact body that is sent, and its attempts, oldest first."""

    body: str
    attempts: list[AttemptOut]

    @classmethod
    def of_detail(cls, detail: DeliveryDetail) -> Self:
        row = DeliveryOut.of(detail.row)
        return cls.model_construct(
            **{name: getattr(row, name) for name in DeliveryOut.model_fields},
            body=detail.body,
            attempts=[AttemptOut.of(attempt) for attempt in detail.attempts],
        )


class DeliveriesIn(PageIn):
    """Which deliveries, newest first, queued from `since` on and before `until`. Every word
    of `q` is in its event, the job's name or the error."""

    webhook_id: Id | None = None
    job_id: Id | None = None
    state: DeliveryState | None = None
    event: str | None = None
    since: TimeIn | None = None
    until: TimeIn | None = None
    q: str = ""

    def chosen(self) -> DeliveryFilter:
        """The filter."""
        return DeliveryFilter(
            webhook_id=self.webhook_id,
            job_id=self.job_id,
            states=frozenset() if self.state is None else frozenset({self.state}),
            event=self.event,
            since=self.since,
            until=self.until,
            text=self.q,
        )


class ReplayIn(TakenJson):
    """Deliveries to send again: those of `ids`, or all that match `filter` and can be sent, whose
    number must be `expected_count`."""

    ids: Ids | None = None
    filter: dict[str, Any] | None = None
    expected_count: Count | None = None

    def chosen(self) -> DeliveryFilter | None:
        """The filter, as that of a list. Raises InvalidInput."""
        if self.filter is None:
            return None
        if unknown := self.filter.keys() & PageIn.model_fields.keys():
            raise InvalidInput(FieldError(f"filter.{min(unknown)}", "is not a field here"))
        return DeliveriesIn.read(self.filter).chosen()


class DeliveriesOut(PageOut):
    """A page of deliveries, and how long the whole list is."""

    deliveries: list[DeliveryOut]

    @classmethod
    def of(cls, page: DeliveryPage, limit: int) -> Self:
        rows = [DeliveryOut.of(row) for row in page.rows]
        return cls(deliveries=rows, total=page.total, limit=limit, offset=page.offset)


class ReplayedOut(Told):
    """How many are sent again."""

    replayed: int
