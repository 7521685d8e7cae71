"""The O-word lines of LinuxCNC (subroutines, loops, branches) and which of them belong together."""

import re
from dataclasses import dataclass

LABEL = r"(?:N[0-9.]+)?O(?P<label>[0-9]+|<[^<>]+>)"
STATEMENT = re.compile(
    LABEL
    + r"(?P<keyword>SUB|ENDSUB|CALL|RETURN|DO|WHILE|ENDWHILE|IF|ELSEIF|ELSE|ENDIF|BREAK|CONTINUE"
    r"|REPEAT|ENDREPEAT)(?P<rest>(?:[\[#].*)?)"
)
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
