"""The kinds of expected failure. Any other exception is a bug."""

from dataclasses import dataclass

from cnc_station.engine.domain.text_gate import visible

MOST_MESSAGE = 4_000  # characters


class CncStationError(Exception):
    """A failure whose message may be shown to a person unchanged: what a controller, a file or a
    server put into it is bounded and made visible."""

    def __init__(self, words: str = "") -> None:
        super().__init__(visible(words, MOST_MESSAGE, lines=True))


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid value: its field and the reason in plain words."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class InvalidInput(CncStationError):
    """Input that was refused. Nothing of it was stored."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


class NotPermitted(CncStationError):
    """The principal has no right to this; the sentence names the right."""


class NotSignedOn(CncStationError):
    """Nobody signed on, or not with these credentials. It does not say which of them is wrong."""


class Conflict(CncStationError):
    """Not allowed now. The message names the state that forbids it."""


class NameInUse(Conflict):
    """Another station uses this name; its last sign of life was at `heard_at`."""

    def __init__(self, words: str, heard_at: int) -> None:
        super().__init__(words)
        self.heard_at = heard_at


class Locked(Conflict):
    """Too many wrong attempts to sign on: the next one is looked at in `retry_after_s`."""

    def __init__(self, words: str, retry_after_s: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


class LimitReached(Conflict):
    """A limit of an account is reached. `limit` is its name; `retry_after_s` is when a rate lets
    the next one pass, `count` how many jobs are active. None: the limit is of the other kind."""

    def __init__(
        self,
        words: str,
        limit: str = "",
        retry_after_s: float | None = None,
        count: int | None = None,
    ) -> None:
        super().__init__(words)
        self.limit = limit
        self.retry_after_s = retry_after_s
        self.count = count


class AlreadyDone(Conflict):
    """The transition was already applied with this token. The confirmation of an earlier attempt
    may have been lost with the connection."""


class Fenced(CncStationError):
    """The token is stale: another claim owns this run now. Nothing was written."""


class Unavailable(CncStationError):
    """The environment fails: database unreachable, disk full, machine unreachable. `raw` is the
    error text of the system below, for diagnosis; "" if there is none. `transient`: it may pass by
    itself in a moment, as when a server restarts."""

    def __init__(self, words: str = "", *, raw: str = "", transient: bool = False) -> None:
        super().__init__(words)
        self.raw = visible(raw, MOST_MESSAGE, lines=True)
        self.transient = transient
