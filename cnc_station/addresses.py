"""Addresses of servers: `postgresql://user@host/name` and `redis://host`.

They may contain a password. TLS is configured by their parameters, with the names of the PostgreSQL
and Redis clients. No text from here, error messages included, contains a password.
"""

import re
import socket
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

DATABASE_SCHEMES = ("postgresql", "postgresql+psycopg")
REDIS_SCHEMES = ("redis", "rediss", "unix")
_DATABASE_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_REDIS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING = ("verify-ca", "verify-full")
_ENCRYPTING = ("require", *_VERIFYING)


def database(text: str) -> str:
    """Return a valid address of a PostgreSQL database. Raises ValueError with the reason."""
    parts = _split(text, DATABASE_SCHEMES, "postgresql://user@host/name")
    given = _parameters(parts, _DATABASE_FILES, "sslmode", "host")
    if not parts.path.strip("/"):
        raise ValueError("must end in the name of a database: postgresql://user@host/name")
    if given.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError(f"must have one of {', '.join(_SSL_MODES)} as sslmode")
    if "sslrootcert" in given and given.get("sslmode") not in _VERIFYING:
        raise ValueError(
            "must have sslmode=verify-full with sslrootcert: otherwise nothing is verified"
        )
    if "host" in given and (parts.hostname or not given["host"].startswith("/")):
        raise ValueError("may have the folder of the server's socket as host, instead of a host")
    _both(given, "sslcert", "sslkey")
    return text


def redis(text: str) -> str:
    """Return a valid address of a Redis server. Raises ValueError with the reason."""
    parts = _split(text, REDIS_SCHEMES, "redis://host or rediss://host")
    given = _parameters(parts, _REDIS_FILES, "db")
    if parts.scheme != "rediss" and any(name.startswith("ssl_") for name in given):
        raise ValueError("must start with rediss:// for a secure connection")
    if not given.get("db", "0").isdecimal():
        raise ValueError("must have a number as db")
    _both(given, "ssl_certfile", "ssl_keyfile")
    return text


def proxy(text: str) -> str:
    """Return a valid address of an HTTP proxy. Raises ValueError with the reason."""
    parts = _split(text, ("http", "https"), "http://proxy:3128")
    if not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be the address of a proxy, such as http://proxy:3128")
    return text


def host(text: str) -> str:
    """Return an address of this computer to listen on. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Za-z.:-]{1,253}", text):
        raise ValueError("must be an address of this computer: 127.0.0.1, or 0.0.0.0 for all")
    return text


def server_name(text: str) -> str:
    """Return the name or address of a server. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Za-z._:-]{1,253}", text):
        raise ValueError("must be the name of a server such as mail.shop.example")
    return text


def host_name(text: str) -> str:
    """Return a name that clients may call this station by, as in `Host`. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]", text):
        raise ValueError("must be names such as cnc.shop.example, without a port")
    return text.lower()


def origin(text: str) -> str:
    """Return the origin of web pages, as browsers write it, or `*`. Raises ValueError."""
    if text != "*" and not re.fullmatch(r"https?://[0-9a-z._-]{1,253}(:\d{1,5})?", text):
        raise ValueError("must be origins such as https://erp.shop.example, without a path, or *")
    return text


def network(text: str) -> str:
    """Return an address or a network of addresses. Raises ValueError."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("must be addresses such as 10.0.0.5 or 10.0.0.0/24") from None


def password(url: str) -> str | None:
    """Return the password in an address; None if there is none."""
    _, colon, password = _person(url).partition(":")
    return unquote(password) if colon else None


def with_password(url: str, password: str) -> str:
    """Return the address with this password."""
    user = _person(url).partition(":")[0]
    return _replaced(url, f"{user}:{quote(password, safe='')}")


def without_password(url: str) -> str:
    """Return the address without its password."""
    user, colon, _ = _person(url).partition(":")
    if not colon:
        return url
    return _replaced(url, user) if user else url.replace(f"{_person(url)}@", "", 1)


def shown(url: str) -> str:
    """Return the address without its password, for people."""
    user, colon, _ = _person(url).partition(":")
    return _replaced(url, f"{user}:***") if colon else url


def account(url: str) -> str:
    """Return user and server of an address: a password belongs to these."""
    parts = urlsplit(url)
    user = _person(url).partition(":")[0]
    place = parts.netloc.rpartition("@")[2] or parts.path
    scheme = "postgresql" if parts.scheme in DATABASE_SCHEMES else "redis"
    return f"{scheme}://{user}@{place}" if user else f"{scheme}://{place}"


def is_here(url: str) -> bool:
    """Return whether the server is this computer, so that no network is involved."""
    return urlsplit(url).hostname in {None, "localhost", "127.0.0.1", "::1"}


def is_encrypted(url: str) -> bool:
    """Return whether the address requires an encrypted connection. What libpq does without a word
    about it, or with `prefer`, whoever answers can talk it out of."""
    parts = urlsplit(url)
    mode = dict(parse_qsl(parts.query)).get("sslmode", "prefer")
    return parts.scheme == "rediss" or (parts.scheme in DATABASE_SCHEMES and mode in _ENCRYPTING)


def stays_here(url: str) -> bool:
    """Return whether each address that the server's name stands for is this computer's own, or a
    socket of it. A name that stands for none is not. Blocks."""
    host = urlsplit(url).hostname
    if not host:
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(is_loopback(str(address[0])) for *_, address in found)


def is_loopback(address: str) -> bool:
    """Return whether a numeric address is one that only this computer reaches."""
    number = ip_address(address.partition("%")[0])
    mapped = getattr(number, "ipv4_mapped", None)
    return bool((mapped or number).is_loopback)


def is_secured(url: str) -> bool:
    """Return whether the address requires a connection that verifies the server."""
    parts = urlsplit(url)
    mode = dict(parse_qsl(parts.query)).get("sslmode")
    return parts.scheme == "rediss" or mode == "verify-full"


def _split(text: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    refusal = ValueError(
        f"must be an address such as {example}; in a password, write signs other than letters and "
        "digits as %XX"
    )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise refusal from None  # the text of the library may contain the address
    person = parts.netloc.rpartition("@")[0]
    odd = parts.fragment or "@" in person or person.count(":") > 1 or port == 0
    if parts.scheme not in schemes or odd or not re.fullmatch(r"[!-~]+", text):
        raise refusal
    if not parts.hostname and not parts.path.strip("/"):
        raise refusal
    return parts


def _parameters(parts: SplitResult, files: tuple[str, ...], *others: str) -> dict[str, str]:
    allowed = (*files, *others)
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        pairs = [("", "")]
    given = dict(pairs)
    if len(given) < len(pairs) or not given.keys() <= set(allowed):
        raise ValueError(f"may have these parameters, once each: {', '.join(allowed)}")
    for name in sorted(given.keys() & files):
        if not _is_file(Path(given[name])):
            raise ValueError(f"must be the full path of an existing file, as {name}")
    return given


def _is_file(path: Path) -> bool:
    try:
        return path.is_absolute() and path.is_file()
    except OSError:  # not a possible file name
        return False


def _both(given: dict[str, str], certificate: str, key: str) -> None:
    if (certificate in given) != (key in given):
        raise ValueError(f"must have both {certificate} and {key}, or neither")


def _person(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[0]


def _replaced(url: str, person: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{person}@{place}{rest.removeprefix(parts.netloc)}"
