from cnc_station.engine.domain.nc.set_up import SetUp, set_up


def test_tools_are_listed_once_in_the_order_of_their_use() -> None:
    found = set_up("T4 M6\nG0 X0\nT2 M6\nT4 M6\nM30")
    assert found.tools == ((4, ""), (2, ""))


def test_a_tool_is_called_what_the_list_at_the_head_of_the_program_calls_it() -> None:
    text = "(T1 D=50 FACE MILL)\n; T7 - drill 5 mm\nN10 T1 M6\nN20T7M6 (drill the holes)\n"
    assert set_up(text).tools == ((1, "D=50 FACE MILL"), (7, "drill 5 mm"))


def test_a_tool_that_is_only_listed_is_not_needed() -> None:
    assert set_up("(T9 SPARE)\nT1 M6 (CENTRE DRILL)\n").tools == ((1, "CENTRE DRILL"),)


def test_a_turret_position_is_the_tool_whatever_its_offset() -> None:
    assert set_up("T0101\nG0 X20\nT0100\nT0303\nT0000").tools == ((1, ""), (3, ""))


def test_letters_in_names_and_comments_are_not_tools() -> None:
    text = "#<t5> = 3\no<set5> call\n(set T 8 by hand)\nG1 X[ATAN[1]/[2]]\n"
    assert set_up(text).tools == ()


def test_work_offsets_are_named_as_on_the_control() -> None:
    text = "G21 G90 G54\nG0 X0\nG 55\ng59.1\nG54.1 P3\nG154 P07\nG54 (again)\nG540\nG5 X1"
    assert set_up(text).work_offsets == ("G54", "G55", "G59.1", "G54.1 P3", "G154 P7")


def test_a_program_that_names_nothing_needs_nothing() -> None:
    assert set_up("G21\nG1 X10 F100\nM30\n") == SetUp()
