"""Passwords of servers, and the secret of the webhook in the settings: in the system's keyring, or
in a file that only this user can read.

An address with a password needs neither. An address without one gets it once, at the start: from
`secrets.toml` in the data folder if it is there, otherwise from the keyring. The file comes first
because a keyring may ask a person to unlock it, and a station without a window cannot ask. A
password belongs to an account at a server and is never sent to another server.
"""

import contextlib
import json
import os
import re
import secrets as tokens
import stat
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from cnc_station import addresses, private_files
from cnc_station.config import Config
from cnc_station.engine.domain import toml_text
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput, Unavailable
from cnc_station.engine.domain.tokens import SigningKey
from cnc_station.engine.domain.webhooks import secret_errors
from cnc_station.engine.outside_file import FileRefused, read_file

FILE_NAME = "secrets.toml"
_MOST_BYTES = 1 << 20
KEYRING = "the system's keyring"
_SERVICE = "cnc-station"
_PIN_KEY = "key of PINs and badges"
_SHORTEST_KEY = 40
_TOKEN_KEY = "key of tokens"  # then a number and, if it does not sign any more, when it ends (ms)

Server = Literal["database", "redis", "webhook", "smtp"]
SERVERS: tuple[Server, ...] = ("database", "redis")  # whose passwords go into their addresses
_ENCRYPT: Mapping[Server, str] = {
    "database": "add ?sslmode=verify-full&sslrootcert=… to the address",
    "redis": "write rediss:// and ?ssl_ca_certs=… in the address",
}


def complete(config: Config) -> Config:
    """Return the settings with their passwords. Blocks, possibly long, if a keyring asks to be
    unlocked.

    If none is stored the address stays as it is: the server may not need one. Raises Unavailable if
    the file cannot be trusted.
    """
    for server in SERVERS:
        url = _url(config, server)
        if url and addresses.password(url) is None:
            password, _ = find(config, server)
            if password is not None:
                config = _with_url(config, server, addresses.with_password(url, password))
    if config.webhook_url and not config.webhook_secret:
        secret, _ = find(config, "webhook")
        config = replace(config, webhook_secret=secret or "")
    if _url(config, "smtp") and not config.smtp_password:
        password, _ = find(config, "smtp")
        config = replace(config, smtp_password=password or "")
    return config


def clear_text(config: Config, server: Server) -> str:
    """Return why a server must not be spoken to: the password and the data would go over the
    network in clear text, to whoever answers. "" if they do not, or if the settings allow it.
    Blocks: the server's name is looked up."""
    url = _url(config, server)
    allowed = not url or config.clear_text == "allow"
    if allowed or addresses.is_encrypted(url) or addresses.stays_here(url):
        return ""
    remedy = _ENCRYPT[server]
    return (
        f"The password for {addresses.account(url)} would go over the network in clear text: "
        f"{remedy}, or allow it with CNC_CLEAR_TEXT=allow."
    )


def refuse_clear_text(config: Config) -> None:
    """Raise Unavailable if a server that the station uses must not be spoken to. A file needs no
    Redis, whose address may remain from a former fleet. Blocks likewise."""
    for server in SERVERS if config.database_path is None else ():
        if why := clear_text(config, server):
            raise Unavailable(why)


def database_address(config: Config) -> str:
    """Return the database's address with its password. Raises Unavailable if it must not be spoken
    to. Blocks likewise."""
    if config.database_path is None and (why := clear_text(config, "database")):
        raise Unavailable(why)
    return complete(config).database_url


def address(config: Config, server: Server) -> str:
    """Return a server's address from the settings. Raises Conflict if they have none."""
    url = _url(config, server)
    if not url:
        name = (
            "CNC_SMTP_HOST and CNC_SMTP_USER" if server == "smtp" else f"CNC_{server.upper()}_URL"
        )
        raise Conflict(f"There is no {server} server in the settings: set {name} first.")
    return url


def account_of(config: Config, server: Server) -> str:
    """Return what a password belongs to. Raises Conflict if the settings name no such server."""
    url = address(config, server)
    return addresses.account(url) if server in SERVERS else url


def find(config: Config, server: Server) -> tuple[str | None, str]:
    """Return a stored password and where it is stored; None and "" if there is none."""
    account = account_of(config, server)
    file = config.data_folder / FILE_NAME
    if password := _read(file).get(account):
        return password, str(file)
    if password := _from_keyring(account):
        return password, KEYRING
    return None, ""


def stored(config: Config) -> set[str]:
    """Return all passwords in the file, and those of this station's servers in the keyring. Raises
    Unavailable if the file cannot be trusted."""
    servers: tuple[Server, ...] = ("database", "redis", "webhook", "smtp")
    found = {find(config, server)[0] or "" for server in servers if _url(config, server)}
    return {*found, *_read(config.data_folder / FILE_NAME).values()} - {""}


def broken(config: Config) -> str:
    """Return what is wrong with the lines of the file of passwords, without repeating them; "" if
    nothing, or if it cannot be read."""
    try:
        _read(config.data_folder / FILE_NAME)
    except _Broken as error:
        return str(error)
    except Unavailable:
        return ""
    return ""


def mend(config: Config) -> Path | None:
    """Make a file of passwords valid that is not: its valid lines stay. Return the copy of it as it
    was; None if it is valid or missing. Raises Unavailable."""
    file = config.data_folder / FILE_NAME
    try:
        _read(file)
    except _Broken:
        copy = file.with_name(f"{file.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
    else:
        return None
    kept: dict[str, str] = {}
    try:
        content = file.read_bytes()
        private_files.replace(copy, content)
    except OSError as error:
        raise Unavailable(f"{copy} can't be written: {error.strerror}.") from error
    for line in content.splitlines():
        with contextlib.suppress(_Broken):
            kept |= _passwords(file, line)
    _write(file, kept)
    return copy


def keep(config: Config, server: Server, password: str, *, in_file: bool = False) -> str:
    """Store a password for the server's account. Return where it is stored.

    That is the keyring if there is one, unless `in_file`. Raises InvalidInput, Conflict,
    Unavailable.
    """
    url = address(config, server)
    if not password or not password.isprintable():
        raise InvalidInput(FieldError("password", "must be one line of text"))
    if server == "webhook":
        refuse(secret_errors(password))
    if server in SERVERS and addresses.password(url) is not None:
        raise Conflict(
            f"CNC_{server.upper()}_URL contains a password, which "
            "would override this one: remove it there first."
        )
    account = account_of(config, server)
    file = config.data_folder / FILE_NAME
    kept = _read(file)
    if not in_file and _into_keyring(account, password):
        if kept.pop(account, None) is not None:  # the file would override the keyring
            _write(file, kept)
        return KEYRING
    _write(file, {**kept, account: password})
    return str(file)


def forget(config: Config, server: Server) -> tuple[str, ...]:
    """Delete a password. Return where it was stored."""
    account = account_of(config, server)
    file = config.data_folder / FILE_NAME
    kept = _read(file)
    places = []
    if kept.pop(account, None) is not None:
        _write(file, kept)
        places.append(str(file))
    if _out_of_keyring(account):
        places.append(KEYRING)
    return tuple(places)


def pin_key(config: Config) -> bytes | None:
    """Return the key that PINs and badges are mixed with; None if this station has none. Blocks.
    Raises Unavailable if the file cannot be trusted."""
    stored = _read(config.data_folder / FILE_NAME).get(_PIN_KEY)
    return None if stored is None else stored.encode()


def make_pin_key(config: Config) -> bytes:
    """Make that key and store it in the file, apart from the database. Blocks. Raises
    Unavailable."""
    file = config.data_folder / FILE_NAME
    made = tokens.token_urlsafe(32)
    _write(file, {**_read(file), _PIN_KEY: made})
    return made.encode()


def keep_pin_key(config: Config, key: str) -> Path:
    """Take over the key of another station of the fleet. Return where it is stored. Blocks. Raises
    InvalidInput, Unavailable."""
    if len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidInput(FieldError("key", "must be as `secret show pins` prints it"))
    file = config.data_folder / FILE_NAME
    _write(file, {**_read(file), _PIN_KEY: key})
    return file


def token_keys(config: Config) -> tuple[SigningKey, ...]:
    """Return the keys that sign tokens at a station alone, newest first. Blocks. Raises Unavailable
    if the file cannot be trusted."""
    stored = _read(config.data_folder / FILE_NAME)
    found = sorted(name for name in stored if name.startswith(_TOKEN_KEY))
    return tuple(_token_key(name, stored[name]) for name in found)


def save_token_keys(config: Config, keys: Sequence[SigningKey]) -> None:
    """Replace these keys in the file. Blocks. Raises Unavailable."""
    file = config.data_folder / FILE_NAME
    kept = {name: text for name, text in _read(file).items() if not name.startswith(_TOKEN_KEY)}
    for number, key in enumerate(keys, 1):
        end = "" if key.accepted_until is None else f" until {key.accepted_until}"
        kept[f"{_TOKEN_KEY} {number:03}{end}"] = key.secret
    _write(file, kept)


def _token_key(name: str, secret: str) -> SigningKey:
    _, _, end = name.partition(" until ")
    return SigningKey(secret, int(end) if end.isdecimal() else None)


def _url(config: Config, server: Server) -> str:
    if server == "redis":
        return config.redis_url
    if server == "webhook":
        return config.webhook_url
    if server == "smtp":
        named = config.smtp_host and config.smtp_user
        return f"smtp://{config.smtp_user}@{config.smtp_host}" if named else ""
    return config.database_url if config.database_path is None else ""


def _with_url(config: Config, server: Server, url: str) -> Config:
    return (
        replace(config, redis_url=url) if server == "redis" else replace(config, database_url=url)
    )


def _from_keyring(account: str) -> str | None:
    import keyring  # noqa: PLC0415 - a quarter of a second, for those who leave a password out
    from keyring.errors import KeyringError  # noqa: PLC0415 - likewise

    try:
        return keyring.get_password(_SERVICE, account)
    except (KeyringError, OSError):
        return None


def _into_keyring(account: str, password: str) -> bool:
    import keyring  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    try:
        keyring.set_password(_SERVICE, account, password)
    except (KeyringError, OSError):
        return False
    return _from_keyring(account) == password  # some keyrings store nothing


def _out_of_keyring(account: str) -> bool:
    import keyring  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    if _from_keyring(account) is None:
        return False
    try:
        keyring.delete_password(_SERVICE, account)
    except (KeyringError, OSError) as error:
        raise Unavailable(f"{KEYRING.capitalize()} did not delete it: {error}") from error
    return True


def _read(file: Path) -> dict[str, str]:
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            raise Unavailable(
                f"{file} can be read by other users, so its passwords are not used. Change "
                f"them if others may have seen them, then run: chmod 600 {file}"
            )
        content = read_file(file, _MOST_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {error.strerror}.") from error
    except FileRefused as refused:
        raise Unavailable(f"{file.parent / refused.sentence}") from refused
    return _passwords(file, content)


class _Broken(Unavailable):
    """A file of passwords that is not valid."""


def _passwords(file: Path, content: bytes) -> dict[str, str]:
    """Return the passwords of a file's lines. Raises _Broken with the first line that is wrong: no
    text of the file, since it may be a password."""
    try:
        table = toml_text.load(content.decode())
    except UnicodeDecodeError as error:
        line, why = content.count(b"\n", 0, error.start) + 1, "is not UTF-8 text"
    except toml_text.TooDeep as error:
        line, why = error.line, "or one after it is nested too deep"
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else max(len(content.splitlines()), 1)
        why = 'is not valid: write "account" = "password", once for each account'
    else:
        return {account: word for account, word in table.items() if isinstance(word, str)}
    raise _Broken(
        f"Line {line} of {file} {why}. Mend it, or run `cnc-station secret set`, which does."
    ) from None


def _write(file: Path, kept: dict[str, str]) -> None:
    """Replace the file by a new one that others can never read. TOML's strings are those of
    JSON."""
    if not kept:
        file.unlink(missing_ok=True)
        return
    lines = (f"{_quoted(account)} = {_quoted(password)}\n" for account, password in kept.items())
    try:
        private_files.make_folder(file.parent)
        private_files.replace(file, "".join(lines).encode())
    except OSError as error:
        raise Unavailable(f"{file} can't be written: {error.strerror}.") from error


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
