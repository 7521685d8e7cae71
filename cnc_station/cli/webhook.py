"""`webhook`: endpoints that are told of jobs and alerts, and what was delivered to them."""

from cnc_station.cli.bulk import BulkWork, run_confirmed, run_watched
from cnc_station.cli.client import client
from cnc_station.cli.format_options import changed_spec, secret_of, spec_of
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_fields, print_json, print_table, say
from cnc_station.engine.bulk import Bulk, counted
from cnc_station.engine.commands import (
    CreateWebhook,
    DeleteWebhook,
    EditWebhook,
    ReplayDeliveries,
    ReplayMatchingDeliveries,
    RotateWebhookSecret,
    TestWebhook,
)
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.queries import CountDeliveries, DeliveryById, ListDeliveries, ListWebhooks
from cnc_station.engine.views.webhooks import (
    DeliveryDetail,
    DeliveryFilter,
    DeliveryRow,
    DeliveryState,
    NewWebhook,
    WebhookRow,
)


async def endpoints(call: Call) -> int:
    """Print the endpoints."""
    async with client(call.config) as door:
        rows = await door.ask(ListWebhooks())
    if call.json:
        print_json({"webhooks": rows})
        return Exit.OK
    print_table(
        ["ID", "FORMAT", "URL", "EVENTS", "CUSTOMER", "STATE", "PENDING", "DEAD"],
        [
            [
                str(row.id),
                row.format,
                row.url,
                " ".join(row.events) or "alerts",
                row.tenant or "",
                "enabled" if row.enabled else f"disabled {row.disabled_reason}".strip(),
                str(row.pending),
                str(row.dead),
            ]
            for row in rows
        ],
        right="ID PENDING DEAD",
    )
    return Exit.OK


async def add(call: Call) -> int:
    """Add an endpoint and print its secret."""
    spec = spec_of(call.args)
    secret = secret_of(call.args)
    async with client(call.config) as door:
        made = await door.execute(CreateWebhook(spec, secret))
    _print_secret(call, made, f"Webhook {made.id} added.")
    return Exit.OK


async def edit(call: Call) -> int:
    """Change what was given of an endpoint."""
    async with client(call.config) as door:
        row = _found(await door.ask(ListWebhooks()), call.args.id)
        await door.execute(EditWebhook(row.id, changed_spec(call.args, row)))
    return _done(call, "changed")


async def rotate(call: Call) -> int:
    """Replace the secret of an endpoint and print the new one."""
    try:
        overlap_s = table_values.seconds(call.args.overlap)
    except ValueError as error:
        raise InvalidInput(FieldError("overlap", str(error))) from error
    async with client(call.config) as door:
        made = await door.execute(
            RotateWebhookSecret(call.args.id, secret_of(call.args), overlap_s=overlap_s)
        )
    _print_secret(call, made, f"Webhook {made.id} has a new secret.")
    return Exit.OK


def _print_secret(call: Call, made: NewWebhook, sentence: str) -> None:
    if call.json:
        print_json(made)
    elif made.secret is None:
        say(sentence)
    else:
        say(f"{sentence} Keep its secret, it is not shown again: {made.secret}")


async def delete(call: Call) -> int:
    """Delete an endpoint."""
    async with client(call.config) as door:
        await door.execute(DeleteWebhook(call.args.id))
    return _done(call, "deleted")


async def enable(call: Call) -> int:
    """Send to an endpoint again."""
    return await _switch(call, enabled=True)


async def disable(call: Call) -> int:
    """Send nothing to an endpoint for now."""
    return await _switch(call, enabled=False)


async def _switch(call: Call, *, enabled: bool) -> int:
    async with client(call.config) as door:
        row = _found(await door.ask(ListWebhooks()), call.args.id)
        spec = WebhookSpec(row.url, row.events, row.tenant, enabled, row.format, row.options)
        await door.execute(EditWebhook(row.id, spec))
    return _done(call, "enabled" if enabled else "disabled")


def _found(rows: tuple[WebhookRow, ...], webhook_id: int) -> WebhookRow:
    for row in rows:
        if row.id == webhook_id:
            return row
    raise Conflict(f"There is no webhook {webhook_id}.")


def _done(call: Call, what: str) -> int:
    if call.json:
        print_json({"id": call.args.id, "result": what})
    else:
        say(f"Webhook {call.args.id} {what}.")
    return Exit.OK


async def test(call: Call) -> int:
    """Send a test and print what came of it. Fails if the receiver did not accept it."""
    async with client(call.config) as door:
        detail = await door.execute(TestWebhook(call.args.id))
    _print_detail(call, detail)
    return Exit.OK if detail.row.state is DeliveryState.DELIVERED else Exit.REFUSED


async def deliveries(call: Call) -> int:
    """Print deliveries, or one with its attempts."""
    args = call.args
    async with client(call.config) as door:
        if args.id is not None:
            detail = await door.ask(DeliveryById(args.id))
            if detail is None:
                raise Conflict(f"There is no delivery {args.id}.")
            _print_detail(call, detail)
            return Exit.OK
        page = await door.ask(ListDeliveries(_filter(call), limit=max(1, args.limit)))
    if call.json:
        print_json({"deliveries": page.rows, "total": page.total})
        return Exit.OK
    print_table(
        ["ID", "WEBHOOK", "EVENT", "JOB", "QUEUED", "STATE", "TRIES", "NEXT", "ERROR"],
        [_line(row, call) for row in page.rows],
        right="ID WEBHOOK JOB TRIES",
    )
    if len(page.rows) < page.total:
        say(f"{len(page.rows)} of {page.total:,} deliveries; more with --limit.")
    return Exit.OK


async def replay(call: Call) -> int:
    """Send deliveries again: those named, or those of a filter whose number is known."""
    ids, chosen = tuple(call.args.ids), _filter(call)
    if bool(ids) == (chosen != DeliveryFilter()):
        raise InvalidInput(FieldError("ids", "must be given, or a filter, but not both"))
    async with client(call.config) as door:
        if ids:
            work = BulkWork("replay", len(ids), "delivery")
            return await run_watched(call, door, work, Bulk.each(ids, ReplayDeliveries))
        found = (await door.ask(CountDeliveries(chosen))).replayable
        if not call.json:
            say(f"{counted(found, 'delivery')} can be sent again.")
        count = found if call.args.expect is None else call.args.expect
        bulk = Bulk.matching(ReplayMatchingDeliveries(chosen, count))
        return await run_confirmed(call, door, BulkWork("replay", count, "delivery"), bulk)


def _filter(call: Call) -> DeliveryFilter:
    args = call.args
    try:
        states = frozenset(DeliveryState(name.lower()) for name in args.state)
    except ValueError as error:
        known = ", ".join(DeliveryState)
        raise InvalidInput(FieldError("state", f"must be one of {known}")) from error
    since = call.moment("since", args.since)
    return DeliveryFilter(args.webhook, args.job, states, args.event, since)


def _line(row: DeliveryRow, call: Call) -> list[str]:
    zone = call.config.time_zone
    return [
        str(row.id),
        str(row.webhook_id),
        row.event,
        "" if row.job_id is None else str(row.job_id),
        clock(row.at, zone),
        row.state,
        str(row.tries),
        clock(row.due_at, zone),
        row.last_error,
    ]


def _print_detail(call: Call, detail: DeliveryDetail) -> None:
    if call.json:
        print_json(detail)
        return
    row, zone = detail.row, call.config.time_zone
    print_fields(
        [
            ("Delivery", f"{row.id}  {row.event} to {row.url}"),
            ("State", row.state),
            ("Queued", clock(row.at, zone)),
            ("Next attempt", clock(row.due_at, zone)),
            ("Delivery id", row.key),
            ("Body", detail.body),
        ]
    )
    say()
    print_table(
        ["AT", "STATION", "STATUS", "SECONDS", "ERROR", "ANSWER"],
        [
            [
                clock(attempt.at, zone),
                attempt.station,
                "" if attempt.status is None else str(attempt.status),
                f"{attempt.duration_s:.2f}",
                attempt.error,
                attempt.response[:80],
            ]
            for attempt in detail.attempts
        ],
        right="STATUS SECONDS",
    )
