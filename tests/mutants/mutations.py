"""The mutants of a source file: one guard or comparison changed in each.

A condition is still computed when its guard is taken out, so that a mutant differs in the decision
alone. Nothing is changed in annotations, f-strings (their places are not exact before Python 3.12)
and assertions.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SWAPS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_CONDITIONS = frozenset({"where", "having", "filter"})  # of a statement: each argument narrows it
_JUNCTIONS = frozenset({"and_", "or_"})
_BOUNDED = frozenset({"min", "max", "range"})
_LEAVES = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_LONGEST = 90

Located = ast.expr | ast.stmt


@dataclass(frozen=True, slots=True)
class Mutant:
    """`path` with the bytes from `start` to `end` replaced. `function` is the qualified name of the
    function around them, empty outside of any."""

    path: str
    line: int
    function: str
    change: str
    start: int
    end: int
    text: bytes

    def apply(self, source: bytes) -> bytes:
        """The mutated source."""
        return source[: self.start] + self.text + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.change}"


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    found = {(mutant.start, mutant.end, mutant.text): mutant for mutant in finder.found}
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.start, mutant.text))


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path = path
        self._source = source
        lengths = [len(line) for line in source.splitlines(keepends=True)]
        self._starts = [sum(lengths[:number]) for number in range(len(lengths) + 1)]
        self._names: list[str] = []
        self._function = ""

    # where

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer = self._function
        self._function = ".".join([*self._names, node.name])
        self._names += [node.name, "<locals>"]
        for statement in node.body:
            self.visit(statement)
        del self._names[-2:]
        self._function = outer

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    # what

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node.body[-1], _LEAVES):
            self._decide(node.test, "if", "never", b" and False")
            self._decide(node.test, "if", "always", b" or True")
        self.visit(node.test)
        only_raises = len(node.body) == 1 and isinstance(node.body[0], ast.Raise)
        if not only_raises or node.orelse:  # otherwise it is what "never" does
            self._visit_all(node.body)
        self._visit_all(node.orelse)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self._decide(node.guard, "case … if", "always", b" or True")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._decide(condition, "for … if", "always", b" or True")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, b"pass", f"{self._words(node)} → pass")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._replace(node, self._wrapped(node.operand), f"{self._words(node)} → without not")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for at, op in enumerate(node.ops):
            for sign in _SWAPS[type(op)]:
                self._replace(
                    node,
                    self._compared(node, at, sign),
                    f"{self._words(node)} → {sign}",
                )
            if isinstance(op, _ORDER):
                for side in (node.left, *node.comparators)[at : at + 2]:
                    self._shift(side, node)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for at in range(len(node.values)):
            self._drop(node, node.values, at, f" {_SIGNS[type(node.op)]} ")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        sides = (node.left, node.right)
        joins = isinstance(node.op, ast.BitAnd | ast.BitOr)
        if joins and any(isinstance(side, ast.Compare) for side in sides):
            for at in range(2):
                self._drop(node, sides, at, f" {_SIGNS[type(node.op)]} ")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        if name in _CONDITIONS and isinstance(node.func, ast.Attribute) and node.args:
            self._without_arguments(node, self._segment(node.func.value))
        elif name in _JUNCTIONS and len(node.args) > 1:
            self._without_arguments(node, b"")
        elif name in _BOUNDED:
            for argument in node.args:
                self._shift(argument, node)
        self.generic_visit(node)

    # how

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _decide(self, test: ast.expr, head: str, when: str, tail: bytes) -> None:
        self._replace(test, self._wrapped(test, tail), f"{head} {self._words(test)} → {when}")

    def _compared(self, node: ast.Compare, changed: int, sign: str) -> bytes:
        text = self._wrapped(node.left)
        for at, (op, side) in enumerate(zip(node.ops, node.comparators, strict=True)):
            between = sign if at == changed else _SIGNS[type(op)]
            text += f" {between} ".encode() + self._wrapped(side)
        return text

    def _drop(self, node: ast.expr, parts: Sequence[ast.expr], at: int, between: str) -> None:
        kept = [self._wrapped(part) for number, part in enumerate(parts) if number != at]
        text = between.encode().join(kept)
        self._replace(node, text, f"{self._words(node)} → without {self._words(parts[at])}")

    def _without_arguments(self, node: ast.Call, alone: bytes) -> None:
        """One argument less in each; what is left when there is only one is `alone`."""
        for at, argument in enumerate(node.args):
            kept = [self._segment(other) for other in node.args if other is not argument]
            kept += [self._segment(keyword) for keyword in node.keywords]
            text = self._segment(node.func) + b"(" + b", ".join(kept) + b")"
            words = f"{_called(node)}(…) → without {self._words(argument)}"
            self._replace(node, text if kept else alone, words, line=node.args[at].lineno)

    def _shift(self, bound: ast.expr, around: ast.expr) -> None:
        value = bound.value if isinstance(bound, ast.Constant) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            for other in (value + 1, value - 1):
                words = f"{self._words(around)}: {value} → {other}"
                self._replace(bound, f"({other})".encode(), words)

    def _replace(self, node: Located, text: bytes, change: str, line: int | None = None) -> None:
        start, end = self._place(node)
        where = node.lineno if line is None else line
        self.found.append(Mutant(self._path, where, self._function, change, start, end, text))

    def _place(self, node: Located | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _segment(self, node: Located | ast.keyword) -> bytes:
        start, end = self._place(node)
        return self._source[start:end]

    def _wrapped(self, node: ast.expr, tail: bytes = b"") -> bytes:
        text = b"(" + self._segment(node) + b")"
        return b"(" + text + tail + b")" if tail else text

    def _words(self, node: Located) -> str:
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
