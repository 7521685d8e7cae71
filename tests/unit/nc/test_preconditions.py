"""What a program assumes of the controller, found while it is read."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.nc import DEFAULT, Limits, Mode, Program
from cnc_station.engine.domain.nc.dialects import LINUXCNC
from tests.unit.nc.programs import moves, read_text, warnings

SAFETY = "G21 G90 G40 G49 G80 G17 G54 G94 G91.1 G50 G69 G97 G98 G64"
EVERYTHING = "S900 M3\nG0 X1 F100\nG81 Z-1 R1\nG80\nG2 X2 I0.5\nM30"
MILL, LATHE = Limits(dialect=LINUXCNC, lathe=False), Limits(dialect=LINUXCNC, lathe=True)


def codes(text: str, limits: Limits = DEFAULT) -> list[str]:
    return [assumption.code for assumption in read_text(text, limits).assumes]


def lines_warned(program: Program, part: str) -> list[int]:
    return [finding.line for finding in program.findings if part in finding.message]


def test_a_program_that_states_every_mode_assumes_nothing() -> None:
    assert codes(f"{SAFETY}\n{EVERYTHING}", MILL) == []


def test_a_program_that_states_no_mode_assumes_all_that_matter_on_a_mill() -> None:
    assert codes(EVERYTHING, MILL) == [
        *("G21", "G90", "G17", "G54", "G94", "G91.1", "G40", "G49", "G50", "G69", "G97", "G98"),
        "G64",
    ]


@pytest.mark.parametrize("code", SAFETY.replace("G80 ", "").split())
def test_each_mode_left_out_of_the_safety_line_is_assumed(code: str) -> None:
    header = " ".join(word for word in SAFETY.split() if word != code)

    assert codes(f"{header}\n{EVERYTHING}", MILL) == [code]


@pytest.mark.parametrize("code", SAFETY.replace("G80 ", "").split())
def test_a_mode_stated_after_it_has_mattered_is_assumed(code: str) -> None:
    header = " ".join(word for word in SAFETY.split() if word != code)
    body = EVERYTHING.replace("M30", f"{code}\nM30")

    assert codes(f"{header}\n{body}", MILL) == [code]


@pytest.mark.parametrize(
    ("body", "spared"),
    [
        ("S1 M3 F9 G1 X1", {Mode.PLANE, Mode.ARC_CENTRES, Mode.RETRACT}),
        ("F9 G1 X1", {Mode.SPINDLE}),
        ("S1 M3 F9 G2 X2 R1", {Mode.ARC_CENTRES}),
        ("G0 X1", {Mode.FEED}),
        ("T1 M6\nG0 X1 Y1\nG43 H1 Z5\nF9 G1 Z-1", {Mode.TOOL_LENGTH}),
        ("G53 G0 Z0", {Mode.WORK_OFFSET, Mode.TOOL_LENGTH}),
        ("G91 G28 Z0", {Mode.WORK_OFFSET, Mode.TOOL_LENGTH}),
        ("G0 A90", {Mode.UNITS, Mode.WORK_OFFSET}),
        ("G93 G1 A90 F2", {Mode.UNITS}),
        ("G10 L2 P2 X7", {Mode.WORK_OFFSET}),
        ("G52 X1", {Mode.WORK_OFFSET, Mode.DISTANCE}),
    ],
)
def test_a_mode_that_no_block_depends_on_is_not_assumed(body: str, spared: set[Mode]) -> None:
    assert spared.isdisjoint(a.mode for a in read_text(f"{body}\nM30", MILL).assumes)


@pytest.mark.parametrize(
    ("body", "used"),
    [
        ("F100\nG21 G90 G0 X1", {Mode.UNITS, Mode.FEED}),
        ("G53 G0 X1", {Mode.UNITS, Mode.DISTANCE}),
        ("G28 X1", {Mode.UNITS, Mode.DISTANCE, Mode.WORK_OFFSET}),
        ("G30 Z1", {Mode.UNITS, Mode.DISTANCE, Mode.WORK_OFFSET}),
        ("G92 X0", {Mode.UNITS, Mode.WORK_OFFSET, Mode.TOOL_LENGTH}),
        ("G52 X1", {Mode.UNITS}),
        ("G10 L2 P2 X1", {Mode.UNITS, Mode.DISTANCE}),
        ("G10 L2 P0 X1", {Mode.WORK_OFFSET}),
        ("G10 L20 P1 X1", {Mode.UNITS, Mode.TOOL_LENGTH}),
        ("G41 D1", {Mode.PLANE}),
        ("M4 S1", {Mode.SPINDLE}),
        ("G96 S100", {Mode.UNITS}),
        ("G91 G90.1 F9 G2 X2 I1 J0", {Mode.WORK_OFFSET}),
        ("G91 F9 G81 X1 Z-1 R1", {Mode.PLANE, Mode.RETRACT}),
    ],
)
def test_whatever_depends_on_a_mode_counts_as_its_use(body: str, used: set[Mode]) -> None:
    assert used <= {a.mode for a in read_text(f"{body}\nM30", MILL).assumes}


def test_a_mode_counts_when_the_blocks_are_carried_out_not_where_they_stand() -> None:
    sub = "o1 sub\nG21 G90\no1 endsub\n"

    assert {"G21", "G90"}.isdisjoint(codes(f"{sub}o1 call\nG0 X1\nM30"))
    assert {"G21", "G90"} <= set(codes(f"{sub}G0 X1\no1 call\nM30"))
    assert {"G21", "G90"} <= set(codes("o1 if [0]\nG21 G90\no1 endif\nG0 X1\nM30"))
    assert {"G21", "G90"} <= set(codes("/G21 G90\nG0 X1\nM30"))
    assert {"G21", "G90"}.isdisjoint(codes("M98 P7\nG0 X1\nM30\nO7\nG21 G90\nM99"))


def test_a_lathe_starts_in_its_own_plane_with_radii() -> None:
    text = "S1 M3 F9\nG0 X1 Z0\nG2 X2 Z-1 R1\nM30"

    assert {"G18", "G8"} <= set(codes(text, LATHE))
    assert "G50" not in codes(text, LATHE)
    assert "G17" in codes(text, MILL)
    assert "G8" not in codes(text, MILL)


def test_a_speed_limit_does_not_state_the_spindle_mode_nor_the_scaling() -> None:
    assert "G97" not in codes("G92 S2000\nG50 S2000\nG96 S100 M3\nG0 X1 Z1\nM30", LATHE)
    assert "G50" in codes("G50 S2000\nG0 X1\nM30", MILL)


def test_a_lathe_that_drills_and_turns_arcs_has_to_state_its_plane() -> None:
    text = "S1 M3 F9\nG0 X0 Z5\nG81 X0 Z-1 R1\nG80\nG0 X1 Z0\n{}G2 X2 Z-1 R1\nM30"

    assert "G17" in codes(text.format(""), LATHE)
    (line,) = lines_warned(read_text(text.format(""), LATHE), "does not say its plane")
    assert line == 6
    assert not lines_warned(read_text(text.format("G18 "), LATHE), "does not say its plane")


def test_units_and_distance_are_warned_about_at_the_first_line_that_needs_them() -> None:
    program = read_text("T1 M6\nS1 M3\nG0 X1 Y2\nM30")

    assert not program.refused
    assert lines_warned(program, "does not say mm or inch (G21 or G20 is missing): read as mm")
    assert lines_warned(program, "does not say G90 or G91: read as absolute (G90)") == [3]


def test_a_mode_stated_too_late_is_reported() -> None:
    program = read_text("G0 X1\nG20 G91\nG0 X1\nM30")

    assert lines_warned(program, "does not say mm or inch before this line") == [1]
    assert lines_warned(program, "does not say G90 or G91 before this line") == [1]


def test_a_lathe_that_counts_by_letters_needs_no_g90() -> None:
    assert not lines_warned(read_text("G21\nG0 X9 Z1\nG0 U-1\nM30", LATHE), "G90 or G91")
    assert lines_warned(read_text("G21\nG0 X9 Z1\nM30", LATHE), "G90 or G91")


def test_the_warnings_are_listed_among_any_number_of_others() -> None:
    many = "\n".join("G0 X1 Q7" for _ in range(150))

    assert any("mm or inch" in message for message in warnings(read_text(f"{many}\nM3 S1")))
    assert any("still on" in message for message in warnings(read_text(f"{many}\nM3 S1")))


# --- What is assumed is enough -------------------------------------------------------------------

OFFSETS = "G10 L2 P2 X7 Y3 Z1\nG10 L2 P9 X-4\n"
LEFT_BEHIND = st.lists(
    st.sampled_from(
        ["G20", "G91", "G18", "G19", "G55", "G59.3", "G93", "G95", "G90.1", "G99", "G96"]
    ),
    min_size=2,
    max_size=8,
).map("\n".join)
STEP = st.integers(-9, 9).map(str)
MODE_WORDS = st.sampled_from(
    [
        *("G20", "G21", "G90", "G91", "G17", "G18", "G19", "G54", "G55", "G93", "G94", "G95"),
        *("G90.1", "G91.1", "G98", "G99", "G96 S9", "G97", "G80", "M3", "S500", "F60", "F100"),
    ]
)
MOVES = st.one_of(
    st.builds("G0 X{} Y{}".format, STEP, STEP),
    st.builds("G1 X{} Z{} F60".format, STEP, STEP),
    st.builds("G1 A{} F60".format, STEP),
    st.builds("Z{}".format, STEP),
    st.builds("G2 X{} Y{} R30 F60".format, STEP, STEP),
    st.builds("G2 I{} J{} F60".format, STEP, STEP),
    st.builds("G3 I{} K{} F60".format, STEP, STEP),
    st.builds("G81 X{} Y{} Z-2 R3 F60".format, STEP, STEP),
    st.builds("G28 Z{}".format, STEP),
    st.builds("G53 G0 X{}".format, STEP),
    st.builds("G92 X{}".format, STEP),
    st.builds("G52 Y{}".format, STEP),
    st.builds("G10 L2 P{} Y{}".format, st.integers(0, 2), STEP),
    st.builds("G10 L20 P{} Z{}".format, st.integers(0, 2), STEP),
)
BODIES = st.lists(st.one_of(MODE_WORDS, MOVES, MOVES), min_size=1, max_size=8).map("\n".join)
TURNING = st.one_of(
    st.builds("G0 X{} Z{}".format, STEP, STEP),
    st.builds("G3 X{} Z{} R30 F60".format, STEP, STEP),
    st.builds("G2 I{} K{} F60".format, STEP, STEP),
    st.builds("G1 U{} W{} F60".format, STEP, STEP),
    st.sampled_from(["G7", "G8"]),
)
TURNED = st.lists(st.one_of(MODE_WORDS, TURNING), min_size=1, max_size=12).map("\n".join)


def driven(text: str, before: str, limits: Limits) -> list[tuple[object, ...]]:
    program = read_text(f"{OFFSETS}{before}\n{text}\nM30", limits)
    return [(m.kind, m.end, m.feed, m.spindle, m.seconds, m.arc) for m in moves(program)]


@settings(max_examples=300)
@example("G91 G90.1 G18\nG2 I5 K2 F60\nG90 G54\nG0 X1", "G55")
@example("G10 L2 P0 Y5\nG54\nG0 Y1", "G55")
@example("G0 Z9\nG81 X1 Y1 Z-2 R3 F60", "G99")
@example("G92 X3\nG54\nG0 X1", "G55")
@example("F60\nG94\nG1 X5", "G93")
@example("S500\nG97 M3 F60\nG1 X5", "G96")
@given(BODIES, LEFT_BEHIND)
def test_with_what_it_assumes_made_true_a_program_drives_the_same_whatever_was_left_behind(
    body: str, left: str
) -> None:
    made_true = "\n".join(codes(f"{body}\nM30", MILL))

    assert driven(body, f"{left}\n{made_true}", MILL) == driven(body, "", MILL)


@given(TURNED, st.lists(st.sampled_from(["G7", "G8"]), max_size=1).map("".join), LEFT_BEHIND)
def test_a_lathe_program_with_its_assumptions_drives_the_same_whatever_was_left_behind(
    body: str, diameter: str, left: str
) -> None:
    made_true = "\n".join(codes(f"{body}\nM30", LATHE))

    assert driven(body, f"{left}\n{diameter}\n{made_true}", LATHE) == driven(body, "", LATHE)
