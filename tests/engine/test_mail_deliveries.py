"""Deliveries by e-mail, against a real mail server that takes, refuses, hangs or drops them."""

import asyncio
import email
import email.policy
import socket
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnc_station.cli import doctor_mail
from cnc_station.cli.invocation import Call, Diagnosis, Verdict
from cnc_station.config import Config
from cnc_station.engine.commands import TestWebhook
from cnc_station.engine.domain.message_formats.base import Mail
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.webhooks import WebhookEvent
from cnc_station.engine.outgoing_mail import MailAnswer, MailServer, OutgoingMail
from cnc_station.engine.views.webhooks import DeliveryDetail, DeliveryState
from tests.engine.conftest import Station
from tests.engine.hooks import delay, deliveries, detail, listen
from tests.engine.mail_server import PASSWORD, USER, MailBox, mail_server
from tests.until import until

DEAD, DELIVERED = DeliveryState.DEAD, DeliveryState.DELIVERED
ANNA, BOB = "anna@shop.example", "bob@shop.example"
MAIL = Mail((ANNA, BOB), "A title", "A text", "key-1", 1_795_000_000_000)


def settings(config: Config, box: MailBox, **values: Any) -> Config:
    return replace(
        config,
        http_ca_file=box.ca_file,
        smtp_host="127.0.0.1",
        smtp_port=box.port,
        smtp_from=USER,
        smtp_timeout_s=60.0,
        **values,
    )


@asynccontextmanager
async def client(box: MailBox, **values: Any) -> AsyncIterator[OutgoingMail]:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": box.port,
        "sender": USER,
        "timeout_s": 60.0,
        "ca_file": box.ca_file,
        **values,
    }
    made = OutgoingMail(MailServer(**given))
    yield made
    made.close()


async def test_a_failed_job_is_told_by_mail(
    station: Station, quick: Config, tmp_path: Path
) -> None:
    async with mail_server(tmp_path, auth=True) as box:
        signed_on = {"smtp_user": USER, "smtp_password": PASSWORD}
        floor = await station(settings(quick, box, **signed_on))
        kind = {"format": MessageFormat.EMAIL}
        await listen(floor.door, f"mailto:{ANNA},{BOB}", WebhookEvent.FAILED, **kind)
        job_id = await delay(
            floor.door, {"shouldFail": True, "failMessage": "Größe fehlt"}, retry_limit=0
        )
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
    assert box.logins == [(USER, PASSWORD, True)]
    (envelope,) = box.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (USER, [ANNA, BOB])
    assert isinstance(envelope.content, bytes)
    parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert parsed["Subject"] == f"Job wait (#{job_id}) failed"
    assert parsed["Message-ID"] == f"<{row.key}@shop.example>"
    assert "Größe fehlt" in parsed.get_content()
    logged = await detail(floor.door, row.id)
    (attempt,) = logged.attempts
    assert (attempt.status, attempt.url) == (250, f"mailto:{ANNA},{BOB}")
    assert attempt.response.splitlines()[-1] == "250 queued as A1"
    assert "Größe fehlt" in logged.body
    assert PASSWORD not in repr(logged)


async def test_who_has_a_mail_does_not_get_it_again(
    station: Station, quick: Config, tmp_path: Path
) -> None:
    async with mail_server(tmp_path) as box:
        box.rcpt = lambda address, tries: (
            "451 greylisted, come back" if address == BOB and tries == 1 else "250 OK"
        )
        floor = await station(settings(quick, box))
        kind = {"format": MessageFormat.EMAIL}
        await listen(floor.door, f"mailto:{ANNA},{BOB}", **kind)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
    assert [envelope.rcpt_tos for envelope in box.mails] == [[ANNA], [BOB]]
    first, second = (await detail(floor.door, row.id)).attempts
    assert first.error == f"Not accepted: {BOB}: 451 greylisted, come back."
    assert (second.error, second.status) == ("", 250)


async def test_a_recipient_refused_for_good_ends_the_delivery(
    station: Station, quick: Config, tmp_path: Path
) -> None:
    async with mail_server(tmp_path) as box:
        box.rcpt = lambda address, _: "550 No such user" if address == BOB else "250 OK"
        floor = await station(settings(quick, box))
        webhook_id, _ = await listen(floor.door, f"mailto:{ANNA},{BOB}", format=MessageFormat.EMAIL)
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
        assert row.last_error == f"Not accepted: {BOB}: 550 No such user."
        assert (row.tries, row.due_at) == (1, None)
        assert [envelope.rcpt_tos for envelope in box.mails] == [[ANNA]]
        tested: DeliveryDetail = await floor.door.execute(TestWebhook(webhook_id))
        assert (tested.row.state, tested.attempts[0].status) == (DEAD, 550)


def hanging(box: MailBox) -> None:
    box.data = lambda _: None


def dropping(box: MailBox) -> None:
    box.closing = True


def full(box: MailBox) -> None:
    box.data = lambda _: "452 Disk full"


def spam(box: MailBox) -> None:
    box.data = lambda _: "554 5.7.1 Looks like\x1b spam " + "x" * 2_000


@pytest.mark.parametrize(
    ("trouble", "words", "final", "status"),
    [
        (hanging, "did not take the mail within 0.5 s", False, None),
        (dropping, "The mail server closed the connection.", False, None),
        (full, "The mail server answered 452 Disk full", False, 452),
        (spam, "The mail server answered 554 5.7.1 Looks like\\x1b spam", True, 554),
    ],
)
async def test_a_mail_that_was_not_taken_says_why(
    tmp_path: Path,
    trouble: Callable[[MailBox], None],
    words: str,
    final: bool,
    status: int | None,
) -> None:
    timeout_s = 0.5 if trouble is hanging else 60.0
    async with mail_server(tmp_path) as box, client(box, timeout_s=timeout_s) as mail:
        trouble(box)
        answer = await mail.send(MAIL)
    assert words in answer.error
    assert (answer.final, answer.status, answer.accepted) == (final, status, ())
    assert len(answer.error) < 500
    assert box.mails == []


async def test_a_server_that_says_nothing_or_too_much_is_given_up() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        for _ in range(1_000):
            writer.write(b"220-" + b"x" * 4_000 + b"\r\n")
            await writer.drain()

    async def mute(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    for behaviour, timeout_s, words in (
        (flood, 60.0, "Response too long"),
        (mute, 0.3, "did not take the mail"),
    ):
        answer = await _against(behaviour, timeout_s)
        assert words in answer.error
        assert not answer.final


async def _against(
    behaviour: Callable[[asyncio.StreamWriter], Any], timeout_s: float
) -> MailAnswer:
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await behaviour(writer)
        except OSError:
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    box = MailBox(port=server.sockets[0].getsockname()[1])
    async with client(box, timeout_s=timeout_s, ca_file=None) as mail:
        answer = await mail.send(MAIL)
    server.close()
    for task in tasks:
        task.cancel()
    return answer


async def test_a_password_is_refused_once_and_never_in_clear_text(tmp_path: Path) -> None:
    async with mail_server(tmp_path, auth=True) as box:
        async with client(box, user=USER, password="wrong one") as mail:
            answer = await mail.send(MAIL)
        assert "refused the password: 535" in answer.error
        assert answer.final
        assert all(encrypted for _, _, encrypted in box.logins)
        async with client(box, user=USER) as mail:
            assert "cnc-station secret set smtp" in (await mail.send(MAIL)).error


def address_in_the_network() -> str | None:
    """An address of this computer that is not loopback: a datagram socket that sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(sock.getsockname()[0])


async def test_a_password_goes_without_encryption_to_this_computer_only(tmp_path: Path) -> None:
    plain = {"security": "none", "user": USER, "password": PASSWORD}
    async with (
        mail_server(tmp_path, security="none", auth=True) as box,
        client(box, **plain) as mail,
    ):
        assert (await mail.send(MAIL)).accepted == (ANNA, BOB)
        assert box.logins == [(USER, PASSWORD, False)]
    host = address_in_the_network()
    if host is None:
        pytest.skip("this computer has no address in a network")
    async with (
        mail_server(tmp_path, security="none", auth=True, host=host) as box,
        client(box, host=host, **plain) as mail,
    ):
        answer = await mail.send(MAIL)
        assert "in clear text: set CNC_SMTP_SECURITY to starttls or tls" in answer.error
        assert (answer.final, box.logins) == (True, [])


async def test_a_server_without_encryption_gets_nothing_unless_it_is_allowed(
    tmp_path: Path,
) -> None:
    async with mail_server(tmp_path, security="none") as box:
        async with client(box) as mail:
            answer = await mail.send(MAIL)
        assert "STARTTLS" in answer.error
        assert box.tries == 0
        async with client(box, security="none") as mail:
            assert (await mail.send(MAIL)).accepted == (ANNA, BOB)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_for_another_name_is_refused(tmp_path: Path, security: str) -> None:
    async with mail_server(tmp_path, security=security, name="other.example") as box:
        async with client(box, security=security) as mail:
            answer = await mail.send(MAIL)
        assert "certificate is not valid" in answer.error
        assert box.tries == 0


async def test_tls_from_the_first_byte_works_too(tmp_path: Path) -> None:
    async with mail_server(tmp_path, security="tls") as box, client(box, security="tls") as mail:
        assert (await mail.send(MAIL)).accepted == (ANNA, BOB)


async def test_the_doctor_signs_on_and_sends_nothing(config: Config, tmp_path: Path) -> None:
    async with mail_server(tmp_path, auth=True) as box:
        signed_on = {"smtp_user": USER, "smtp_password": PASSWORD}
        good, bad = settings(config, box, **signed_on), settings(config, box, smtp_user=USER)
        found = [await asyncio.to_thread(_diagnosed, one) for one in (good, bad)]
        assert box.tries == 0
    assert [one.verdict for one in found] == [Verdict.GOOD, Verdict.BAD]
    assert "cnc-station secret set smtp" in found[1].text


def _diagnosed(config: Config) -> Diagnosis:
    (found,) = doctor_mail.mail(Call(Namespace(), config, {}))
    return found


async def test_mail_is_never_sent_to_a_metadata_address() -> None:
    mail = OutgoingMail(MailServer("169.254.169.254", 25, "none", sender=USER, timeout_s=60.0))
    answer = await mail.send(MAIL)
    mail.close()
    assert "not allowed: it is link-local" in answer.error


async def test_without_a_server_in_the_settings_a_mail_says_so(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    webhook_id, _ = await listen(floor.door, f"mailto:{ANNA}", format=MessageFormat.EMAIL)
    tested = await floor.door.execute(TestWebhook(webhook_id))
    assert tested.row.last_error == "The settings name no mail server (CNC_SMTP_HOST)."
