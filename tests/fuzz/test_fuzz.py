"""A few hundred odd inputs for each target; `./dev fuzz` tries a million."""

import pytest
from hypothesis import given, settings

from tests.fuzz.__main__ import main
from tests.fuzz.inputs import inputs
from tests.fuzz.targets import TARGETS
from tests.fuzz.trying import LONGEST_S, seconds_of

SHARE = 300


@pytest.mark.parametrize("name", TARGETS)
def test_odd_input_is_refused_in_words_and_in_time(name: str) -> None:
    fuzzed = TARGETS[name]

    @settings(max_examples=SHARE)
    @given(inputs(fuzzed.seeds, fuzzed.tokens))
    def ends(data: bytes) -> None:
        # a busy computer may hold up one try
        assert min(seconds_of(fuzzed, data) for _ in range(2)) < LONGEST_S

    ends()


def test_the_long_run_reports_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs", "190", "--seed", "7", "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in TARGETS)
    assert "190 inputs" in told
