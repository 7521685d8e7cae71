"""`webhook-test`: receive webhooks on this computer, and show them."""

import asyncio

from aiohttp import web

from cnc_station.cli.format_options import secret_of
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_json, say
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.web.webhook_receiver import (
    ReceivedWebhook,
    Response,
    WebhookReceiver,
    application,
)

HOST = "127.0.0.1"


async def receive(call: Call) -> int:
    """Listen until enough requests have come, or until it is interrupted. Fails if one of them was
    not signed with the secret."""
    args = call.args
    enough = asyncio.Event()
    valid: list[bool] = []

    def show(received: ReceivedWebhook) -> None:
        _print(call, received)
        valid.append(received.valid is not False)
        if len(valid) == args.count:
            enough.set()

    response = _response(call)
    receiver = WebhookReceiver(secret_of(args), show)
    runner = web.AppRunner(application(receiver, response), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, args.port).start()
    except OSError as error:
        await runner.cleanup()
        raise Unavailable(f"Port {args.port} can't be used: {error.strerror}.") from error
    if not call.json:
        say(f"Receiving at http://{HOST}:{runner.addresses[0][1]}/", flush=True)
    try:
        await enough.wait()
        await asyncio.sleep(response.delay_s)
    finally:
        await runner.cleanup()
    return Exit.OK if all(valid) else Exit.REFUSED


def _response(call: Call) -> Response:
    try:
        return Response.read(call.args.respond, table_values.seconds(call.args.delay))
    except ValueError as error:
        raise InvalidInput(FieldError("respond", str(error))) from error


def _print(call: Call, received: ReceivedWebhook) -> None:
    if call.json:
        print_json(received, one_line=True)
        return
    words = {True: "signature valid", False: "SIGNATURE NOT VALID", None: "signature not checked"}
    event = received.headers.get("X-Event", "")
    say(f"{clock(received.at, call.config.time_zone)}  {event}  {words[received.valid]}")
    say(f"  {received.body}", flush=True)
