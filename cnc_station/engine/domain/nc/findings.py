"""Findings: what is wrong with a program, by line, in sentences that an operator can act on."""

from dataclasses import dataclass
from enum import StrEnum

KEPT = 100


class Severity(StrEnum):
    """ERROR refuses the program. WARNING accepts it with a remark."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about one line, counted from 1 as in an editor; 0 is the whole program."""

    line: int
    severity: Severity
    message: str


class BlockError(Exception):
    """This block cannot be executed. The message becomes a finding at its line."""


class Unsupported(BlockError):
    """A `BlockError` about what CNC Station does not read. However often a program uses it, it
    becomes one finding: at its first line."""


class ReadingStopped(BlockError):
    """A `BlockError` after which no further block can be read."""


class Findings:
    """Collect findings, each once: the first `KEPT`, and all about the whole program. An error
    always counts in `has_errors`, listed or not."""

    __slots__ = ("_dropped", "_kept", "_once", "_seen", "has_doubts", "has_errors")

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._seen: set[Finding] = set()
        self._once: set[str] = set()
        self._dropped = 0
        self.has_errors = False  # the program is already refused
        self.has_doubts = False  # its time is not certain

    def error(self, line: int, message: str) -> None:
        self._add(Finding(line, Severity.ERROR, message))

    def refused(self, line: int, error: BlockError) -> None:
        """Add the error of a block that cannot be executed."""
        if isinstance(error, Unsupported):
            if str(error) in self._once:
                return
            self._once.add(str(error))
        self.error(line, str(error))

    def only(self, finding: Finding) -> None:
        """Replace all findings by one that explains them."""
        self._kept, self._seen, self._dropped = [], set(), 0
        self._add(finding)

    def warning(self, line: int, message: str) -> None:
        self._add(Finding(line, Severity.WARNING, message))

    def doubt(self, line: int, message: str) -> None:
        """Add a warning about something that makes the time of the program uncertain."""
        self.has_doubts = True
        self.warning(line, message)

    def remark(self, line: int, message: str) -> None:
        """Add a warning about the whole program. It is always listed."""
        self._add(Finding(line, Severity.WARNING, message), always=True)

    def doubt_once(self, line: int, message: str) -> None:
        """Add a doubt that is not repeated on later lines."""
        if message not in self._once:
            self._once.add(message)
            self.doubt(line, message)

    def _add(self, finding: Finding, *, always: bool = False) -> None:
        if finding in self._seen:
            return
        self.has_errors |= finding.severity is Severity.ERROR
        if always or len(self._kept) < KEPT:
            self._seen.add(finding)
            self._kept.append(finding)
        else:
            self._dropped += 1

    def in_order(self) -> tuple[Finding, ...]:
        """Return the findings by line. The last one states how many more there were."""
        found = sorted(self._kept, key=lambda finding: finding.line)
        if self._dropped:
            message = f"and {self._dropped} more findings that are not listed"
            severity = Severity.ERROR if self.has_errors else Severity.WARNING
            found.append(Finding(found[-1].line, severity, message))
        return tuple(found)
