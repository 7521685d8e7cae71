"""What went over the wire lately: the raw words, for the one who has to find out why."""

import time
from collections import deque
from collections.abc import Sequence

from cnc_station.engine.views import Message

MOST = 2_000
LONGEST = 500  # characters of one message


class Traffic:
    """The last messages of one connection. Polls that say nothing new are left to the driver to
    leave out: two thousand messages are then some minutes of work."""

    def __init__(self, most: int = MOST) -> None:
        self._messages: deque[Message] = deque(maxlen=most)

    def sent(self, text: str) -> None:
        """Note what we said."""
        self._note(text, sent=True)

    def received(self, text: str) -> None:
        """Note what was answered."""
        self._note(text, sent=False)

    def _note(self, text: str, *, sent: bool) -> None:
        self._messages.append(Message(time.time_ns() // 1_000_000, sent, text[:LONGEST]))

    def messages(self) -> Sequence[Message]:
        """Oldest first."""
        return tuple(self._messages)
