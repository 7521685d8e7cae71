"""The parts of the program and the licences they come under."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from cnc_station.ui.licences import Component, components

PACKAGING = Path(__file__).parents[2] / "packaging"


@pytest.fixture(scope="module")
def rule() -> ModuleType:
    """The rule of the build."""
    spec = importlib.util.spec_from_file_location("licences", PACKAGING / "bundle/licences.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_every_locked_package_that_is_installed_here_is_among_the_parts() -> None:
    lock = (PACKAGING / "requirements.txt").read_text()
    always = re.findall(r"^([A-Za-z0-9._-]+)==[^;]*\\$", lock, re.MULTILINE)
    shown = {re.sub(r"[-_.]+", "-", part.name).lower() for part in components()}
    assert {name for name in always if re.sub(r"[-_.]+", "-", name).lower() not in shown} == set()


def test_every_part_may_be_in_the_bundle(rule: ModuleType) -> None:
    assert rule.refused() == []


def test_every_text_that_a_wheel_lacks_is_kept_here() -> None:
    kept = {file.name.partition(",")[0] for file in (PACKAGING / "bundle/licences").glob("*.txt")}
    assert {part.name for part in components() if not part.texts} <= kept


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("AGPL-3.0", False),
        ("GPL-2.0 OR BSD-3-Clause", True),
        ("BSD-3-Clause AND GPL-2.0", False),
        ("LGPL-3.0-only", True),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_a_part_without_a_free_and_lenient_licence_stops_the_build(
    rule: ModuleType, licence: str, allowed: bool
) -> None:
    assert (rule.refused((Component("part", "1", licence, ()),)) == []) is allowed
