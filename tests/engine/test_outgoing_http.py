import asyncio
import datetime as dt
import gzip
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from cnc_station.engine.outgoing_http import (
    KEPT_HEADERS,
    HttpFailed,
    HttpRequest,
    OutgoingHttp,
)
from tests.engine.receiver import answering, raw_server
from tests.until import until

KEEP = 16 * 1024


@pytest.fixture
async def http() -> AsyncIterator[OutgoingHttp]:
    client = OutgoingHttp()
    yield client
    await client.close()


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Resolve every name that is not a number to these addresses, one after the other."""
    real, left = socket.getaddrinfo, list(answers)

    def lookup(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, port, *rest, **named)
        return real(left.pop(0) if len(left) > 1 else left[0], port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


async def test_an_answer_comes_with_its_status_headers_and_body(http: OutgoingHttp) -> None:
    async with raw_server(answering("418 I am a teapot", b"short", "X-Kind: tea")) as url:
        answer = await http.send(HttpRequest("POST", url, {"X-A": "b"}, b"{}"))
    assert (answer.status, answer.body, answer.truncated) == (418, b"short", False)
    assert answer.headers["X-Kind"] == "tea"
    assert answer.duration_s > 0


async def test_a_redirect_is_an_answer_and_is_not_followed(http: OutgoingHttp) -> None:
    async with raw_server(answering("307 Go", b"", "Location: http://169.254.169.254/")) as url:
        answer = await http.send(HttpRequest("POST", url, {}, b"x"))
    assert answer.status == 307


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.254.43518"),
        *("[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0", "0", "[::]"),
        *("255.255.255.255", "224.0.0.1", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200"),
    ],
)
async def test_a_forbidden_address_is_not_dialled_however_it_is_written(
    http: OutgoingHttp, host: str
) -> None:
    with pytest.raises(HttpFailed, match=r"not allowed|not found|valid URL"):
        await http.send(HttpRequest("GET", f"http://{host}:9/", timeout_s=10.0))


async def test_a_name_is_judged_by_what_it_leads_to_when_it_is_dialled(
    http: OutgoingHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(answering()) as url:
        port = url.rpartition(":")[2]
        resolving(monkeypatch, "127.0.0.1", "169.254.169.254")
        first = await http.send(HttpRequest("GET", f"http://hook.example:{port}/"))
        assert first.status == 200
        await http.close()  # and with it what is remembered of names
        with pytest.raises(HttpFailed, match=r"169\.254\.169\.254 are not allowed: it is link-loc"):
            await http.send(HttpRequest("GET", f"http://hook.example:{port}/"))


async def test_what_a_proxy_would_dial_is_judged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    async def proxy(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head.splitlines()[0])
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async with raw_server(proxy) as address, raw_server(answering("201 Made")) as direct:
        client = OutgoingHttp(address)
        resolving(monkeypatch, "93.184.215.14", "169.254.169.254")
        outside = HttpRequest("GET", "http://hook.example/a")
        assert (await client.send(outside)).status == 204
        assert seen == [b"GET http://hook.example/a HTTP/1.1"]
        with pytest.raises(HttpFailed, match="not allowed"):
            await client.send(outside)
        assert (await client.send(HttpRequest("GET", direct))).status == 201
        assert len(seen) == 1, "this computer needs no proxy"
        await client.close()


async def test_five_hundred_megabytes_are_not_read(http: OutgoingHttp) -> None:
    sent = 0

    async def flood(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 524288000\r\n\r\n")
        for _ in range(8000):
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with raw_server(flood) as url:
        answer = await http.send(HttpRequest("POST", url, {}, b"x"), keep=KEEP)
    assert (len(answer.body), answer.truncated) == (KEEP, True)
    assert sent < 50_000_000


async def test_a_small_answer_that_unpacks_to_a_huge_one_stays_small(http: OutgoingHttp) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    async with raw_server(answering("200 OK", bomb, "Content-Encoding: gzip")) as url:
        tracemalloc.start()
        answer = await http.send(HttpRequest("GET", url), keep=len(bomb))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (len(answer.body), answer.truncated) == (len(bomb), True)
    assert peak < 20_000_000


async def test_headers_are_kept_up_to_a_limit_as_text_that_can_be_stored(
    http: OutgoingHttp,
) -> None:
    async def many(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Old: caf\xe9\r\n")
        writer.write("X-Odd: a\u202eb\r\n".encode())
        writer.write(b"".join(b"X-%d: %s\r\n" % (at, b"y" * 8_000) for at in range(80)) + b"\r\n")

    async with raw_server(many) as url:
        answer = await http.send(HttpRequest("GET", url))
    assert (answer.headers["X-Old"], answer.headers["X-Odd"]) == ("café", "a\\u202eb")
    kept = "".join((*answer.headers, *answer.headers.values()))
    kept.encode()
    assert len(kept) <= KEPT_HEADERS
    assert "X-0" in answer.headers


async def test_endless_headers_are_refused(http: OutgoingHttp) -> None:
    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            writer.write(b"X-%d: %s\r\n" % (number, b"y" * 1000))
            await writer.drain()

    async with raw_server(endless) as url:
        with pytest.raises(HttpFailed, match="not valid HTTP"):
            await http.send(HttpRequest("GET", url))


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
async def test_a_server_that_hangs_ends_with_the_time_limit(
    http: OutgoingHttp, begun: bytes
) -> None:
    async def hang(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await asyncio.Event().wait()

    async with raw_server(hang) as url:
        with pytest.raises(HttpFailed, match=r"no complete answer within 0\.3 s"):
            await http.send(HttpRequest("GET", url, timeout_s=0.3))


async def test_hanging_servers_do_not_use_up_the_connections_of_others(http: OutgoingHttp) -> None:
    asked = 0

    async def hang(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()

    async with raw_server(hang) as hanging, raw_server(answering()) as good:
        waiting = [
            asyncio.create_task(http.send(HttpRequest("GET", hanging, timeout_s=60.0)))
            for _ in range(150)
        ]
        await until(lambda: asked == 150)
        assert (await http.send(HttpRequest("GET", good))).status == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_answer_that_trickles_in_ends_with_the_time_limit(http: OutgoingHttp) -> None:
    async def trickle(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(trickle) as url:
        with pytest.raises(HttpFailed, match="within"):
            await http.send(HttpRequest("GET", url, timeout_s=0.4))


@pytest.mark.parametrize(
    ("begun", "words"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "in the middle of its answer"),
        (b"Mind the gap\r\n\r\n", "not valid HTTP"),
    ],
)
async def test_a_server_that_breaks_off_is_a_failure_in_words(
    http: OutgoingHttp, begun: bytes, words: str
) -> None:
    async def break_off(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        await writer.drain()

    async with raw_server(break_off) as url:
        with pytest.raises(HttpFailed, match=words):
            await http.send(HttpRequest("POST", url, {}, b"x"))


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/", "http://", "http://a b/", "file:///x"])
async def test_what_is_not_an_http_address_is_a_failure_in_words(
    http: OutgoingHttp, url: str
) -> None:
    with pytest.raises(HttpFailed):
        await http.send(HttpRequest("GET", url))


async def test_a_header_cannot_smuggle_in_another_one(http: OutgoingHttp) -> None:
    async with raw_server(answering()) as url:
        with pytest.raises(HttpFailed, match="failed"):
            await http.send(HttpRequest("GET", url, {"X-A": "b\r\nX-C: d"}))


async def test_a_cancelled_request_closes_its_connection(http: OutgoingHttp) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        left.set()
        writer.close()

    server = await asyncio.start_server(watch, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sending = asyncio.create_task(http.send(HttpRequest("GET", f"http://127.0.0.1:{port}/")))
    await asked.wait()
    sending.cancel()
    await asyncio.wait_for(left.wait(), 30)
    server.close()


async def test_the_shop_s_own_authority_is_trusted_only_by_its_file(tmp_path: Path) -> None:
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await answering()(b"", writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    trusting, plain = OutgoingHttp(ca_file=file), OutgoingHttp()
    assert (await trusting.send(HttpRequest("GET", url))).status == 200
    with pytest.raises(HttpFailed, match="certificate"):
        await plain.send(HttpRequest("GET", url))
    await trusting.close()
    await plain.close()
    server.close()


@pytest.mark.parametrize("fault", ["expired", "mismatch"])
async def test_a_certificate_that_is_not_valid_is_named_in_words(
    tmp_path: Path, fault: str
) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    cert = (
        authority.issue_cert("127.0.0.1", not_after=past)
        if fault == "expired"
        else authority.issue_cert("other.example")
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cert.configure_cert(tls)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
    client = OutgoingHttp(ca_file=file)
    with pytest.raises(HttpFailed, match=f"The certificate of 127.0.0.1 is not valid: .*{fault}"):
        await client.send(
            HttpRequest("GET", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        )
    await client.close()
    server.close()


async def test_another_program_at_the_port_is_named_in_one_line(http: OutgoingHttp) -> None:
    async def greet(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\x1b[2J " + b"x" * 4_000 + b"\r\n\r\n")

    async with raw_server(greet) as url:
        with pytest.raises(HttpFailed, match="not valid HTTP") as failed:
            await http.send(HttpRequest("GET", url))
    assert str(failed.value).isprintable()
    assert len(str(failed.value)) < 300
