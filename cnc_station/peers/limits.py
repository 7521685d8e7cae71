"""The limits of what other programs may send, one row for each kind of peer.

A peer is a controller, an agent, a server or a client. It may be broken, old, another program than
expected, or hostile. Its answer is bounded before it is understood, and what exceeds a limit ends
that connection with a sentence. The rest of the station goes on.
"""

from dataclasses import dataclass

KB, MB = 1024, 1024 * 1024

LONGEST_TEXT = 2_000  # characters of one value
LONGEST_SENTENCE = 1_000  # characters of what a person reads
LARGEST_NUMBER = 1e12  # no position, speed, line or count is larger


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one kind of peer.

    `first_byte_s` is the time until an answer begins, `last_byte_s` until it is complete. `bytes`,
    `items` (elements, lines, values) and `depth` are of one answer, after decompression. A peer may
    send `burst` bytes at once and `bytes_per_s` from then on.
    """

    first_byte_s: float
    last_byte_s: float
    bytes: int
    items: int
    bytes_per_s: int
    burst: int
    depth: int = 50


MTCONNECT = Limits(10.0, 10.0, 4 * MB, 25_000, 1 * MB, 8 * MB)
LINUXCNC = Limits(5.0, 5.0, 64 * KB, 1_000, 1 * MB, 1 * MB)
GRBL = Limits(5.0, 5.0, 64 * KB, 1_000, 128 * KB, 512 * KB)
OPCUA = Limits(4.0, 20.0, 128 * KB, 100, 128 * KB, 512 * KB)
REDIS = Limits(3.0, 3.0, 1 * MB, 4_000, 2 * MB, 4 * MB)
LOCAL_SOCKET = Limits(5.0, 300.0, 96 * MB, 10_000, 96 * MB, 96 * MB)
HTTP = Limits(5.0, 30.0, 1 * MB, 1_000, 1 * MB, 1 * MB)
WEBSOCKET = Limits(5.0, 10.0, 16 * KB, 1_000, 64 * KB, 256 * KB)
SMTP = Limits(10.0, 30.0, 32 * KB, 1_000, 1 * MB, 1 * MB)
PROBE = Limits(3.0, 10.0, 1 * MB, 1_000, 1 * MB, 1 * MB)
