"""The checks of a hurt fleet notice when a guard is missing."""

import pytest

from tests.faults.fleet.campaign import run_mutated
from tests.faults.fleet.load import LoadKind
from tests.faults.fleet.mutations import MUTATIONS


@pytest.mark.slow
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_a_fleet_without_a_guard_breaks_its_promises(mutation: str) -> None:
    assert run_mutated(mutation, seed=1).violations


@pytest.mark.slow
def test_a_fleet_of_handlers_without_tokens_breaks_its_promises() -> None:
    assert run_mutated("token", seed=1, load=LoadKind.TROUBLE).violations
