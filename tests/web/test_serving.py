"""What a station serves at which address, to whom, and how it stops."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine
from cnc_station.web import certificate
from cnc_station.web.clients import Clients
from cnc_station.web.guards import Guards
from cnc_station.web.server import WebServer
from cnc_station.web.serving import Address, addresses, serving
from tests.tools.servers import free_port
from tests.until import until
from tests.web.raw_http import LOCALHOST, ask, get, send

ANY = "0.0.0.0"
ERP = "https://erp.shop.example"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, f"sqlite:///{tmp_path / 'station.db'}", station="Hall 1")


@pytest.fixture
async def engine(config: Config) -> AsyncIterator[StationEngine]:
    found = StationEngine(config)
    await found.start()
    yield found
    await found.stop()


@asynccontextmanager
async def served(
    engine: StationEngine, guards: Guards, host: str = LOCALHOST
) -> AsyncIterator[int]:
    server = WebServer(engine.local_door, guards)
    yield await server.start(host, 0)
    await server.stop()


@pytest.mark.parametrize(
    ("given", "default", "expected"),
    [
        ({}, 0, []),
        ({}, 8460, [Address(LOCALHOST, 8460, True)]),
        ({"health_port": 0}, 8460, []),
        ({"health_port": 9000}, 0, [Address(LOCALHOST, 9000, True)]),
        ({"api_port": 9000}, 0, [Address(LOCALHOST, 9000, True)]),
        ({"api_port": 0, "health_port": 9000}, 8460, [Address(LOCALHOST, 9000, False)]),
        ({"api_port": 9000, "health_port": 0}, 8460, [Address(LOCALHOST, 9000, True)]),
        ({"health_host": ANY}, 8460, [Address(ANY, 8460, True)]),
        ({"api_host": ANY, "health_host": LOCALHOST}, 8460, [Address(ANY, 8460, True)]),
        (
            {"api_port": 9000, "health_host": ANY, "health_port": 8460},
            0,
            [Address(LOCALHOST, 9000, True), Address(ANY, 8460, False)],
        ),
    ],
)
def test_the_settings_say_what_is_served_where(
    config: Config, given: dict[str, Any], default: int, expected: list[Address]
) -> None:
    assert list(addresses(replace(config, **given), default)) == expected


async def test_health_alone_is_served_at_an_address_of_its_own(
    config: Config, engine: StationEngine
) -> None:
    api, health = free_port(), free_port()
    both = replace(config, api_port=api, health_port=health)
    async with serving(both, engine.local_door):
        assert (await get(api)).status == (await get(api, "/health/live")).status == 200
        assert (await get(health, "/health/live")).status == 200
        assert (await get(health)).status == 404


async def test_the_network_reaches_health_and_not_the_api(engine: StationEngine) -> None:
    async with served(engine, Guards(), ANY) as port, aiohttp.ClientSession() as client:
        outside = f"http://{other_address()}:{port}"
        host = {"Host": "localhost"}
        async with client.get(f"{outside}/health/live", headers=host) as answer:
            assert answer.status == 200
        async with client.get(f"{outside}/api/v1/machines", headers=host) as answer:
            assert answer.status == 403
            assert (await answer.json())["type"] == "/problems/forbidden"
        assert (await get(port)).status == 200


def other_address() -> str:
    """An address of this computer that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this computer has no network")
        return str(one.getsockname()[0])


async def test_the_station_answers_to_its_own_names_only(engine: StationEngine) -> None:
    name = "cnc.shop.example"
    own = ("localhost", "LOCALHOST:8460", "[::1]:8460", name, f"{name}:443")
    other = ("evil.example", "localhost.evil.example", "localhost@evil.example", "localhost:x", "")
    async with served(engine, Guards(hosts=(name,))) as port:
        for host in (*own, *other):
            assert (await get(port, Host=host)).status == (200 if host in own else 421), host
            assert (await get(port, "/health/live", Host=host)).status == 200


async def test_pages_of_listed_origins_use_the_api_and_others_do_not(
    engine: StationEngine,
) -> None:
    preflight = {"Host": "localhost", "Connection": "close", "Access-Control-Request-Method": "PUT"}
    async with served(engine, Guards(origins=(ERP,))) as port:
        own = await get(port, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")
        assert (own.status, "access-control-allow-origin" in own.headers) == (200, False)
        listed = await get(port, Origin=ERP)
        assert listed.headers["access-control-allow-origin"] == ERP
        assert listed.headers["vary"] == "Origin"
        missing = await get(port, "/api/v1/jobs/7", Origin=ERP)
        assert (missing.status, missing.headers["access-control-allow-origin"]) == (404, ERP)
        asked = await ask(port, "OPTIONS /api/v1/jobs/7 HTTP/1.1", preflight | {"Origin": ERP})
        assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, ERP)
        assert "If-Match" in asked.headers["access-control-allow-headers"]
        for origin in ("https://evil.example", f"{ERP}.evil.example", "null", ERP.upper()):
            foreign = await get(port, Origin=origin)
            assert (foreign.status, foreign.problem["type"]) == (403, "/problems/forbidden")
            assert "access-control-allow-origin" not in foreign.headers
            asked = await ask(port, "OPTIONS /api/v1/jobs HTTP/1.1", preflight | {"Origin": origin})
            assert asked.status == 403


async def test_all_origins_are_served_without_credentials(engine: StationEngine) -> None:
    async with served(engine, Guards(origins=("*",))) as port:
        headers = (await get(port, Origin="https://anybody.example")).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    ("proxies", "sent", "remote", "scheme"),
    [
        ((), "10.0.0.9", LOCALHOST, "http"),
        (("127.0.0.0/8",), "10.0.0.9", "10.0.0.9", "https"),
        (("127.0.0.1", "10.0.0.0/24"), "6.6.6.6, 172.16.0.1, 10.0.0.2", "172.16.0.1", "https"),
        (("127.0.0.1",), "not an address", LOCALHOST, "https"),
        (("10.1.1.1",), "10.0.0.9", LOCALHOST, "http"),
    ],
)
async def test_only_a_trusted_proxy_names_the_client(
    proxies: tuple[str, ...], sent: str, remote: str, scheme: str
) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {request.scheme}")

    app = web.Application()
    app.router.add_get("/", tell)
    Guards(proxies=proxies).add_to(app)
    server = Clients(app)
    port = await server.start(LOCALHOST, 0)
    answer = await get(port, "/", X_Forwarded_For=sent, X_Forwarded_Proto="https")
    assert answer.body.decode() == f"{remote} {scheme}"
    await server.stop()


async def test_a_renewed_certificate_is_used_without_a_restart(
    config: Config, engine: StationEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "LOOK_S", 0.02)
    authority = trustme.CA()
    chain, key = tmp_path / "station.crt", tmp_path / "station.key"
    write(authority.issue_cert("localhost"), chain, key)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.check_hostname = False
    port = free_port()
    with_tls = replace(config, api_port=port, api_certificate=chain, api_key=key)

    async def serial() -> str:
        _, writer = await asyncio.open_connection(LOCALHOST, port, ssl=trusting)
        found = str(writer.get_extra_info("peercert")["serialNumber"])
        writer.close()
        return found

    async with serving(with_tls, engine.local_door):
        request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        (answer,) = await send(port, request, tls=trusting)
        assert answer.status == 200
        assert await send(port, request) == []  # in clear text
        before = await serial()
        key.write_text("nonsense")
        write(authority.issue_cert("localhost"), chain, key)

        async def renewed() -> bool:
            return await serial() != before

        await until(renewed)


async def test_a_slow_handshake_keeps_nobody_waiting(engine: StationEngine, tmp_path: Path) -> None:
    authority = trustme.CA()
    chain, key = tmp_path / "station.crt", tmp_path / "station.key"
    write(authority.issue_cert("localhost"), chain, key)
    found = certificate.Certificate(chain, key)
    found.load()
    assert found.context().minimum_version is ssl.TLSVersion.TLSv1_2
    server = WebServer(engine.local_door)
    port = await server.start(LOCALHOST, 0, found)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.check_hostname = False
    slow = [await asyncio.open_connection(LOCALHOST, port) for _ in range(20)]
    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with asyncio.timeout(4):
        assert (await send(port, request, tls=trusting))[0].status == 200
    for _, writer in slow:
        writer.close()
    await server.stop()


async def test_a_key_that_others_may_read_is_refused(
    config: Config, engine: StationEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    chain, key = tmp_path / "station.crt", tmp_path / "station.key"
    write(trustme.CA().issue_cert("localhost"), chain, key)
    key.chmod(0o644)
    port = free_port()
    with_tls = replace(config, api_port=port, api_certificate=chain, api_key=key)
    async with serving(with_tls, engine.local_door):
        assert "Other accounts may read the key" in caplog.text
        with pytest.raises(ConnectionError):
            await get(port)


def write(issued: trustme.LeafCert, chain: Path, key: Path) -> None:
    draft = key.with_suffix(".new")
    draft.touch(0o600)
    draft.write_bytes(issued.private_key_pem.bytes())
    draft.replace(key)
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))


async def test_a_station_that_stops_answers_what_runs_and_ends_its_websockets() -> None:
    began, go = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        began.set()
        await go.wait()
        return web.Response(text="done")

    async def stream(request: web.Request) -> web.WebSocketResponse:
        one = web.WebSocketResponse()
        await one.prepare(request)
        sockets.append(one)
        async for _ in one:
            pass
        return one

    async def going(_app: web.Application) -> None:
        for one in sockets:
            await one.close(code=1001)

    sockets: list[web.WebSocketResponse] = []
    app = web.Application()
    app.router.add_get("/slow", slow)
    app.router.add_get("/ws", stream)
    app.on_shutdown.append(going)
    server = Clients(app)
    port = await server.start(LOCALHOST, 0)
    async with aiohttp.ClientSession(f"http://{LOCALHOST}:{port}") as client:
        stream_in = await client.ws_connect("/ws")
        reader, writer = await asyncio.open_connection(LOCALHOST, port)
        asked = asyncio.create_task(client.get("/slow"))
        await began.wait()
        stopping = asyncio.create_task(server.stop())
        await until(lambda: not listens(port))
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 503")
        assert not asked.done()
        go.set()
        assert await (await asked).text() == "done"
        assert (await stream_in.receive()).data == 1001
        await stopping
    writer.close()


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((LOCALHOST, port)) == 0
