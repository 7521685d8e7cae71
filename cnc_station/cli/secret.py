"""`secret`: the servers' passwords, which need not stand in the settings."""

import sys
from getpass import getpass

from cnc_station import addresses, secrets
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json
from cnc_station.engine.domain.errors import FieldError, InvalidInput


def keep(call: Call) -> int:
    """Take a password from the terminal, unseen and twice, or the first line of stdin."""
    server: secrets.Server = call.args.server
    account = addresses.account(secrets.address(call.config, server))
    word = _typed(account) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    place = secrets.keep(call.config, server, word, in_file=call.args.file)
    if call.json:
        print_json({"account": account, "place": place})
    else:
        print(f"The password of {account} is kept in {place}.")
    return Exit.OK


def _typed(account: str) -> str:
    try:
        word = getpass(f"Password of {account}: ")
        if getpass("The same again: ") != word:
            raise InvalidInput(FieldError("password", "the two were not the same"))
    except EOFError:  # Ctrl-D gives up as Ctrl-C does
        raise KeyboardInterrupt from None
    return word


def forget(call: Call) -> int:
    """Forget a password."""
    server: secrets.Server = call.args.server
    account = addresses.account(secrets.address(call.config, server))
    places = secrets.forget(call.config, server)
    if call.json:
        print_json({"account": account, "places": places})
    elif places:
        print(f"The password of {account} is forgotten; it was in {' and '.join(places)}.")
    else:
        print(f"No password of {account} was kept.")
    return Exit.OK
