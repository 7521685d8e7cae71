"""Why a controller can't be reached, as a person at the machine would say it.

The system's own words are kept beside the sentence: they are for whoever looks for the cause.
"""

import errno
import re
import socket
import ssl

from cnc_station.engine.domain.errors import Unavailable

_NO_ANSWER = "{where} does not answer"
_CLOSED = "{where} has closed the connection"
_OFF = "{where} does not answer (nothing at that address: is it switched on and plugged in?)"
_NO_NETWORK = "{where} does not answer (this PC has no network that leads there)"
_FORBIDDEN = "this PC does not let CNC Station connect to {where}"
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
_KINDS: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (ssl.SSLCertVerificationError, "{where} shows a certificate that this PC does not trust"),
    (ssl.SSLEOFError, _CLOSED),
    (ssl.SSLZeroReturnError, _CLOSED),
    (ssl.SSLError, "no secure connection to {where} can be made: does it speak TLS?"),
    (socket.gaierror, _NO_NAME),
    (UnicodeError, _NO_NAME),  # a name that no computer can have
    (EOFError, _CLOSED),
    (TimeoutError, _NO_ANSWER),
)
_NO_PORT = "the serial port {where} is not there: is the cable plugged in?"
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
# Windows tells a port that is in use as one that is not allowed, and pyserial gives no number.
_ON_WINDOWS = {"FileNotFoundError": _NO_PORT, "PermissionError": _IN_USE}
_NUMBER = re.compile(r"(?:\[Errno |: \()(\d+)")  # asyncio's way, and pyserial's


def unreachable(where: str, error: Exception, *, serial: bool = False) -> Unavailable:
    """What to raise for an error of the operating system on the way to `where`: an address as
    people write it, or a serial port. A password in the address is not `where`'s to hold."""
    return Unavailable(_sentence(error, serial=serial).format(where=where), raw=raw_words(error))


def raw_words(error: BaseException) -> str:
    """What the system says, with the kind of error."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _sentence(error: Exception, *, serial: bool) -> str:
    if serial:
        return _of_a_port(error)
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return "{where} does not answer (its name can't be looked up now)"
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
    """Of an error that stands for several, as of a name with several addresses, the first one's; 0
    where there is none."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else 0
