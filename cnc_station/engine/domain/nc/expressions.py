"""Read parameters (#1, #<name>) and expressions in brackets, as LinuxCNC and as Fanuc's and Haas's
macros write them."""

import math
import operator
import re
from collections.abc import Callable

from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.loops import Gap
from cnc_station.engine.domain.nc.malformed import unreadable
from cnc_station.engine.domain.nc.parameters import (
    HIGHEST_PARAMETER,
    Parameter,
    Parameters,
    Vacant,
)
from cnc_station.engine.domain.nc.words import (
    LARGEST,
    LONGEST_LINE,
    Block,
    Words,
    g_code,
    m_code,
)

DEEPEST = 40
NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
NAME = re.compile(r"<([^<>]+)>")
FUNCTION = re.compile(
    r"(ABS|ACOS|ASIN|ATAN|BCD|BIN|COS|EXISTS|EXP|FIX|FUP|LN|POW|RND|ROUND|SIN|SQRT|SQR|TAN)\["
)
OPERATOR = re.compile(r"\*\*|[-+*/]|MOD|AND|XOR|OR|EQ|NE|GT|GE|LT|LE")

Binary = Callable[[float, float], float]


def equal(a: float, b: float) -> bool:
    """Return whether two values are equal. An empty parameter is equal to another only."""
    return isinstance(a, Vacant) is isinstance(b, Vacant) and abs(a - b) < 1e-6


COMPARING = 2
OPERATIONS: dict[str, tuple[int, Binary]] = {
    "**": (5, operator.pow),
    "*": (4, operator.mul),
    "/": (4, operator.truediv),
    "MOD": (4, lambda a, b: math.fmod(math.fmod(a, b) + abs(b), abs(b))),  # never negative
    "+": (3, operator.add),
    "-": (3, operator.sub),
    "EQ": (2, equal),
    "NE": (2, lambda a, b: not equal(a, b)),
    "GT": (2, operator.gt),
    "GE": (2, operator.ge),
    "LT": (2, operator.lt),
    "LE": (2, operator.le),
    "AND": (1, lambda a, b: a != 0 and b != 0),
    "OR": (1, lambda a, b: a != 0 or b != 0),
    "XOR": (1, lambda a, b: (a != 0) != (b != 0)),
}
# The logical operators of a macro work on the bits of whole numbers.
BITS: dict[str, Binary] = {
    "AND": lambda a, b: int(a) & int(b),
    "OR": lambda a, b: int(a) | int(b),
    "XOR": lambda a, b: int(a) ^ int(b),
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
    "RND": lambda a: math.floor(a + 0.5),
    "SIN": lambda a: math.sin(math.radians(a)),
    "SQRT": math.sqrt,
    "SQR": math.sqrt,
    "TAN": lambda a: math.tan(math.radians(a)),
    "BIN": lambda a: int(f"{int(a):x}"),
    "BCD": lambda a: int(f"{int(a):d}", 16),
}
# Where a macro rounds otherwise: FIX cuts the decimals off, FUP goes away from zero.
MACRO_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "FIX": math.trunc,
    "FUP": lambda a: math.copysign(math.ceil(abs(a)), a),
    "ROUND": lambda a: math.copysign(math.floor(abs(a) + 0.5), a),
}


class Scanner:
    """Read values from a line, left to right."""

    __slots__ = ("_comparisons", "_gap", "at", "depth", "parameters", "text")

    def __init__(self, text: str, parameters: Parameters) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.parameters = parameters
        self._comparisons = 0
        self._gap: Gap | None = None

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    @property
    def gap(self) -> Gap | None:
        """How far the sides of the only comparison are apart; None if there are more, or none."""
        return self._gap if self._comparisons == 1 else None

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
            value = self.value()
            return value if isinstance(value, Vacant) else -value
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
        raise unreadable(self.text, self.at)

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
            if self.parameters.macro_b:
                operation = BITS.get(found.group(), operation)
            right = self.expression(strength + 1)
            if strength == COMPARING:
                self._comparisons += 1
                self._gap = Gap(abs(left - right), found.group() in {"EQ", "NE"})
            left = computed(operation, left, right)
        return left

    def _function(self, name: str) -> float:
        if name == "EXISTS":
            if not self.take("#"):
                raise BlockError("EXISTS needs a parameter")
            known = self.parameters.knows(self.parameter())
            if not self.take("]"):
                raise BlockError("a bracket is not closed")
            return float(known)
        if name in {"ATAN", "POW"}:
            return self._function_of_two(name)
        function = FUNCTIONS[name]
        if self.parameters.macro_b:
            function = MACRO_FUNCTIONS.get(name, function)
        return computed(function, self.bracketed())

    def _function_of_two(self, name: str) -> float:
        """Read ATAN[y]/[x], ATAN[y,x] or POW[base,exponent] after the first bracket."""
        first = self.expression(1)
        if not self.take(",") and not (name == "ATAN" and self.take("]/[")):
            raise BlockError(f"{name} needs two values: {name}[y]/[x]")
        second = self.bracketed()
        return computed(math.pow if name == "POW" else angle, first, second)

    def parameter(self) -> Parameter:
        """Read what follows #: a number, a name, or a value that is a number."""
        if (name := self.match(NAME)) is not None:
            return name.group(1)
        number = self.value()
        if number != round(number) or not 0 <= number <= HIGHEST_PARAMETER:
            raise BlockError(f"#{number:g} is not a parameter")
        return round(number)


def angle(y: float, x: float) -> float:
    """Return the direction of a point in degrees."""
    return math.degrees(math.atan2(y, x))


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
    block = Block()
    settings: list[tuple[Parameter, float]] = []
    scanner = Scanner(line, parameters)
    while not scanner.done:
        if scanner.take("#"):
            settings.append(assignment(scanner))
        else:
            letter = line[scanner.at]
            if not ("A" <= letter <= "Z" or letter in "@^"):
                raise unreadable(line, scanner.at)
            scanner.at += 1
            value = scanner.value()
            if not isinstance(value, Vacant):
                put(block, letter, value)
    for key, value in settings:
        parameters.set(key, value)
    return block


def assignment(scanner: Scanner) -> tuple[Parameter, float]:
    """Read `key=expression` after its #."""
    key = scanner.parameter()
    if not scanner.take("="):
        raise BlockError(f"#{key} is incomplete: it needs a letter before it or = after it")
    return key, scanner.expression(1)


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
