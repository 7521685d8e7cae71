"""`secret`: passwords of servers, stored outside the settings."""

import sys
from getpass import getpass

from cnc_station import secrets
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, say
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.text_gate import visible


def keep(call: Call) -> int:
    """Read a password from the terminal, hidden and twice, or the first line of stdin."""
    server: secrets.Server = call.args.server
    account = secrets.account_of(call.config, server)
    password = _typed(account) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    copy = secrets.mend(call.config)
    if copy is not None and not call.json:
        say(
            f"The file of passwords was not valid: its valid lines were kept. As it was, it is in "
            f"{copy}. Delete that when you miss nothing."
        )
    place = secrets.keep(call.config, server, password, in_file=call.args.file)
    if call.json:
        print_json({"account": account, "place": place, "copy": copy and str(copy)})
    else:
        say(f"The password of {account} is stored in {place}.")
    return Exit.OK


def _typed(account: str) -> str:
    try:
        password = getpass(f"Password of {visible(account)}: ")
        if getpass("Repeat the password: ") != password:
            raise InvalidInput(FieldError("password", "the two passwords differ"))
    except EOFError:  # Ctrl-D cancels as Ctrl-C does
        raise KeyboardInterrupt from None
    return password


def forget(call: Call) -> int:
    """Delete a password."""
    server: secrets.Server = call.args.server
    account = secrets.account_of(call.config, server)
    places = secrets.forget(call.config, server)
    if call.json:
        print_json({"account": account, "places": places})
    elif places:
        say(f"The password of {account} was deleted; it was in {' and '.join(places)}.")
    else:
        say(f"No password of {account} was stored.")
    return Exit.OK
