"""`doctor`: the mail server."""

import asyncio
from collections.abc import Iterator

from cnc_station import secrets
from cnc_station.cli.invocation import Call, Diagnosis
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.outgoing_mail import OutgoingMail, mail_server


def mail(call: Call) -> Iterator[Diagnosis]:
    """Check that it answers over an encrypted connection and accepts the account. Send nothing."""
    config = call.config
    if not config.smtp_host:
        return
    try:
        config = secrets.complete(config)
    except Unavailable as error:
        yield Diagnosis.bad("mail", str(error), "Check the file of passwords.")
        return
    client = OutgoingMail(mail_server(config))
    wrong = asyncio.run(client.check())
    client.close()
    account = config.smtp_user or "nobody"
    if wrong:
        remedy = "Check smtp_host, smtp_port, smtp_security and cnc-station secret set smtp."
        yield Diagnosis.bad("mail", wrong, remedy)
    elif config.smtp_security == "none":
        text = f"{config.smtp_host} answers, without encryption; {account} signs on"
        yield Diagnosis.warning("mail", text, "Set CNC_SMTP_SECURITY=starttls if it can do that.")
    else:
        yield Diagnosis.good("mail", f"{config.smtp_host} answers by TLS; {account} signs on")
