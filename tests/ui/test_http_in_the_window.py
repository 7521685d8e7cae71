"""The HTTP library on the window's loop, which is not asyncio's own."""

import asyncio

import aiohttp
from aiohttp import web

from cnc_station.web.server import WebServer
from tests.ui.real_engine import Office

LOCALHOST = "127.0.0.1"


async def test_a_station_with_a_window_serves_its_health_too(office: Office) -> None:
    server = WebServer(office.door)
    port = await server.start(LOCALHOST, 0)
    async with aiohttp.ClientSession() as client:
        for _ in range(20):
            async with client.get(f"http://{LOCALHOST}:{port}/health/ready") as answer:
                assert answer.status == 200
                assert (await answer.json())["station"] == "A"
    await server.stop()


async def test_websockets_and_slow_requests_work_on_the_windows_loop() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/ws", echo)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, LOCALHOST, 0).start()
    url = f"http://{LOCALHOST}:{runner.addresses[0][1]}/ws"

    async def talk(client: aiohttp.ClientSession, name: int) -> list[str]:
        async with client.ws_connect(url) as socket:
            heard = []
            for number in range(50):
                await socket.send_str(f"{name} {number}")
                heard.append(await socket.receive_str())
            return heard

    async with aiohttp.ClientSession() as client:
        heard = await asyncio.gather(*(talk(client, name) for name in range(5)))
    assert heard == [[f"{name} {number}" for number in range(50)] for name in range(5)]
    await runner.cleanup()
