"""Find the next block: subprograms (M98, M97, G65, O-word subs), loops and branches."""

import re
from dataclasses import dataclass, field

from cnc_station.engine.domain.nc.expressions import Scanner
from cnc_station.engine.domain.nc.findings import BlockError, ReadingStopped
from cnc_station.engine.domain.nc.loops import Gap, LoopGuard, State
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.macros import Labels, Macros, arguments
from cnc_station.engine.domain.nc.o_words import (
    BRANCHES,
    STATEMENT,
    UNLINKED,
    Linker,
    Statement,
    spelled,
)
from cnc_station.engine.domain.nc.parameters import Parameter
from cnc_station.engine.domain.nc.words import Words, whole

MOST_REPEATS = 100_000
DEEPEST_CALL = 10
PROGRAM = re.compile(r"(?:N[0-9.]+)?[O:](?P<number>[0-9]{1,9})(?![A-Z0-9])")
MACRO_CALL = re.compile(r"G65(?![0-9.])")


@dataclass(slots=True)
class Frame:
    """An active call: the line to return to, and how many repeats remain."""

    back: int
    start: int
    repeats: int
    callers_locals: dict[Parameter, float] | None
    counters: dict[int, int] = field(default_factory=dict)


class Flow:
    """The labels of a program and the stack of active calls. `calls` are the lines with G65."""

    __slots__ = (
        "_counters",
        "_frames",
        "_guard",
        "_labels",
        "_machine",
        "_parameters",
        "_programs",
        "_subs",
        "calls",
        "macros",
        "statements",
    )

    def __init__(self, lines: list[str], machine: Machine) -> None:
        self.statements: dict[int, Statement] = {}
        self.calls: dict[int, str] = {}
        self._machine = machine
        self._parameters = machine.parameters
        self._programs: dict[int, int] = {}
        self._subs: dict[str, int] = {}
        self._frames: list[Frame] = []
        self._counters: dict[int, int] = {}
        self._guard = LoopGuard(machine.moves.__len__, self._state)
        self._labels = Labels(lines)
        self.macros = Macros(self._labels, machine.parameters, self._guard)
        linker = Linker(self.statements)
        for index, line in enumerate(lines):
            if "O" in line:
                self._note(index, line, linker)
            elif "[" in line or "END" in line or "PCLOS" in line:
                self.macros.add(index, line)
            if "G65" in line and MACRO_CALL.search(line):
                self.calls[index] = line
                self._parameters.macro_b = True
        for index in linker.never_linked():
            message = f"{spelled(self.statements[index])} has no counterpart"
            machine.findings.error(index + 1, message)

    def _note(self, index: int, line: str, linker: Linker) -> None:
        if (found := STATEMENT.fullmatch(line)) is not None:
            statement = Statement(found["label"], found["keyword"], found["rest"])
            self.statements[index] = statement
            linker.link(index, statement)
            if statement.keyword == "SUB":
                self._subs.setdefault(statement.label, index)
        elif (program := PROGRAM.match(line)) is not None:
            self._programs.setdefault(int(program["number"]), index)
        else:
            self.macros.add(index, line)

    def _state(self) -> State:
        """Return all that a condition can depend on."""
        machine = self._machine
        stack = tuple((frame.back, frame.repeats, dict(frame.counters)) for frame in self._frames)
        return (
            machine.parameters.snapshot(),
            machine.position,
            machine.rotary,
            stack,
            dict(self._counters),
        )

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
        return self._repeat(Frame(back, start + 1, repeats, None))

    def call_lines(self, words: Words, back: int) -> int:
        """Return the first line of M97 P L: a subprogram of this program, at the block number P."""
        number = whole(words, "P", 999_999_999, 0)
        start = self._labels.find(number, back - 1)
        if start is None:
            raise BlockError(f"M97: there is no block N{number} in this program")
        return self._repeat(Frame(back, start, whole(words, "L", MOST_REPEATS, 1), None))

    def call_macro(self, index: int) -> int:
        """Return the first line of the macro that G65 P L calls with its arguments. One that is not
        in the file is in the memory of the control: it is left out, with a warning."""
        words, values = arguments(self.calls[index], self._parameters)
        if "P" not in words:
            raise BlockError("G65 needs the number of a macro: P")
        number = whole(words, "P", 999_999_999, 0)
        start = self._programs.get(number)
        if start is None:
            self._machine.builders_own(
                f"macro O{number} is not in this file: what it moves is not known"
            )
            return index + 1
        frame = Frame(
            index + 1, start + 1, whole(words, "L", MOST_REPEATS, 1), self._parameters.locals
        )
        if frame.repeats:
            self._parameters.locals = values
        return self._repeat(frame)

    def _repeat(self, frame: Frame) -> int:
        """Enter a subprogram as often as it repeats. Return the next line."""
        if frame.repeats == 0:
            return frame.back
        self._enter(frame)
        return frame.start

    def return_from_program(self, index: int, words: Words) -> int | None:
        """Return the line to continue at after M99: with P at that block number of the caller. None
        if no subprogram is active and the program would begin again."""
        if not self._frames:
            if "P" not in words:
                return None
            start = self._labels.find(whole(words, "P", 999_999_999, 0), index)
            return start if start is not None and start > index else None
        self._guard.count()
        frame = self._frames[-1]
        if frame.repeats > 1 and "P" not in words:
            frame.repeats -= 1
            return frame.start
        back = self._leave()
        if "P" not in words:
            return back
        return self.macros.jump(back - 1, whole(words, "P", 999_999_999, 0))

    def _enter(self, frame: Frame) -> None:
        if len(self._frames) >= DEEPEST_CALL:
            raise ReadingStopped(f"subprograms are nested more than {DEEPEST_CALL} deep")
        self._frames.append(frame)
        self._guard.count()

    def _leave(self) -> int:
        frame = self._frames.pop()
        if frame.callers_locals is not None:
            self._parameters.locals = frame.callers_locals
        return frame.back

    def step(self, index: int) -> tuple[int, str]:
        """Execute a line that decides where to go on. Return the index of the next line, and the
        block of this one that is to be executed too (after THEN)."""
        if index in self.statements:
            return self._step(index), ""
        if index in self.calls:
            return self.call_macro(index), ""
        return self.macros.step(index)

    def _step(self, index: int) -> int:
        """Execute an O-word line."""
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
                return self._jump(index, statement)
            case _:
                return self._loop(index, statement)

    def _value(self, statement: Statement) -> float:
        return self._scanned(statement)[0]

    def _scanned(self, statement: Statement) -> tuple[float, Gap | None]:
        scanner = Scanner(statement.rest, self._parameters)
        result = scanner.value()
        if not scanner.done:
            raise BlockError(f"{spelled(statement)} takes one value in brackets")
        return result, scanner.gap

    def _holds(self, index: int, statement: Statement, *, loops: bool = False) -> bool:
        """Return whether the condition of a line is true."""
        value, gap = self._scanned(statement)
        self._guard.decide(index, statement.rest, holds=value != 0, gap=gap if loops else None)
        return value != 0

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
            if self._holds(index, statement):
                return index + 1
            index = statement.next
            statement = self.statements[index]
        return index + 1

    def _loop(self, index: int, statement: Statement) -> int:
        opens = statement.opens
        match statement.keyword:
            case "WHILE" if opens < 0:
                holds = self._holds(index, statement, loops=True)
                return (index if holds else statement.closes) + 1
            case "WHILE" if not self._holds(index, statement, loops=True):  # the end of a DO
                return index + 1
            case "WHILE" | "ENDWHILE":
                self._guard.back(index)
                return opens if statement.keyword == "ENDWHILE" else opens + 1
            case "REPEAT" | "ENDREPEAT":
                return self._repetition(index, statement)
            case _:  # DO, ENDIF
                return index + 1

    def _repetition(self, index: int, statement: Statement) -> int:
        counters = self._frames[-1].counters if self._frames else self._counters
        if statement.keyword == "REPEAT":
            counters[index] = round(self._value(statement))
            return (index if counters[index] > 0 else statement.closes) + 1
        self._guard.count()
        opens = statement.opens
        counters[opens] = counters.get(opens, 0) - 1
        return (opens if counters[opens] > 0 else index) + 1

    def _jump(self, index: int, statement: Statement) -> int:
        if statement.keyword == "BREAK":
            return self._end(statement) + 1
        self._guard.back(index)
        is_while = self.statements[statement.opens].keyword == "WHILE"
        return statement.opens if is_while else self._end(statement)

    def _end(self, statement: Statement) -> int:
        end = self.statements[statement.opens].closes
        if end < 0:
            raise BlockError(f"{spelled(statement)} has no counterpart")
        return end
