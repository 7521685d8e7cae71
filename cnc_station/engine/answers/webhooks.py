"""Answers about webhooks and their deliveries."""

import asyncio
import uuid
from dataclasses import replace
from functools import partial

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import checks
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.message_formats.base import Endpoint, shown_address
from cnc_station.engine.domain.message_formats.options import (
    SECRET_ADDRESS,
    MessageFormat,
    needs_secret,
    takes_secret,
    token_errors,
)
from cnc_station.engine.domain.refusals import replay_refusal
from cnc_station.engine.domain.webhook_signature import new_secret, verify
from cnc_station.engine.domain.webhooks import TEST_EVENT, WebhookSpec, secret_errors
from cnc_station.engine.store import deliveries, webhooks
from cnc_station.engine.store.queries import webhooks as rows
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Answer, BulkCursor, BulkStep
from cnc_station.engine.views.webhooks import (
    DeliveryCounts,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryPage,
    NewWebhook,
    WebhookRow,
)

MOST_ROWS = 1_000
MOST_IDS = 10_000
_YEAR_S = 366 * 86_400
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 5.0  # besides the time that the receiver may take


async def create_webhook(
    context: AnswerContext, command: commands.CreateWebhook, actor: str
) -> NewWebhook:
    """See `CreateWebhook`."""
    spec = _validated(context, command.spec)
    secret = _secret(spec, command.secret)
    webhook_id = await context.writer.write(webhooks.CreateWebhook(_shown(spec), secret, actor))
    stored = await _endpoint(context, webhook_id)  # made by an earlier request with the same key
    return _new(webhook_id, spec.format, stored.secret)


async def edit_webhook(context: AnswerContext, command: commands.EditWebhook, actor: str) -> None:
    """See `EditWebhook`."""
    stored = await _endpoint(context, command.webhook_id)
    spec = command.spec
    if spec.format is not stored.format:
        reason = f"is {stored.format} and stays so: add another endpoint"
        raise InvalidInput(FieldError("format", reason))
    secret = None
    if spec.format in SECRET_ADDRESS:
        secret = stored.address if spec.url == stored.url else spec.url.strip()
        spec = replace(spec, url=secret)
    checked = _validated(context, spec)
    if needs_secret(spec.format, spec.options, spec.url) and not stored.secret:
        raise InvalidInput(FieldError("secret", "is missing: give the endpoint one first"))
    await context.writer.write(
        webhooks.EditWebhook(command.webhook_id, _shown(checked), secret, actor)
    )


async def delete_webhook(
    context: AnswerContext, command: commands.DeleteWebhook, actor: str
) -> None:
    """See `DeleteWebhook`."""
    await _refuse_hidden(context, command.webhook_id)
    await context.writer.write(webhooks.DeleteWebhook(command.webhook_id, actor))


async def rotate_webhook_secret(
    context: AnswerContext, command: commands.RotateWebhookSecret, actor: str
) -> NewWebhook:
    """See `RotateWebhookSecret`."""
    overlap: object = command.overlap_s
    if not checks.number(overlap) or not 0 <= command.overlap_s <= _YEAR_S:
        raise InvalidInput(FieldError("overlap_s", "must be seconds, at most a year"))
    webhook_id = command.webhook_id
    stored = await _endpoint(context, webhook_id)
    if not takes_secret(stored.format):
        raise InvalidInput(FieldError("secret", f"the format {stored.format} has none to rotate"))
    if stored.format is not MessageFormat.WEBHOOK and command.secret is None:
        raise InvalidInput(FieldError("secret", "is missing: the receiver makes it"))
    secret = _secret(WebhookSpec(stored.url, format=stored.format), command.secret)
    await context.writer.write(
        webhooks.RotateWebhookSecret(webhook_id, secret, command.overlap_s, actor)
    )
    return _new(webhook_id, stored.format, secret)


async def send_test(
    context: AnswerContext, command: commands.TestWebhook, _actor: str
) -> DeliveryDetail:
    """See `TestWebhook`."""
    await _refuse_hidden(context, command.webhook_id)
    if context.running() is None:
        raise Conflict("No station is at work here: start it to test a webhook.")
    queued = deliveries.QueueTest(command.webhook_id, uuid.uuid4().hex, TEST_EVENT)
    delivery_id = await context.writer.write(queued)
    look = partial(rows.delivery_detail, delivery_id=delivery_id)
    longest_s = max(context.config.webhook_timeout_s, context.config.smtp_timeout_s)
    looks = (longest_s + _PATIENCE_S) / _LOOK_EVERY_S
    for _ in range(round(looks)):
        detail = await context.reader.read(look)
        if detail is not None and detail.attempts:
            return detail
        await asyncio.sleep(_LOOK_EVERY_S)
    raise Conflict("The test was queued, but not sent yet: other deliveries come first.")


async def replay_deliveries(
    context: AnswerContext, command: commands.ReplayDeliveries, actor: str
) -> tuple[Answer, ...]:
    """See `ReplayDeliveries`."""
    ids = tuple(command.ids)
    if len(ids) > MOST_IDS:
        raise InvalidInput(FieldError("ids", f"at most {MOST_IDS:,} at once"))
    chosen = deliveries.ReplayDeliveries(ids, DeliveryFilter(), context.tenants, actor)
    replayed = await context.writer.write(chosen)
    again = frozenset(replayed)
    return tuple(Answer(one, "" if one in again else replay_refusal(one)) for one in ids)


async def replay_matching_deliveries(
    context: AnswerContext, command: commands.ReplayMatchingDeliveries, actor: str
) -> BulkStep:
    """See `ReplayMatchingDeliveries`."""
    chosen, tenants = command.chosen, context.tenants
    if chosen == DeliveryFilter():
        raise InvalidInput(FieldError("chosen", "must have a filter: it selects every delivery"))
    refuse(checks.whole("limit", command.limit, 1, commands.MOST_IN_BATCH))
    cursor = command.cursor or await _count(context, command)
    look = partial(rows.next_replayable, chosen=chosen, tenants=tenants, cursor=cursor)
    ids = await context.reader.read(partial(look, limit=command.limit))
    done: tuple[int, ...] = ()
    if ids:
        write = deliveries.ReplayDeliveries(ids, chosen, tenants, actor)
        done = await context.writer.write(write)
    more = len(ids) == command.limit
    return BulkStep(tuple(map(Answer, done)), replace(cursor, after=ids[-1]) if more else None)


async def _count(context: AnswerContext, command: commands.ReplayMatchingDeliveries) -> BulkCursor:
    """Raises Conflict if another number of deliveries than expected can be replayed."""
    count = partial(rows.count_replayable, chosen=command.chosen, tenants=context.tenants)
    found, cursor = await context.reader.read(count)
    if found != command.expected_count:
        raise Conflict(
            f"{found:,} deliveries can be replayed now, not {command.expected_count:,}. "
            "Nothing was changed."
        )
    return cursor


async def list_webhooks(
    context: AnswerContext, _query: queries.ListWebhooks
) -> tuple[WebhookRow, ...]:
    """See `ListWebhooks`."""
    return await context.reader.read_now(rows.webhooks)


async def list_deliveries(context: AnswerContext, query: queries.ListDeliveries) -> DeliveryPage:
    """See `ListDeliveries`."""
    limit = min(max(query.limit, 1), MOST_ROWS)
    look = partial(rows.deliveries, chosen=query.chosen, offset=max(query.offset, 0), limit=limit)
    return await context.reader.read(look)


async def count_deliveries(
    context: AnswerContext, query: queries.CountDeliveries
) -> DeliveryCounts:
    """See `CountDeliveries`."""
    count = partial(rows.delivery_counts, chosen=query.chosen, tenants=context.tenants)
    return await context.reader.read(count)


async def delivery_by_id(
    context: AnswerContext, query: queries.DeliveryById
) -> DeliveryDetail | None:
    """See `DeliveryById`."""
    return await context.reader.read(partial(rows.delivery_detail, delivery_id=query.delivery_id))


async def verify_webhook(context: AnswerContext, query: queries.VerifyWebhook) -> bool:
    """See `VerifyWebhook`."""
    now = now_ms()
    secrets = await context.reader.read(partial(rows.valid_secrets, now=now))
    return any(verify(secret, query.headers, query.body, now / 1000) for secret in secrets)


def _validated(context: AnswerContext, spec: WebhookSpec) -> WebhookSpec:
    checked = spec.validated()
    if context.tenants is not None and checked.tenant not in context.tenants:
        raise InvalidInput(FieldError("tenant", "must be one of yours"))
    return checked


def _secret(spec: WebhookSpec, chosen: str | None) -> str:
    """Return the secret of an endpoint whose address is still complete."""
    kind = spec.format
    if chosen is not None and not takes_secret(kind):
        raise InvalidInput(FieldError("secret", f"the format {kind} has none besides its address"))
    if kind in SECRET_ADDRESS:
        return spec.url
    if chosen is not None:
        refuse(secret_errors(chosen))
        refuse(token_errors(kind, chosen))
        return chosen
    if needs_secret(kind, spec.options, spec.url):
        raise InvalidInput(FieldError("secret", "is missing: the receiver makes it"))
    return new_secret() if kind is MessageFormat.WEBHOOK else ""


def _shown(spec: WebhookSpec) -> WebhookSpec:
    """Return a spec whose address people may see."""
    secret = spec.format in SECRET_ADDRESS
    return replace(spec, url=shown_address(spec.url)) if secret else spec


def _new(webhook_id: int, kind: MessageFormat, secret: str) -> NewWebhook:
    return NewWebhook(webhook_id, secret if kind is MessageFormat.WEBHOOK else None)


async def _endpoint(context: AnswerContext, webhook_id: int) -> Endpoint:
    look = partial(rows.stored_endpoint, webhook_id=webhook_id)
    found = await context.reader.read_now(look)
    if found is None:
        raise Conflict(f"There is no webhook {webhook_id}.")
    return found


async def _refuse_hidden(context: AnswerContext, webhook_id: int) -> None:
    if await context.reader.read(partial(webhooks.exists, webhook_id=webhook_id)):
        return
    raise Conflict(f"There is no webhook {webhook_id}.")
