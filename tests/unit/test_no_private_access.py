"""No test reaches into a private of another module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LOOP = "ui/test_loop*.py"  # what the loop keeps cannot be seen from outside
OF_LIBRARIES = {
    "faults/fleet/mutations.py": {"_for_update_arg", "_generate", "_where_criteria"},
    "store/test_pipelines.py": {"_exit_gen", "_fetch_gen"},
    "ui/conftest.py": {"pytestqt.plugin._process_events"},
}
OWN = {"self", "cls", "mcs"}
DOCUMENTED = {"_asdict", "_exit", "_fields", "_getframe", "_make", "_replace"}  # of the library
BY_NAME = {"setattr", "getattr", "delattr", "hasattr"}


def _is_private(name: str) -> bool:
    """Also in a path, as `cnc_station.loop._now`."""
    last = name.rsplit(".", maxsplit=1)[-1]
    return last.startswith("_") and not last.startswith("__") and last not in DOCUMENTED


def _is_own(value: ast.expr) -> bool:
    """Whether this is the object whose method it stands in."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in OWN


def _named(call: ast.Call) -> Iterator[str]:
    """What a call of `setattr` and the like names: an attribute, or a path to one."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in BY_NAME and not (call.args and _is_own(call.args[0])):
        for argument in call.args[:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def _names(node: ast.Attribute | ast.ImportFrom | ast.Call) -> list[str]:
    match node:
        case ast.Attribute():
            return [] if _is_own(node.value) else [node.attr]
        case ast.ImportFrom():
            return [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        case ast.Call():
            return list(_named(node))


def _reached(source: str) -> list[tuple[int, str]]:
    """The privates of others that a module names, with their lines."""
    return [
        (node.lineno, name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute | ast.ImportFrom | ast.Call)
        for name in _names(node)
        if _is_private(name)
    ]


def test_no_test_reaches_into_a_private_of_another_module() -> None:
    found = [
        f"{name}:{line} {private}"
        for path in sorted(TESTS.rglob("*.py"))
        if "node_modules" not in path.parts and not path.match(LOOP)
        for name in [path.relative_to(TESTS).as_posix()]
        for line, private in _reached(path.read_text("utf-8"))
        if private not in OF_LIBRARIES.get(name, ())
    ]
    assert found == []


@pytest.mark.parametrize("name", OF_LIBRARIES)
def test_a_private_of_a_library_that_may_be_used_still_is(name: str) -> None:
    reached = {private for _, private in _reached((TESTS / name).read_text("utf-8"))}
    assert reached == OF_LIBRARIES[name]


@pytest.mark.parametrize(
    "source",
    [
        "engine._writer.write(1)",
        "type(fake)._take",
        "from cnc_station.config import _READERS",
        "from cnc_station import _private",
        "from cnc_station._private import name",
        'monkeypatch.setattr(registry, "_OWN", {})',
        'monkeypatch.setattr("cnc_station.loop._LONGEST", 1)',
        'getattr(engine, "_writer")',
        "registry._OWN.clear()",
        "del engine._supervisor",
    ],
)
def test_a_private_of_another_module_is_found(source: str) -> None:
    assert len(_reached(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "self._status = 1",
        "super()._command()",
        "engine.__class__",
        "row._replace(id=1)",
        "from cnc_station import __version__",
        'getattr(self, "_make")',
        'setattr(fake, "deaf", True)',
    ],
)
def test_what_is_its_own_or_public_may_be_used(source: str) -> None:
    assert _reached(source) == []
