"""Parameters (#1, #<name>) and expressions in brackets, in LinuxCNC syntax."""

import math
import operator
import re
from collections.abc import Callable

from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.words import (
    LARGEST,
    LONGEST_LINE,
    MACRO,
    Block,
    Words,
    g_code,
    m_code,
    unreadable,
    what_is_malformed,
)

LOCAL_PARAMETERS = 30
HIGHEST_PARAMETER = 9999
DEEPEST = 40
NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
NAME = re.compile(r"<([^<>]+)>")
FUNCTION = re.compile(r"(ABS|ACOS|ASIN|ATAN|COS|EXISTS|EXP|FIX|FUP|LN|ROUND|SIN|SQRT|TAN)\[")
OPERATOR = re.compile(r"\*\*|[-+*/]|MOD|AND|XOR|OR|EQ|NE|GT|GE|LT|LE")

Parameter = int | str
Binary = Callable[[float, float], float]


OPERATIONS: dict[str, tuple[int, Binary]] = {
    "**": (5, operator.pow),
    "*": (4, operator.mul),
    "/": (4, operator.truediv),
    "MOD": (4, lambda a, b: math.fmod(math.fmod(a, b) + abs(b), abs(b))),  # never negative
    "+": (3, operator.add),
    "-": (3, operator.sub),
    "EQ": (2, lambda a, b: abs(a - b) < 1e-6),
    "NE": (2, lambda a, b: abs(a - b) >= 1e-6),
    "GT": (2, operator.gt),
    "GE": (2, operator.ge),
    "LT": (2, operator.lt),
    "LE": (2, operator.le),
    "AND": (1, lambda a, b: a != 0 and b != 0),
    "OR": (1, lambda a, b: a != 0 or b != 0),
    "XOR": (1, lambda a, b: (a != 0) != (b != 0)),
}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "ACOS": lambda a: math.degrees(math.acos(a)),
    "ASIN": lambda a: math.degrees(math.asin(a)),
    "COS": lambda a: math.cos(math.radians(a)),
    "EXP": math.exp,
    "FIX": math.floor,
    "FUP": math.ceil,
    "LN": math.log,
    "ROUND": lambda a: math.floor(a + 0.5),
    "SIN": lambda a: math.sin(math.radians(a)),
    "SQRT": math.sqrt,
    "TAN": lambda a: math.tan(math.radians(a)),
}


class Parameters:
    """Values of #1, #2 ... (zero until set) and of #<name>; names that start with _ are global."""

    __slots__ = ("_globals", "locals")

    def __init__(self) -> None:
        self._globals: dict[Parameter, float] = {}
        self.locals: dict[Parameter, float] = {}

    def _home(self, key: Parameter) -> dict[Parameter, float]:
        is_local = key <= LOCAL_PARAMETERS if isinstance(key, int) else not key.startswith("_")
        return self.locals if is_local else self._globals

    def knows(self, key: Parameter) -> bool:
        """Return whether the parameter was set. Numbered parameters always count as set."""
        return isinstance(key, int) or key in self._home(key)

    def get(self, key: Parameter) -> float:
        if not self.knows(key):
            raise BlockError(f"#<{str(key).lower()}> is used before it is set")
        return self._home(key).get(key, 0.0)

    def set(self, key: Parameter, value: float) -> None:
        self._home(key)[key] = value


class Scanner:
    """Read values from a line, left to right."""

    __slots__ = ("at", "depth", "parameters", "text")

    def __init__(self, text: str, parameters: Parameters) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.parameters = parameters

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    def take(self, expected: str) -> bool:
        """Read the given text if it comes next. Return whether it did."""
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def value(self) -> float:
        """Read a number, parameter, function or bracketed expression, each with or without sign."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise BlockError("the expression is nested too deeply")
        result = self._signed()
        self.depth -= 1
        return result

    def _signed(self) -> float:
        if self.take("-"):
            return -self.value()
        if self.take("+"):
            return self.value()
        if self.take("#"):
            return self.parameters.get(self.parameter())
        if self.take("["):
            return self.bracketed()
        if (function := self.match(FUNCTION)) is not None:
            return self._function(function.group(1))
        if (number := self.match(NUMBER)) is not None:
            return in_range(float(number.group()))
        if self.done:
            raise BlockError("a value is missing at the end of the line")
        raise BlockError(unreadable(self.text[self.at], self.text))

    def bracketed(self) -> float:
        result = self.expression(1)
        if not self.take("]"):
            raise BlockError("a bracket is not closed")
        return result

    def expression(self, weakest: int) -> float:
        """Read values and operators with a precedence of at least `weakest`."""
        left = self.value()
        while (found := OPERATOR.match(self.text, self.at)) is not None:
            strength, operation = OPERATIONS[found.group()]
            if strength < weakest:
                break
            self.at = found.end()
            left = computed(operation, left, self.expression(strength + 1))
        return left

    def _function(self, name: str) -> float:
        if name == "EXISTS":
            if not self.take("#"):
                raise BlockError("EXISTS needs a parameter")
            known = self.parameters.knows(self.parameter())
            if not self.take("]"):
                raise BlockError("a bracket is not closed")
            return float(known)
        argument = self.bracketed()
        if name == "ATAN":
            if not self.take("/["):
                raise BlockError("ATAN needs two values: ATAN[y]/[x]")
            return math.degrees(math.atan2(argument, self.bracketed()))
        return computed(FUNCTIONS[name], argument)

    def parameter(self) -> Parameter:
        """Read what follows #: a number, a name, or a value that is a number."""
        if (name := self.match(NAME)) is not None:
            return name.group(1)
        number = self.value()
        if number != round(number) or not 1 <= number <= HIGHEST_PARAMETER:
            raise BlockError(f"#{number:g} is not a parameter")
        return round(number)


def in_range(value: float) -> float:
    """Return a value of a program. Raise BlockError for one that no machine works with."""
    if not -LARGEST < value < LARGEST:
        raise BlockError(f"{value:g} is out of range")
    return value


def computed(function: Callable[..., float], *arguments: float) -> float:
    """Return the function's value. Raise BlockError with a sentence if it has none."""
    try:
        result = function(*arguments)
    except (ArithmeticError, ValueError):
        raise BlockError("the expression has no value") from None
    if isinstance(result, complex) or not -LARGEST < result < LARGEST:
        raise BlockError("the expression's value is out of range")
    return float(result)


def evaluate(line: str, parameters: Parameters) -> Block:
    """Parse a line with parameters or expressions. Assignments take effect after the line."""
    if len(line) > LONGEST_LINE:
        raise BlockError(f"the line is longer than {LONGEST_LINE} characters")
    if MACRO.match(line):
        raise BlockError(what_is_malformed(line))
    block = Block()
    settings: list[tuple[Parameter, float]] = []
    scanner = Scanner(line, parameters)
    while not scanner.done:
        if scanner.take("#"):
            settings.append(assignment(scanner))
        else:
            letter = line[scanner.at]
            if not "A" <= letter <= "Z":
                raise BlockError(unreadable(letter, line))
            scanner.at += 1
            put(block, letter, scanner.value())
    for key, value in settings:
        parameters.set(key, value)
    return block


def assignment(scanner: Scanner) -> tuple[Parameter, float]:
    """Read `key=value` after its #."""
    key = scanner.parameter()
    if not scanner.take("="):
        raise BlockError(f"#{key} is incomplete: it needs a letter before it or = after it")
    return key, scanner.value()


def put(block: Block, letter: str, value: float) -> None:
    """Add one word to a block."""
    words: Words = block.words
    if letter == "G":
        block.g.append(g_code(value))
    elif letter == "M":
        block.m.append(m_code(value))
    elif letter in words:
        raise BlockError(f"{letter} appears twice in one block")
    elif not -LARGEST < value < LARGEST:
        raise BlockError(f"{letter}{value:g} is out of range")
    else:
        words[letter] = value
