"""`./dev mutants` finds a guard that no test holds, and only that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import NEAR, near
from tests.mutants.mutations import mutants_of
from tests.tools.recorder import ROOT

FEE = b"""\
from functools import cache


@cache
def fee(kind: str) -> int:
    return 0 if kind == "private" else 5
"""
ACCOUNT = b"""\
from cnc_station.engine.store.fee import fee


def withdraw(balance: int, amount: int, owner: str | None) -> int:
    cost = fee("private")
    if owner is None:
        raise ValueError("nobody")
    if amount not in range(balance + 1):
        raise ValueError("not there")
    return balance - amount - cost


def never_called(amount: int | None) -> bool:
    return amount is None
"""
HALF_TESTED = b"""\
import pytest
from cnc_station.engine.store.account import withdraw


def test_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="not there"):
        withdraw(10, 11, "Ada")


def test_what_is_there_can_be_withdrawn() -> None:
    assert withdraw(10, 10, "Ada") == 0
"""
PYTEST = '[tool.pytest.ini_options]\naddopts = "-p pytest_timeout"\n'


def changed(statement: str) -> list[str]:
    """The mutants of a statement, as source."""
    source = statement.encode()
    return [mutant.apply(source).decode() for mutant in mutants_of("a.py", source)]


@pytest.mark.parametrize(
    ("statement", "mutants"),
    [
        ("x = a <= b", ["x = (a) < (b)", "x = (a) >= (b)"]),
        ("x = a is None", ["x = (a) is not (None)"]),
        ("x = a in b", ["x = (a) not in (b)"]),
        ("x = not a", ["x = (a)"]),
        ("x = a and b or c", ["x = (a and b)", "x = (c)", "x = (a) or c", "x = (b) or c"]),
        ("x = (a == b) & c", ["x = (a == b)", "x = ((a) != (b)) & c", "x = (c)"]),
        ("x = s.where(a, b)", ["x = s.where(a)", "x = s.where(b)"]),
        ("x = s.where(a).all()", ["x = s.all()"]),
        ("x = or_(a, b)", ["x = or_(a)", "x = or_(b)"]),
        ("x = [y for y in z if y]", ["x = [y for y in z if ((y) or True)]"]),
        ("x = min(a, 3)", ["x = min(a, (2))", "x = min(a, (4))"]),
        ("raise E", ["pass"]),
        ("assert a < b", []),
        ("x = f'{a < b}'", []),
        ("x: int | None = None", []),
        ("if TYPE_CHECKING: raise E", []),
    ],
)
def test_a_guard_or_comparison_is_changed_one_at_a_time(statement: str, mutants: list[str]) -> None:
    assert sorted(changed(statement)) == sorted(mutants)


def test_a_guard_is_taken_out_and_its_condition_still_computed() -> None:
    assert changed("if a:\n  return 1") == [
        "if ((a) and False):\n  return 1",
        "if ((a) or True):\n  return 1",
    ]


def test_a_mutant_knows_its_function_and_line() -> None:
    source = b"class A:\n  def b(self):\n    def c():\n      return '\xc3\xa4', 1 is x\n"
    (mutant,) = mutants_of("a.py", source)
    assert (mutant.function, mutant.line) == ("A.b.<locals>.c", 4)
    assert mutant.apply(source).endswith("return 'ä', (1) is not (x)\n".encode())


def test_what_is_mutated_by_itself_and_its_tests_are_there() -> None:
    for path, tests in NEAR.items():
        assert all((ROOT / place).exists() for place in (path, *tests))
    assert near(["cnc_station/engine/store/moves.py"]) == ["tests/store"]
    assert near(["cnc_station/cli"]) == ["tests"]


def mutated(root: Path, *options: str) -> list[str]:
    """The lines that the tool prints when it is run on a checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", *options],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_it_lists_the_guard_that_no_test_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "cnc_station" / "engine" / "store"
    tests = tmp_path / "tests"
    for package in (store.parent.parent, store.parent, store, tests, tests / "store"):
        package.mkdir()
        (package / "__init__.py").touch()
    (store / "account.py").write_bytes(ACCOUNT)
    (store / "fee.py").write_bytes(FEE)
    (tests / "store" / "test_account.py").write_bytes(HALF_TESTED)
    for tool in ("mutants", "tools"):
        shutil.copytree(ROOT / "tests" / tool, tests / tool)
    (tmp_path / "pyproject.toml").write_text(PYTEST, encoding="utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # those here take a second a start

    lines = mutated(tmp_path, "--only", "cnc_station/engine/store", "--jobs", "1")
    path = "cnc_station/engine/store/account.py"
    assert [line.partition("] ")[2] for line in lines if line.startswith("[")] == [
        f"survived (2 tests)  {path}:6  if owner is None → never",
        f"survived (2 tests)  {path}:14  amount is None → is not",
    ]
    assert lines[-1] == "6 killed, 2 survived, 0 timed out, 0 not run by these tests"
    assert (store / "account.py").read_bytes() == ACCOUNT


def test_a_sample_of_the_real_code_is_tried() -> None:
    rule, tests = "cnc_station/engine/domain/policies.py", "tests/unit/test_retry.py"
    lines = mutated(ROOT, "--only", rule, "--tests", tests, "--sample", "1", "--jobs", "1")
    assert any(line.startswith(f"1 mutants of {rule};") for line in lines)
    assert lines[-1].endswith(" 0 timed out, 0 not run by these tests")
