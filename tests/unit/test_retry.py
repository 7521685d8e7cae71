"""Backoff: min(initial · 2^failures, maximum), plus up to `jitter` of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.policies import RetryPolicy

_SECONDS = st.floats(0, 86_400)
_POLICIES = st.builds(RetryPolicy, initial_s=_SECONDS, maximum_s=_SECONDS, jitter=st.floats(0, 1))
_CHANCES = st.floats(0, 1, exclude_max=True)


@given(_POLICIES, st.integers(1, 100_000), _CHANCES)
def test_the_wait_is_never_negative_never_above_the_maximum_and_its_jitter(
    policy: RetryPolicy, failures: int, chance: float
) -> None:
    wait = policy.backoff_s(failures, chance)
    assert math.isfinite(wait)
    assert min(policy.initial_s, policy.maximum_s) <= wait
    assert wait <= policy.maximum_s * (1 + policy.jitter)


@given(_POLICIES, st.integers(1, 100), _CHANCES)
def test_a_further_failure_never_waits_less(
    policy: RetryPolicy, failures: int, chance: float
) -> None:
    assert policy.backoff_s(failures + 1, chance) >= policy.backoff_s(failures, chance)


@pytest.mark.parametrize(
    ("failures", "wait"), [(1, 10), (2, 20), (3, 40), (5, 160), (6, 300), (99, 300)]
)
def test_it_doubles_up_to_the_maximum(failures: int, wait: float) -> None:
    assert RetryPolicy().backoff_s(failures, 0.0) == wait


def test_a_jobs_own_limit_goes_before_that_of_its_kind() -> None:
    policy = RetryPolicy()
    assert policy.limit(None, automation=False) == 2
    assert policy.limit(None, automation=True) == 3
    assert policy.limit(0, automation=True) == 0
