"""The statements of Fanuc's and Haas's macro B: IF ... THEN and GOTO, WHILE ... DO ... END (Fanuc
B-64484 chapter "Custom macro", Haas Mill Operator's Manual chapter "Macros")."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from cnc_station.engine.domain.nc.expressions import Scanner
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.loops import LoopGuard
from cnc_station.engine.domain.nc.parameters import Parameter, Parameters

_START = r"(?:/[0-9]?)?(?:N[0-9]+)?"
STATEMENT = re.compile(
    _START + r"(?:(?P<keyword>IF|WHILE)(?P<condition>\[.*)|(?P<goto>GOTO)(?P<target>[#\[0-9].*)"
    r"|(?P<do>DO|END)(?P<number>[0-9]+)"
    r"|(?P<print>POPEN|PCLOS|[DB]PRNT\[.*\]|SETVN.*))"
)
BLOCK_NUMBER = re.compile(r"/?[0-9]?N(?P<number>[0-9]{1,9})(?![0-9.])")
PROGRAM_NUMBER = re.compile(r"(?:N[0-9]+)?[O:][0-9]{1,9}(?![A-Z0-9])")
# The local variables of the arguments of G65 (argument specification I).
ARGUMENTS = dict(
    zip(
        "ABCDEFHIJKMQRSTUVWXYZ",
        (*range(1, 4), 7, 8, 9, 11, *range(4, 7), 13, *range(17, 27)),
        strict=True,
    )
)
_FIRST_TRIPLE = 4  # of I J K in specification II, which repeats them up to ten times
_MOST_TRIPLES = 10


class Kind(Enum):
    """What a statement does."""

    IF = auto()
    GOTO = auto()
    WHILE = auto()
    DO = auto()
    END = auto()
    NOTHING = auto()


KINDS = {kind.name: kind for kind in Kind} | {"": Kind.NOTHING}


@dataclass(slots=True)
class Statement:
    """A macro statement. `partner` is the line of its DO or its END, -1 if there is none."""

    kind: Kind
    text: str = ""
    partner: int = -1


class Labels:
    """Block numbers (N) of a file, each within its own program (O)."""

    __slots__ = ("_lines", "_numbers", "_starts")

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._numbers: dict[int, list[int]] | None = None
        self._starts: list[int] = []

    def find(self, number: int, index: int) -> int | None:
        """Return the line of a block number, in the program of line `index`: after the line if it
        is there, otherwise from the start of the program, otherwise anywhere in the file."""
        if self._numbers is None:
            self._numbers = self._found()
        places = self._numbers.get(number, [])
        begin = max((start for start in self._starts if start <= index), default=0)
        end = min((start for start in self._starts if start > index), default=len(self._lines))
        inside = [place for place in places if begin <= place < end]
        after = [place for place in inside if place > index]
        return next(iter((*after, *inside, *places)), None)

    def _found(self) -> dict[int, list[int]]:
        numbers: dict[int, list[int]] = {}
        for index, line in enumerate(self._lines):
            if (found := BLOCK_NUMBER.match(line)) is not None:
                numbers.setdefault(int(found["number"]), []).append(index)
            if PROGRAM_NUMBER.match(line):
                self._starts.append(index)
        return numbers


class Macros:
    """The macro statements of a program by line. `step` executes one."""

    __slots__ = ("_guard", "_labels", "_open", "_parameters", "statements")

    def __init__(self, labels: Labels, parameters: Parameters, guard: LoopGuard) -> None:
        self.statements: dict[int, Statement] = {}
        self._labels = labels
        self._parameters = parameters
        self._guard = guard
        self._open: dict[str, list[int]] = {}

    def add(self, index: int, line: str) -> bool:
        """Take a line if it is a macro statement. Return whether it is."""
        found = STATEMENT.fullmatch(line)
        if found is None:
            return False
        statement = self._made(index, found)
        if statement is None:
            return False
        self.statements[index] = statement
        self._parameters.macro_b = True
        return True

    def _made(self, index: int, found: re.Match[str]) -> Statement | None:
        """Return the statement of a line; None if it is not one."""
        keyword = found["keyword"] or found["goto"] or found["do"] or ""
        text = found["condition"] or found["target"] or ""
        number = found["number"] or ""
        if keyword == "WHILE":
            text, _, number = text.rpartition("DO")
            if not number.isdecimal():
                return None
        statement = Statement(KINDS[keyword], text)
        if keyword in {"WHILE", "DO"}:
            self._open.setdefault(number, []).append(index)
        elif keyword == "END" and self._open.get(number):
            statement.partner = self._open[number].pop()
            self.statements[statement.partner].partner = index
        return statement

    def never_linked(self) -> list[int]:
        """Return the lines of WHILE, DO and END without a counterpart."""
        loops = {Kind.WHILE, Kind.DO, Kind.END}
        return [
            index
            for index, statement in self.statements.items()
            if statement.kind in loops and statement.partner < 0
        ]

    def step(self, index: int) -> tuple[int, str]:
        """Execute the statement of a line. Return the next line, and what else is to be executed of
        this one: the block after THEN."""
        statement = self.statements[index]
        match statement.kind:
            case Kind.IF:
                return self._if(index, statement)
            case Kind.GOTO:
                return self.target(index, statement.text), ""
            case Kind.WHILE | Kind.DO if statement.partner < 0:
                raise BlockError("this loop has no END")
            case Kind.WHILE:
                holds, rest = self._holds(index, statement.text, loops=True)
                if rest:
                    raise BlockError("WHILE takes one condition in brackets")
                return (index if holds else statement.partner) + 1, ""
            case Kind.END:
                if statement.partner < 0:
                    raise BlockError("this END has no WHILE or DO")
                self._guard.back(index)
                return statement.partner, ""
            case _:
                return index + 1, ""

    def _if(self, index: int, statement: Statement) -> tuple[int, str]:
        text = statement.text
        holds, rest = self._holds(index, text, loops=self._goes_back(index, text))
        if rest.startswith("GOTO"):
            return (self.target(index, rest[4:]) if holds else index + 1), ""
        rest = rest.removeprefix("THEN")
        if not rest:
            raise BlockError("IF without THEN or GOTO")
        return index + 1, rest if holds else ""

    def _goes_back(self, index: int, text: str) -> bool:
        number = text.rpartition("GOTO")[2]
        target = self._labels.find(int(number), index) if number.isdecimal() else None
        return target is not None and target < index

    def _holds(self, index: int, text: str, *, loops: bool) -> tuple[bool, str]:
        """Return whether the condition at the start of a text is true, and the rest of the text."""
        scanner = Scanner(text, self._parameters)
        scanner.take("[")
        holds = scanner.bracketed() != 0
        condition, rest = text[: scanner.at], text[scanner.at :]
        gap = scanner.gap if loops else None
        self._guard.decide(index, condition, holds=holds, gap=gap)
        return holds, rest

    def target(self, index: int, text: str) -> int:
        """Return the line of GOTO with a number or an expression. GOTO 0 goes on (Fanuc)."""
        scanner = Scanner(text, self._parameters)
        number = scanner.value()
        if not scanner.done:
            raise BlockError(f"GOTO {text} is not a block number")
        return self.jump(index, round(number), computed="#" in text)

    def jump(self, index: int, number: int, *, computed: bool = False) -> int:
        """Return the line of a block number, and watch for a loop without end."""
        place = self._labels.find(number, index)
        if place is None:
            raise BlockError(f"there is no block N{number} to go to")
        if computed:
            self._guard.count()
        if place <= index:
            self._guard.back(index)
        return place


def arguments(line: str, parameters: Parameters) -> tuple[dict[str, float], dict[Parameter, float]]:
    """Return the words P and L of G65, and the local variables that its other words set."""
    words: dict[str, float] = {}
    values: list[tuple[str, float]] = []
    scanner = Scanner(line, parameters)
    while not scanner.done:
        letter = scanner.text[scanner.at]
        if not "A" <= letter <= "Z":
            raise BlockError(f"G65 cannot read '{letter}'")
        scanner.at += 1
        value = scanner.value()
        if letter in "GNO":
            continue
        if letter in "PL":
            words[letter] = value
        else:
            values.append((letter, value))
    letters = [letter for letter, _ in values]
    if any(letters.count(letter) > 1 for letter in "IJK"):
        return words, _second_specification(values)
    return words, {ARGUMENTS[letter]: value for letter, value in values}


def _second_specification(values: list[tuple[str, float]]) -> dict[Parameter, float]:
    """Return the locals of A B C and of I J K up to ten times."""
    found: dict[Parameter, float] = {}
    triple, last = 0, -1
    for letter, value in values:
        if letter not in "IJK":
            found[ARGUMENTS[letter]] = value
            continue
        place = "IJK".index(letter)
        triple += place <= last
        last = place
        if triple >= _MOST_TRIPLES:
            raise BlockError("G65 takes I, J and K at most ten times")
        found[_FIRST_TRIPLE + 3 * triple + place] = value
    return found
