"""What `OutgoingMail` needs of aiosmtplib: one connection to an address that was checked."""

import asyncio
import datetime as dt
import ipaddress
import platform
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as CRLF
from typing import Any

import aiosmtplib

from cnc_station.engine.domain.dialled_address import refusal
from cnc_station.engine.domain.message_formats.base import Mail
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.outgoing_mail import MailAnswer, MailServer
from cnc_station.peers import limits

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_MOST_WORDS = 300  # of one answer

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class _MailFailed(Exception):
    """`answer` is the server's, if it was one; `final` if another try would give the same."""

    def __init__(
        self, words: str, status: int | None = None, answer: str = "", *, final: bool = False
    ) -> None:
        super().__init__(words)
        self.status = status
        self.answer = answer
        self.final = final


@dataclass(frozen=True, slots=True)
class Dialled:
    """A mail server whose name was looked up."""

    server: MailServer
    tls: ssl.SSLContext
    found: tuple[AddressInfo, ...]

    async def send(self, mail: Mail, accepted: tuple[str, ...]) -> MailAnswer:
        """See `OutgoingMail.send`."""
        try:
            client = await self._connect()
        except _MailFailed as failed:
            return MailAnswer(accepted, failed.status, failed.answer, str(failed), failed.final)
        answers: list[str] = []
        try:
            answer = MailAnswer(accepted)
            if mail.recipients:
                answer = await self._transfer(client, mail, accepted, answers)
            _leave(client)
        except _MailFailed as failed:
            words = "\n".join(filter(None, [*answers, failed.answer]))
            return MailAnswer(accepted, failed.status, words, str(failed), failed.final)
        finally:
            _drop(client)
        return answer

    async def _connect(self) -> aiosmtplib.SMTP:
        """Connect, encrypt and sign on. Raises _MailFailed."""
        server = self.server
        sock = await self._dial()
        local = _is_loopback(sock)
        client = aiosmtplib.SMTP(
            hostname=server.host,
            sock=sock,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self.tls,
            timeout=min(server.timeout_s, limits.SMTP.first_byte_s),
            local_hostname=_own_name(sock),
        )
        try:
            await _translated(client.connect)
            if server.user:
                if server.security == "none" and not local:
                    raise _MailFailed(
                        f"The password for {server.host} would go over the network in clear text: "
                        "set CNC_SMTP_SECURITY to starttls or tls.",
                        final=True,
                    )
                if not server.password:
                    raise _MailFailed(
                        f"There is no password for {server.user}: cnc-station secret set smtp.",
                        final=True,
                    )
                await _translated(lambda: client.login(server.user, server.password))
        except BaseException:
            _drop(client)
            raise
        return client

    async def _dial(self) -> socket.socket:
        """Return a socket that is connected to the first address that answers."""
        loop = asyncio.get_running_loop()
        failed = _MailFailed(f"The name {self.server.host} has no address.")
        for family, kind, protocol, _, place in self.found:
            if reason := refusal(str(place[0])):
                words = f"No connection: mail to {place[0]} is not allowed: it is {reason}."
                failed = _MailFailed(words)
                continue
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, place)
            except OSError as error:
                sock.close()
                words = error.strerror or str(error)
                failed = _MailFailed(f"No connection to {self.server.host}: {words}.")
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failed

    async def _transfer(
        self, client: aiosmtplib.SMTP, mail: Mail, accepted: tuple[str, ...], answers: list[str]
    ) -> MailAnswer:
        """Hand the mail over to the recipients that the server takes. Raises _MailFailed."""
        sender = self.server.sender
        content = message(mail, sender)
        await _translated(lambda: client.mail(sender))
        taken: list[str] = []
        refused: list[_MailFailed] = []
        why: list[str] = []
        for recipient in mail.recipients:
            if recipient in accepted:
                continue
            try:
                answer = await _translated(lambda one=recipient: client.rcpt(one))  # type: ignore[misc]
            except _MailFailed as failed:
                if failed.status is None:
                    raise
                refused.append(failed)
                answers.append(f"{recipient}: {failed.answer}")
                why.append(answers[-1])
            else:
                taken.append(recipient)
                answers.append(f"{recipient}: {answer.code} {_words(answer.message)}")
        status = refused[-1].status if refused else 250
        if taken:
            answer = await _translated(lambda: client.data(content))
            status = status if refused else answer.code
            answers.append(f"{answer.code} {_words(answer.message)}")
        return MailAnswer(
            accepted + tuple(taken),
            status,
            "\n".join(answers),
            f"Not accepted: {'; '.join(why)}." if refused else "",
            bool(refused) and all(one.final for one in refused),
        )


def message(mail: Mail, sender: str) -> bytes:
    """Return a mail as it is sent: the same bytes in every try."""
    made = EmailMessage(policy=CRLF)
    made["From"] = sender
    made["To"] = ", ".join(mail.recipients)
    made["Subject"] = mail.subject
    made["Date"] = dt.datetime.fromtimestamp(mail.at // 1000, tz=dt.UTC)
    made["Message-ID"] = f"<{mail.key}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text)
    return made.as_bytes()


async def _translated(command: Callable[[], Awaitable[Any]]) -> Any:
    """Run one command of the library; raise its errors as _MailFailed, in words."""
    try:
        return await command()
    except aiosmtplib.SMTPAuthenticationError as error:
        answer = f"{error.code} {_words(error.message)}"
        words = f"The mail server refused the password: {answer}"
        raise _MailFailed(words, error.code, answer, final=error.code >= 500) from error
    except aiosmtplib.SMTPConnectResponseError as error:
        answer = f"{error.code} {_words(error.message)}"
        raise _MailFailed(f"The mail server is not ready: {answer}", error.code, answer) from error
    except aiosmtplib.SMTPResponseException as error:
        answer = f"{error.code} {_words(error.message)}"
        final = 500 <= error.code < 600
        words = f"The mail server answered {answer}"
        raise _MailFailed(words, error.code, answer, final=final) from error
    except aiosmtplib.SMTPTimeoutError as error:
        raise _MailFailed("The mail server did not answer in time.") from error
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError) as error:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            raise _MailFailed(f"TLS failed: {_words(str(cause))}") from error
        raise _MailFailed("The mail server closed the connection.") from error
    except ssl.SSLCertVerificationError as error:
        words = _words(error.verify_message)
        raise _MailFailed(f"The mail server's certificate is not valid: {words}") from error
    except (aiosmtplib.SMTPException, MessageError, OSError, ValueError) as error:
        raise _MailFailed(f"The mail was not sent: {_words(str(error))}") from error


def _leave(client: aiosmtplib.SMTP) -> None:
    """End the session. The server's answer is not awaited: it could only delay what is decided."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.write(b"QUIT\r\n")
    client.close()


def _drop(client: aiosmtplib.SMTP) -> None:
    """Close the connection without waiting for the server. The socket belongs to it."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _words(text: str) -> str:
    return visible(" ".join(text.split()), _MOST_WORDS)


def _is_loopback(sock: socket.socket) -> bool:
    return ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback


def _own_name(sock: socket.socket) -> str:
    """How this computer calls itself: its name, or its address."""
    name = platform.node()
    if _HOST_NAME.fullmatch(name):
        return name
    address = sock.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
