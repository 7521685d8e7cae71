"""A mail server for tests, well-behaved and not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "cnc@shop.example", "the mail password"


@dataclass(slots=True)
class MailBox:
    """`rcpt` and `data` give the answers; None hangs. `closing` drops the connection instead of
    answering DATA."""

    port: int = 0
    ca_file: Path | None = None
    mails: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    tries: int = 0
    rcpt: Callable[[str, int], str] = lambda _address, _try: "250 OK"
    data: Callable[[int], str | None] = lambda _try: "250 queued as A1"
    closing: bool = False

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        self.tries += 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.rcpt(address, self.tries)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = self.data(self.tries)
        if self.closing:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return ""
        if answer is None:
            await asyncio.Event().wait()
            return ""
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer

    def login(
        self, _server: SMTP, session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = data.login.decode(), data.password.decode()
        self.logins.append((*given, session.ssl is not None))
        return AuthResult(success=given == (USER, PASSWORD), handled=False)


@asynccontextmanager
async def mail_server(
    folder: Path,
    *,
    security: str = "starttls",
    auth: bool = False,
    name: str = "127.0.0.1",
    host: str = "127.0.0.1",
) -> AsyncIterator[MailBox]:
    """Run a server at an address of this computer; its certificate is for `name`."""
    box = MailBox(ca_file=folder / "ca.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(box.ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)

    def serve() -> SMTP:
        return SMTP(
            box,
            hostname="mail.test",
            ident="test",
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=box.login if auth else None,
            auth_required=auth,
            auth_require_tls=security == "starttls",
            timeout=60,
        )

    loop = asyncio.get_running_loop()
    tls = context if security == "tls" else None
    server = await loop.create_server(serve, host, 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
