"""Secrets that a person types, and signing on at a running station that has accounts."""

import sys
from getpass import getpass

from cnc_station.config import Config
from cnc_station.engine.commands import SignOn
from cnc_station.engine.domain.accounts import Credentials, Proof
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import BearerOf, WhoIsHere


async def sign_on(station: Asks, config: Config) -> None:
    """Act as the account of the token in the settings, or as the person that `--as` names, who
    types the password. Without both the owner of the files may only reset a password. Raises
    NotSignedOn, Locked."""
    here = await station.ask(WhoIsHere())
    if not here.accounts or here.signed_on:
        return
    if config.token:
        await station.ask(BearerOf(config.token))
    elif "operator" in config.given and sys.stdin.isatty():
        password = _typed(f"Password of {visible(config.operator)}: ")
        await station.execute(SignOn(Credentials(Proof.PASSWORD, password, config.operator)))


def new_secret(whose: str, *, from_stdin: bool) -> str:
    """Return a secret from the terminal, hidden and twice, or the first line of stdin. Raises
    InvalidInput."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput(FieldError("password", "is missing: use --stdin to read it from there"))
    typed = _typed(f"New password of {visible(whose)}: ")
    if _typed("Repeat the password: ") != typed:
        raise InvalidInput(FieldError("password", "the two passwords differ"))
    return typed


def _typed(question: str) -> str:
    try:
        return getpass(question)
    except EOFError:  # Ctrl-D cancels as Ctrl-C does
        raise KeyboardInterrupt from None
