"""`secret`: passwords of servers, stored outside the settings."""

import sys
from getpass import getpass

from cnc_station import secrets
from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, say
from cnc_station.engine.commands import RotateTokenKey
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.text_gate import visible


def keep(call: Call) -> int:
    """Read a password from the terminal, hidden and twice, or the first line of stdin."""
    if call.args.server == "pins":
        return _keep_pin_key(call)
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


def _keep_pin_key(call: Call) -> int:
    account = "the fleet's PINs and badges"
    key = _typed(account) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    place = secrets.keep_pin_key(call.config, key)
    if call.json:
        print_json({"account": account, "place": place})
    else:
        say(f"The key is stored in {place}. Restart the station if it is at work.")
    return Exit.OK


def show(call: Call) -> int:
    """Print the key of PINs and badges."""
    key = secrets.pin_key(call.config)
    if key is None:
        raise Conflict("This station has no key of PINs and badges.")
    if call.json:
        print_json({"key": key.decode()})
    else:
        say(key.decode())
    return Exit.OK


async def rotate(call: Call) -> int:
    """Sign tokens with a new key from now on."""
    try:
        overlap_s = table_values.seconds(call.args.overlap)
    except ValueError as error:
        raise InvalidInput(FieldError("overlap", str(error))) from error
    async with client(call.config) as door:
        await door.execute(RotateTokenKey(overlap_s))
    if call.json:
        print_json({"result": "rotated"})
    else:
        say("Tokens are signed with a new key.")
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
