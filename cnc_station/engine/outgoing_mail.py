"""The one client for outgoing e-mail.

It dials only addresses that `domain/dialled_address.py` allows, and checks the server's certificate
whenever there is one. A password never goes over a network in clear text. However the server
answers, or does not, time and memory are bounded.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnc_station.config import Config
from cnc_station.engine.domain.message_formats.base import Mail

if TYPE_CHECKING:
    from cnc_station.engine.smtp_session import Dialled

PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOOKUPS = 4


@dataclass(frozen=True, slots=True)
class MailServer:
    """The settings. `security`: starttls, tls or none. Without a `user` nobody signs on."""

    host: str
    port: int | None = None
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    timeout_s: float = 30.0
    ca_file: Path | None = None


def mail_server(config: Config) -> MailServer:
    """Return the mail server of the settings."""
    return MailServer(
        config.smtp_host,
        config.smtp_port,
        config.smtp_security,
        config.smtp_user,
        config.smtp_password,
        config.smtp_from,
        config.smtp_timeout_s,
        config.http_ca_file,
    )


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """What came of one try. `accepted` are the recipients that have the mail now.

    `status` is the last code of the server, None if there was none; `words` what it answered.
    `error` is "" if all have it; `final` if another try would give the same.
    """

    accepted: tuple[str, ...] = ()
    status: int | None = None
    words: str = ""
    error: str = ""
    final: bool = False


class OutgoingMail:
    """One for each station; a connection for each mail."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._threads: ThreadPoolExecutor | None = None

    async def send(self, mail: Mail, accepted: tuple[str, ...] = ()) -> MailAnswer:
        """Send a mail to those of its recipients that have not `accepted` it yet. If this is
        cancelled, the connection is closed."""
        server = self._server
        if not server.host:
            return MailAnswer(accepted, error="The settings name no mail server (CNC_SMTP_HOST).")
        try:
            async with asyncio.timeout(server.timeout_s):
                return await self._send(mail, accepted)
        except TimeoutError:
            words = f"{server.host} did not take the mail within {server.timeout_s:g} s."
            return MailAnswer(accepted, error=words)

    async def check(self) -> str:
        """Connect, encrypt and sign on, and send nothing. Return what is wrong, "" if nothing."""
        nothing = Mail((), "", "", "", 0)
        return (await self.send(nothing)).error

    async def _send(self, mail: Mail, accepted: tuple[str, ...]) -> MailAnswer:
        loop = asyncio.get_running_loop()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="mail")
        # The libraries take a fifth of a second to load, a name server longer.
        prepared = await loop.run_in_executor(self._threads, _prepare, self._server)
        if isinstance(prepared, str):
            return MailAnswer(accepted, error=prepared)
        return await prepared.send(mail, accepted)

    def close(self) -> None:
        """End the threads without waiting for them."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _prepare(server: MailServer) -> "Dialled | str":
    """Load the library, the certificates and the addresses of the server, or return what is wrong.
    Blocks."""
    from cnc_station.engine.smtp_session import Dialled  # noqa: PLC0415 - slow

    context = ssl.create_default_context()
    if server.ca_file is not None:
        try:
            context.load_verify_locations(cafile=server.ca_file)
        except (OSError, ssl.SSLError) as error:
            return f"{server.ca_file} contains no certificates: {error}."
    port = server.port or PORTS[server.security]
    try:
        found = socket.getaddrinfo(server.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return f"The name {server.host} was not found."
    return Dialled(server, context, tuple(found))
