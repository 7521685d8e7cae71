"""The routes about webhooks and their deliveries."""

from collections.abc import Sequence
from dataclasses import replace

from cnc_station.engine.commands import (
    CreateWebhook,
    DeleteWebhook,
    EditWebhook,
    ReplayDeliveries,
    ReplayMatchingDeliveries,
    RotateWebhookSecret,
    TestWebhook,
)
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.queries import DeliveryById, ListDeliveries, ListWebhooks
from cnc_station.engine.views.webhooks import DeliveryDetail, WebhookRow
from cnc_station.web.api.bulk import run_bulk
from cnc_station.web.api.job_values import AnswersOut
from cnc_station.web.api.problems import Problem, not_found
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import PageIn
from cnc_station.web.api.webhook_values import (
    DeliveriesIn,
    DeliveriesOut,
    DeliveryDetailOut,
    NewWebhookOut,
    ReplayedOut,
    ReplayIn,
    RotateIn,
    WebhookFields,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)


async def _webhook(call: Call, webhook_id: int) -> WebhookRow:
    for row in await call.door.ask(ListWebhooks()):
        if row.id == webhook_id:
            return row
    raise not_found(f"webhook {webhook_id}")


async def _create(call: Call) -> Reply:
    new = await call.door.execute(CreateWebhook(call.body.spec(), call.body.secret))
    row = await _webhook(call, new.id)
    location = {"Location": f"/api/v1/webhooks/{new.id}"}
    return Reply(NewWebhookOut.of_new(row, new), 201, location, secret=True)


async def _show_list(call: Call) -> Reply:
    query: PageIn = call.query
    rows = await call.door.ask(ListWebhooks())
    webhooks = [WebhookOut.of(row) for row in query.of(rows)]
    return Reply(WebhooksOut(webhooks=webhooks, **query.told(len(rows))))


async def _show(call: Call) -> Reply:
    return Reply(WebhookOut.of(await _webhook(call, call.path["id"])))


async def _edit(call: Call) -> Reply:
    """Change fields of an endpoint; its secret stays."""
    row = await _webhook(call, call.path["id"])
    if row.format is not MessageFormat.WEBHOOK and "url" not in call.body.model_fields_set:
        raise Problem(409, "The address of this endpoint is a secret: give it again to change it.")
    present = WebhookSpec(row.url, row.events, row.tenant, row.enabled, row.format, row.options)
    await call.door.execute(EditWebhook(row.id, replace(present, **call.body.given())))
    return Reply(WebhookOut.of(await _webhook(call, row.id)))


async def _delete(call: Call) -> Reply:
    """Send nothing more to an endpoint; what was sent stays on record."""
    row = await _webhook(call, call.path["id"])
    await call.door.execute(DeleteWebhook(row.id))
    return Reply(None, 204)


async def _test(call: Call) -> Reply:
    """Send a test to an endpoint once, and answer what came of it."""
    row = await _webhook(call, call.path["id"])
    return Reply(DeliveryDetailOut.of_detail(await call.door.execute(TestWebhook(row.id))))


async def _rotate(call: Call) -> Reply:
    row = await _webhook(call, call.path["id"])
    command = RotateWebhookSecret(row.id, call.body.secret, call.body.overlap_s)
    new = await call.door.execute(command)
    return Reply(NewWebhookOut.of_new(await _webhook(call, row.id), new))


async def _deliveries(call: Call) -> Reply:
    query: DeliveriesIn = call.query
    page = await call.door.ask(ListDeliveries(query.chosen(), query.offset, query.limit))
    return Reply(DeliveriesOut.of(page, query.limit))


async def _delivery(call: Call) -> Reply:
    return Reply(DeliveryDetailOut.of_detail(await _detail(call)))


async def _detail(call: Call) -> DeliveryDetail:
    detail = await call.door.ask(DeliveryById(call.path["id"]))
    if detail is None:
        raise not_found(f"delivery {call.path['id']}")
    return detail


async def _replay(call: Call) -> Reply:
    """Send a delivery again."""
    row = (await _detail(call)).row
    (answer,) = await call.door.execute(ReplayDeliveries((row.id,)))
    if not answer.applied:
        raise Conflict(answer.error)
    return Reply(ReplayedOut(replayed=1))


async def _replay_many(call: Call) -> Reply:
    """Send several deliveries again; an answer for each."""
    body: ReplayIn = call.body
    chosen = body.chosen()
    if (body.ids is None) == (chosen is None):
        raise InvalidInput(FieldError("ids", "give either ids, or a filter with expected_count"))
    if body.ids is not None:
        answers = await call.door.execute(ReplayDeliveries(body.ids))
        refused = sum(not answer.applied for answer in answers)
        return Reply(AnswersOut.of(answers, len(answers) - refused, refused))
    if body.expected_count is None:
        raise InvalidInput(FieldError("expected_count", "is missing: how many deliveries match"))
    assert chosen is not None
    return await run_bulk(call, ReplayMatchingDeliveries(chosen, body.expected_count), "deliveries")


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/webhooks",
        "Add a webhook",
        CreateWebhook,
        _create,
        {201: NewWebhookOut},
        body=(WebhookIn,),
        creates=True,
    ),
    Route(
        "GET",
        "/webhooks",
        "List webhooks",
        ListWebhooks,
        _show_list,
        {200: WebhooksOut},
        query=PageIn,
    ),
    Route(
        "GET",
        "/webhooks/{id}",
        "Show a webhook",
        ListWebhooks,
        _show,
        {200: WebhookOut},
        refuses=(404,),
    ),
    Route(
        "PATCH",
        "/webhooks/{id}",
        "Change a webhook",
        EditWebhook,
        _edit,
        {200: WebhookOut},
        body=(WebhookFields,),
        refuses=(404, 409),
    ),
    Route(
        "DELETE",
        "/webhooks/{id}",
        "Delete a webhook",
        DeleteWebhook,
        _delete,
        {204: None},
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/webhooks/{id}/test",
        "Send a test",
        TestWebhook,
        _test,
        {200: DeliveryDetailOut},
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/webhooks/{id}/rotate-secret",
        "Make a new secret",
        RotateWebhookSecret,
        _rotate,
        {200: NewWebhookOut},
        body=(RotateIn,),
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/deliveries",
        "List deliveries",
        ListDeliveries,
        _deliveries,
        {200: DeliveriesOut},
        query=DeliveriesIn,
    ),
    Route(
        "POST",
        "/deliveries/replay",
        "Send several deliveries again",
        ReplayMatchingDeliveries,
        _replay_many,
        {200: AnswersOut},
        body=(ReplayIn,),
        refuses=(409,),
    ),
    Route(
        "GET",
        "/deliveries/{id}",
        "Show a delivery with its attempts",
        DeliveryById,
        _delivery,
        {200: DeliveryDetailOut},
        refuses=(404,),
    ),
    Route(
        "POST",
        "/deliveries/{id}/replay",
        "Send a delivery again",
        ReplayDeliveries,
        _replay,
        {200: ReplayedOut},
        refuses=(404, 409),
    ),
)
