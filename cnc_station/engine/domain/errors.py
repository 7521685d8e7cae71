"""What can go wrong, in five kinds; anything else is a bug and is treated as one."""

from dataclasses import dataclass


class CncStationError(Exception):
    """A failure with a sentence that may be shown to a person as it stands."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad value: which field, and in plain words why."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class InvalidInput(CncStationError):
    """Input that was refused; nothing of it was stored."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


class NotPermitted(CncStationError):
    """The principal has no right to this; the sentence names the right."""


class Conflict(CncStationError):
    """Not allowed now; the sentence names the state that forbids it."""


class NameInUse(Conflict):
    """The station's name is another one's, which was last heard of at `heard_at`."""

    def __init__(self, words: str, heard_at: int) -> None:
        super().__init__(words)
        self.heard_at = heard_at


class AlreadyDone(Conflict):
    """It is so already, by the same right to write: perhaps the answer to an earlier attempt was
    lost with the connection."""


class Fenced(CncStationError):
    """The token is stale: another claim owns this run now and nothing was written."""


class Unavailable(CncStationError):
    """The environment fails: database away, disk full, machine unreachable. `raw` are the words of
    the system below, for whoever looks for the cause; "" where there are none. `transient`: it may
    be over in a moment without anybody's help, as a restart of a server is."""

    def __init__(self, words: str = "", *, raw: str = "", transient: bool = False) -> None:
        super().__init__(words)
        self.raw = raw
        self.transient = transient
