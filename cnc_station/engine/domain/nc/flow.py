"""Find the next block: subprograms (M98, O-word subs), loops and branches."""

import re
from dataclasses import dataclass, field

from cnc_station.engine.domain.nc.expressions import Parameter, Parameters, Scanner
from cnc_station.engine.domain.nc.findings import BlockError, Findings, ReadingStopped
from cnc_station.engine.domain.nc.words import Words, whole

MOST_REPEATS = 100_000
DEEPEST_CALL = 10
LABEL = r"(?:N[0-9.]+)?O(?P<label>[0-9]+|<[^<>]+>)"
STATEMENT = re.compile(
    LABEL
    + r"(?P<keyword>SUB|ENDSUB|CALL|RETURN|DO|WHILE|ENDWHILE|IF|ELSEIF|ELSE|ENDIF|BREAK|CONTINUE"
    r"|REPEAT|ENDREPEAT)(?P<rest>(?:[\[#].*)?)"
)
PROGRAM = re.compile(r"(?:N[0-9.]+)?[O:](?P<number>[0-9]{1,9})(?![A-Z0-9])")
CLOSES = {
    "ENDSUB": "SUB",
    "ENDWHILE": "WHILE",
    "WHILE": "DO",
    "ENDREPEAT": "REPEAT",
    "ENDIF": "IF",
}
OPENS = frozenset({"SUB", "WHILE", "DO", "REPEAT", "IF"})
LOOPS = frozenset({"WHILE", "DO", "REPEAT"})
BRANCHES = frozenset({"ELSEIF", "ELSE"})
JUMPS = frozenset({"BREAK", "CONTINUE"})
UNLINKED = frozenset({"CALL", "RETURN"})


def spelled(statement: "Statement") -> str:
    """Return the statement as the program writes it."""
    return f"O{statement.label.lower()} {statement.keyword.lower()}"


@dataclass(slots=True)
class Statement:
    """An O-word line. `opens` is the line where its construct begins, `closes` the line where it
    ends, and `next` the branch that follows this one."""

    label: str
    keyword: str
    rest: str
    opens: int = -1
    closes: int = -1
    next: int = -1


@dataclass(slots=True)
class Frame:
    """An active call: the line to return to, and how many repeats remain."""

    back: int
    start: int
    repeats: int
    callers_locals: dict[Parameter, float] | None
    counters: dict[int, int] = field(default_factory=dict)


class Linker:
    """Find the lines that open and close each other. A label can be used again after its end."""

    __slots__ = ("_open", "_statements", "_tails")

    def __init__(self, statements: dict[int, Statement]) -> None:
        self._statements = statements
        self._open: dict[str, list[int]] = {}
        self._tails: dict[int, int] = {}

    def link(self, index: int, statement: Statement) -> None:
        opened = self._open.setdefault(statement.label, [])
        last = self._statements[opened[-1]].keyword if opened else ""
        keyword = statement.keyword
        if keyword in OPENS and not (keyword == "WHILE" and last == "DO"):
            opened.append(index)
        elif keyword in BRANCHES and last == "IF":
            statement.opens = opened[-1]
            self._chain(opened[-1], index)
        elif keyword in JUMPS and last in LOOPS:
            statement.opens = opened[-1]
        elif last and last == CLOSES.get(keyword):
            statement.opens = opened.pop()
            self._statements[statement.opens].closes = index
            if last == "IF":
                self._chain(statement.opens, index)

    def _chain(self, start: int, index: int) -> None:
        self._statements[self._tails.get(start, start)].next = index
        self._tails[start] = index

    def never_linked(self) -> list[int]:
        """Return the lines without a counterpart."""
        return [
            index
            for index, statement in self._statements.items()
            if statement.keyword not in UNLINKED and statement.opens < 0 and statement.closes < 0
        ]


class Flow:
    """The labels of a program and the stack of active calls."""

    __slots__ = ("_counters", "_frames", "_parameters", "_programs", "_subs", "statements")

    def __init__(self, lines: list[str], parameters: Parameters, findings: Findings) -> None:
        self.statements: dict[int, Statement] = {}
        self._parameters = parameters
        self._programs: dict[int, int] = {}
        self._subs: dict[str, int] = {}
        self._frames: list[Frame] = []
        self._counters: dict[int, int] = {}
        linker = Linker(self.statements)
        for index, line in enumerate(lines):
            if "O" not in line:
                continue
            if (found := STATEMENT.fullmatch(line)) is not None:
                statement = Statement(found["label"], found["keyword"], found["rest"])
                self.statements[index] = statement
                linker.link(index, statement)
                if statement.keyword == "SUB":
                    self._subs.setdefault(statement.label, index)
            elif (program := PROGRAM.match(line)) is not None:
                self._programs.setdefault(int(program["number"]), index)
        for index in linker.never_linked():
            statement = self.statements[index]
            findings.error(index + 1, f"{spelled(statement)} has no counterpart")

    def call_program(self, words: Words, back: int) -> int:
        """Return the first line of the subprogram of M98 P L. Old Fanuc writes P as LLLLPPPP."""
        if "P" not in words:
            raise BlockError("M98 needs the number of a subprogram: P")
        number = whole(words, "P", 99_999_999, 0)
        repeats = whole(words, "L", MOST_REPEATS, 1)
        if number > 9999 and "L" not in words and number not in self._programs:
            repeats, number = divmod(number, 10_000)
        start = self._programs.get(number)
        if start is None:
            raise BlockError(f"subprogram O{number} is not in this file")
        if repeats == 0:
            return back
        self._enter(Frame(back, start + 1, repeats, None))
        return start + 1

    def return_from_program(self) -> int | None:
        """Return the line to continue at after M99; None if no subprogram is active."""
        if not self._frames:
            return None
        frame = self._frames[-1]
        if frame.repeats > 1:
            frame.repeats -= 1
            return frame.start
        return self._leave()

    def _enter(self, frame: Frame) -> None:
        if len(self._frames) >= DEEPEST_CALL:
            raise ReadingStopped(f"subprograms are nested more than {DEEPEST_CALL} deep")
        self._frames.append(frame)

    def _leave(self) -> int:
        frame = self._frames.pop()
        if frame.callers_locals is not None:
            self._parameters.locals = frame.callers_locals
        return frame.back

    def step(self, index: int) -> int:
        """Execute an O-word line. Return the index of the next line."""
        statement = self.statements[index]
        if statement.keyword not in UNLINKED and statement.opens < 0 and statement.closes < 0:
            raise BlockError(f"{spelled(statement)} has no counterpart")
        match statement.keyword:
            case "SUB":
                return statement.closes + 1
            case "CALL":
                return self._call(statement, index + 1)
            case "ENDSUB" | "RETURN":
                return self._return(statement)
            case "IF" | "ELSEIF" | "ELSE":
                return self._branch(index, statement)
            case "BREAK" | "CONTINUE":
                return self._jump(statement)
            case _:
                return self._loop(index, statement)

    def _value(self, statement: Statement) -> float:
        scanner = Scanner(statement.rest, self._parameters)
        result = scanner.value()
        if not scanner.done:
            raise BlockError(f"{spelled(statement)} takes one value in brackets")
        return result

    def _call(self, statement: Statement, back: int) -> int:
        start = self._subs.get(statement.label)
        if start is None or self.statements[start].closes < 0:
            raise BlockError(f"subroutine O{statement.label.lower()} is not in this file")
        scanner = Scanner(statement.rest, self._parameters)
        arguments: dict[Parameter, float] = {}
        while not scanner.done:
            arguments[len(arguments) + 1] = scanner.value()
        self._enter(Frame(back, start + 1, 1, self._parameters.locals))
        self._parameters.locals = arguments
        return start + 1

    def _return(self, statement: Statement) -> int:
        if not self._frames:
            raise BlockError(f"{spelled(statement)} is outside a called subroutine")
        value = self._value(statement) if statement.rest else 0.0
        back = self._leave()
        self._parameters.set("_VALUE", value)
        return back

    def _branch(self, index: int, statement: Statement) -> int:
        if statement.keyword in BRANCHES:  # the branch before it was taken
            return self._end(statement) + 1
        while statement.keyword not in {"ELSE", "ENDIF"}:
            if self._value(statement):
                return index + 1
            index = statement.next
            statement = self.statements[index]
        return index + 1

    def _loop(self, index: int, statement: Statement) -> int:
        counters = self._frames[-1].counters if self._frames else self._counters
        opens, closes = statement.opens, statement.closes
        match statement.keyword:
            case "WHILE" if opens >= 0:  # the end of a DO
                return opens + 1 if self._value(statement) else index + 1
            case "WHILE":
                return index + 1 if self._value(statement) else closes + 1
            case "ENDWHILE":
                return opens
            case "REPEAT":
                counters[index] = round(self._value(statement))
                return index + 1 if counters[index] > 0 else closes + 1
            case "ENDREPEAT":
                counters[opens] = counters.get(opens, 0) - 1
                return opens + 1 if counters[opens] > 0 else index + 1
            case _:  # DO, ENDIF
                return index + 1

    def _jump(self, statement: Statement) -> int:
        if statement.keyword == "BREAK":
            return self._end(statement) + 1
        is_while = self.statements[statement.opens].keyword == "WHILE"
        return statement.opens if is_while else self._end(statement)

    def _end(self, statement: Statement) -> int:
        end = self.statements[statement.opens].closes
        if end < 0:
            raise BlockError(f"{spelled(statement)} has no counterpart")
        return end
