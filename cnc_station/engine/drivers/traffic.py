"""The latest raw messages on the wire, for diagnosis."""

import time
from collections import deque
from collections.abc import Sequence

from cnc_station.engine.views import Message

MOST = 2_000
LONGEST = 500  # characters of one message


class Traffic:
    """The latest messages of one connection.

    The driver omits polls that report nothing new: two thousand messages then cover some minutes of
    work.
    """

    def __init__(self, most: int = MOST) -> None:
        self._messages: deque[Message] = deque(maxlen=most)

    def sent(self, text: str) -> None:
        """Record a message to the controller."""
        self._note(text, sent=True)

    def received(self, text: str) -> None:
        """Record a message from the controller."""
        self._note(text, sent=False)

    def _note(self, text: str, *, sent: bool) -> None:
        self._messages.append(Message(time.time_ns() // 1_000_000, sent, text[:LONGEST]))

    def messages(self) -> Sequence[Message]:
        """Return the messages, oldest first."""
        return tuple(self._messages)
