import pytest

from cnc_station.bundled import bundled
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.views import Doing
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import look_of

STATES = [*JobState, *RunState, *MachineState, *Doing]


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("state", STATES, ids=lambda s: f"{type(s).__name__}-{s}")
def test_every_state_has_an_icon_a_word_and_a_tone(
    state: JobState | RunState | MachineState | Doing,
) -> None:
    look = look_of(state)
    assert bundled("icons", *f"{look.icon}.svg".split("/")).is_file()
    assert look.word
    assert look.tone in Tone


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("enum", [JobState, RunState, MachineState, Doing])
def test_two_states_of_one_kind_never_look_alike(
    enum: type[JobState] | type[RunState] | type[MachineState] | type[Doing],
) -> None:
    shapes = [(look_of(state).icon, look_of(state).tone) for state in enum]
    words = [look_of(state).word for state in enum]
    assert len(set(shapes)) == len(shapes)
    assert len(set(words)) == len(words)


def test_colour_is_spent_only_on_what_runs_or_needs_a_person() -> None:
    coloured = {state for state in JobState if look_of(state).tone is not Tone.NORMAL}
    assert coloured == {
        JobState.RUNNING,
        JobState.HELD,
        JobState.INTERRUPTED,
        JobState.NEEDS_ATTENTION,
    }
