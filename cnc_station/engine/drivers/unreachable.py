"""Why a controller cannot be reached, in words for a person at the machine. The error text of the
system is stored beside the sentence, for diagnosis."""

import errno
import re
import socket
import ssl

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.views import KEPT

_NO_ANSWER = "{where} does not answer"
_CLOSED = "{where} closed the connection"
_OFF = "{where} does not answer (no device at that address: is it switched on and plugged in?)"
_NO_NETWORK = "{where} does not answer (this PC has no network connection to it)"
_FORBIDDEN = "this PC does not allow CNC Station to connect to {where}"
_NO_NAME = "{where} does not answer (no computer of that name is known)"
_OTHERWISE = "{where} can't be reached"
_NETWORK = {
    errno.ECONNREFUSED: "{where} does not answer (it refuses the connection)",
    errno.ETIMEDOUT: _NO_ANSWER,
    errno.EHOSTUNREACH: _OFF,
    errno.EHOSTDOWN: _OFF,
    errno.ENETUNREACH: _NO_NETWORK,
    errno.ENETDOWN: _NO_NETWORK,
    errno.EADDRNOTAVAIL: _NO_NETWORK,
    errno.ECONNRESET: _CLOSED,
    errno.ECONNABORTED: _CLOSED,
    errno.ENETRESET: _CLOSED,
    errno.EPIPE: _CLOSED,
    errno.ENOTCONN: _CLOSED,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
}
_KINDS: tuple[tuple[type[Exception], str], ...] = (  # the first match counts
    (ssl.SSLCertVerificationError, "the certificate of {where} is not trusted by this PC"),
    (ssl.SSLEOFError, _CLOSED),
    (ssl.SSLZeroReturnError, _CLOSED),
    (ssl.SSLError, "no secure connection to {where}: does it support TLS?"),
    (socket.gaierror, _NO_NAME),
    (UnicodeError, _NO_NAME),  # not a possible name of a computer
    (EOFError, _CLOSED),
    (TimeoutError, _NO_ANSWER),
)
_NO_PORT = "the serial port {where} does not exist: is the cable plugged in?"
_IN_USE = "another program uses the serial port {where}"
_NOT_ALLOWED = (
    "this user may not use the serial port {where} (on Linux, add them to the group dialout)"
)
_PORT_OTHERWISE = "the serial port {where} can't be used"
_SERIAL = {
    errno.ENOENT: _NO_PORT,
    errno.ENODEV: _NO_PORT,
    errno.ENXIO: _NO_PORT,
    errno.EIO: "the serial port {where} has failed: is the cable plugged in?",
    errno.EBUSY: _IN_USE,
    errno.EAGAIN: _IN_USE,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.ENOTTY: "{where} is not a serial port",
}
# Windows reports a port in use as access denied, and pyserial gives no number.
_ON_WINDOWS = {"FileNotFoundError": _NO_PORT, "PermissionError": _IN_USE}
_NUMBER = re.compile(r"(?:\[Errno |: \()(\d+)")  # the forms of asyncio and pyserial


def unreachable(where: str, error: Exception, *, serial: bool = False) -> Unavailable:
    """Return the exception for an error of the operating system on the way to `where`. `where` is
    an address as people write it, or a serial port. It must not contain a password."""
    return Unavailable(_sentence(error, serial=serial).format(where=where), raw=raw_words(error))


def raw_words(error: BaseException) -> str:
    """Return the system's error text with the type of the error."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _sentence(error: Exception, *, serial: bool) -> str:
    if serial:
        return _of_a_port(error)
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return "{where} does not answer (its name cannot be looked up now)"
    of_its_kind = (words for kind, words in _KINDS if isinstance(error, kind))
    return next(of_its_kind, "") or _NETWORK.get(_number(error), _OTHERWISE)


def _of_a_port(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the serial port {where} does not answer"
    number = _number(error)
    if not number:
        named = (words for kind, words in _ON_WINDOWS.items() if kind in str(error))
        return next(named, _PORT_OTHERWISE)
    return _SERIAL.get(number, _PORT_OTHERWISE)


def _number(error: Exception) -> int:
    """Return the error number, the first of several; 0 if there is none."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else 0


# Up to the last @, so that a password with an @ is not shown in part.
_GUARDED = re.compile(r"((?:[\w+.-]+://|(?![\w+.-]+://))[^/:@]*:)(.+)(@.*)", re.DOTALL)


def password(address: str) -> str | None:
    """Return the password in an address; None if there is none."""
    found = _GUARDED.fullmatch(address)
    return found[2] if found else None


def shown(address: str) -> str:
    """Return the address with `KEPT` in place of its password."""
    found = _GUARDED.fullmatch(address)
    return f"{found[1]}{KEPT}{found[3]}" if found else address
