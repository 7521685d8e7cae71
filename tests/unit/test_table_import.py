import datetime as dt
import io
import zipfile
from collections.abc import Iterable
from time import process_time
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.outside_file import MOST_TABLE_BYTES
from cnc_station.engine.services import table_file, workbook_parts
from cnc_station.engine.services.table_import import (
    ISSUES_KEPT,
    PREVIEW_ROWS,
    ImportContext,
    Imported,
    read_jobs,
)
from cnc_station.engine.views import ImportIssue, ProgramRow

BERLIN = ZoneInfo("Europe/Berlin")
NOW = int(dt.datetime(2026, 11, 21, 10, 30, tzinfo=BERLIN).timestamp() * 1000)
BRACKET = ProgramRow("ab" * 32, "bracket.nc", 2, 900, 40, 312.5, 0, NOW, "Ada", 0, None)
FILE = "monday.csv"
SHOP = ImportContext(NOW, BERLIN, {"bracket.nc": BRACKET}.get, {"M1": 7}.get)


def imported(text: str, mapping: dict[str, str] | None = None) -> Imported:
    return read_jobs(FILE, text.encode(), SHOP, mapping)


def issues(text: str, mapping: dict[str, str] | None = None) -> list[tuple[int, str, str]]:
    found = imported(text, mapping)
    assert found.specs == ()
    return [(issue.row, issue.column, issue.message) for issue in found.preview.issues]


def workbook(*sheets: Iterable[Iterable[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_columns_are_guessed_from_the_names_people_use() -> None:
    found = imported(
        "WO#,Part,Op,Mach. Type,Qty,Due Date,Prio,Mat,Runtime (min),NC Program\n"
        "W-1,Bracket,op10,Mill,12,23.11.2026 17:00,high,6061,3.5,bracket.nc\n"
    )
    assert found.preview.mapping == {
        "work_order": "WO#",
        "name": "Part",
        "operation": "Op",
        "machine_type": "Mach. Type",
        "quantity": "Qty",
        "due_at": "Due Date",
        "priority": "Prio",
        "material": "Mat",
        "estimated_s": "Runtime (min)",
        "program": "NC Program",
    }
    assert found.accepted() == (
        JobSpec(
            name="Bracket",
            machine_type="mill",
            material="6061",
            priority=90,
            estimated_s=210.0,
            quantity=12,
            due_at=int(dt.datetime(2026, 11, 23, 17, tzinfo=BERLIN).timestamp() * 1000),
            program=BRACKET.sha256,
            work_order="W-1",
            operation="op10",
            source="imported from monday.csv, row 1",
        ),
    )


def test_a_shops_own_kinds_of_jobs_are_left_alone() -> None:
    found = imported("Part,Machine,Kind,Job type\nA,mill,Rework,Repeat order\n")
    assert found.preview.mapping == {"name": "Part", "machine_type": "Machine"}
    assert found.preview.ready


def test_a_given_mapping_is_taken_as_it_is() -> None:
    text = "name,type,qty,Menge\nBolt,lathe,1,25\n"
    mapping = {"name": "name", "machine_type": "type", "quantity": "Menge", "material": ""}
    (spec,) = imported(text, mapping).accepted()
    assert (spec.quantity, spec.material) == (25, "")


def test_a_mapping_that_does_not_fit_the_table_is_an_issue() -> None:
    found = issues("name,type\nBolt,lathe\n", {"name": "Teil", "colour": "type"})
    assert found == [
        (0, "Teil", "there is no such column for name"),
        (0, "type", "a job has no field colour"),
        (0, "", "No column is chosen for: Machine type."),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding_are_found_out(delimiter: str, encoding: str) -> None:
    rows = [["Name", "Type", "Description"], ["Gehäuse", "mill", "one; two, three\tfour"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    found = read_jobs(FILE, text.encode(encoding), SHOP)
    assert found.preview.columns == ("Name", "Type", "Description")
    assert found.preview.rows == (("Gehäuse", "mill", "one; two, three\tfour"),)
    assert found.accepted()[0].name == "Gehäuse"


def test_a_quoted_cell_may_hold_line_breaks() -> None:
    found = imported('name,type,payload\nA,mill,"{""note"":\n ""x""}"\nB,mill,\n')
    assert [spec.payload for spec in found.accepted()] == [{"note": "x"}, {}]


def test_every_bad_cell_is_named_with_its_row_and_column() -> None:
    found = issues(
        "Part,Type,Qty,Prio,Cx,Due,Program\n"
        "A,mill,12,low,2,,\n"
        "\n"
        ",mill,many,urgent,9,someday,gone.nc\n"
        "C,mill,0,,,,\n"
        "D,mill,1,,,,,extra\n"
    )
    assert found == [
        (3, "Qty", "'many' is not a whole number"),
        (3, "Prio", "'urgent' is neither low, medium, high nor a number"),
        (3, "Due", "'someday' is not a date: write 2026-11-23, 2026-11-23 17:00, or +2h30m"),
        (3, "Program", "there is no program 'gone.nc': add it first"),
        (3, "Part", "is missing"),
        (3, "Cx", "from 1 to 5"),
        (4, "Qty", "from 1 to 1,000,000"),
        (5, "", "has more cells than there are columns"),
    ]


def test_one_bad_row_keeps_all_the_others_out() -> None:
    found = imported("name,type,qty\nA,mill,1\nB,mill,0\n")
    assert (found.preview.total, found.preview.ready, found.specs) == (2, False, ())
    with pytest.raises(InvalidInput, match="row 2, qty: from 1"):
        found.accepted()


def test_a_program_gives_the_time_of_a_part_unless_the_table_does() -> None:
    text = "name,type,program,cycle time\nA,mill,C:\\nc\\bracket.nc,\nB,mill,bracket.nc,2 min\n"
    first, second = imported(text).accepted()
    assert (first.program, first.estimated_s) == (BRACKET.sha256, 312.5)
    assert second.estimated_s == 120.0


def test_a_machine_can_be_named() -> None:
    text = "name,type,only on machine\nA,mill,{}\n"
    assert imported(text.format("M1")).accepted()[0].pinned_machine_id == 7
    assert issues(text.format("M9")) == [(1, "only on machine", "there is no machine 'M9'")]


def test_a_routing_is_read_from_operations_of_the_work_order() -> None:
    found = imported(
        "wo,name,type,op,after\n"
        "W1,A,saw,10,\n"
        "W1,A,mill,20,10\n"
        'W1,A,drill,30,"10, 20"\n'
        "W2,A,mill,10,\n"
        "W2,A,mill,Op 20,10; #41\n"
    ).accepted()
    assert [(spec.key, spec.after_keys, spec.after) for spec in found] == [
        ("W1 10", (), ()),
        ("W1 20", ("W1 10",), ()),
        ("", ("W1 10", "W1 20"), ()),
        ("W2 10", (), ()),
        ("", ("W2 10",), (41,)),
    ]


def test_names_of_operations_may_have_spaces_or_be_separated_by_them() -> None:
    found = imported(
        "wo,name,type,op,after\nW1,A,mill,rough cut,\nW1,A,mill,20,\n"
        "W1,A,mill,30,Rough  Cut\nW1,A,mill,40,20 30\n"
    ).accepted()
    assert [spec.after_keys for spec in found[2:]] == [("W1 rough cut",), ("W1 20", "W1 30")]


def test_what_people_and_other_systems_say_of_a_job_comes_with_it() -> None:
    found = imported(
        "Part,type,Description,Client,ERP no,Remarks\n"
        'A,mill,"For the pump\nsecond version",Krämer,4711,deburr by hand\n'
    )
    (spec,) = found.accepted()
    assert (spec.name, spec.description) == ("A", "For the pump\nsecond version")
    assert (spec.customer, spec.external_id, spec.notes) == ("Krämer", "4711", "deburr by hand")


def test_a_description_is_the_name_where_no_column_is() -> None:
    (spec,) = imported("Description,type\nFlange,mill\n").accepted()
    assert (spec.name, spec.description) == ("Flange", "")


def test_a_row_can_wait_for_the_key_of_any_other() -> None:
    found = imported("key,name,type,after\na,A,mill,b\nb,B,mill,\n").accepted()
    assert [(spec.key, spec.after_keys) for spec in found] == [("a", ("b",)), ("b", ())]


def test_a_routing_that_can_not_be_followed_is_refused() -> None:
    found = issues(
        "wo,name,type,op,after\n"
        "W1,A,mill,10,15\n"
        "W1,A,mill,20,20\n"
        "W1,A,mill,30,20\n"
        "W1,A,mill,20,\n"
        ",A,mill,40,30\n"
    )
    assert found == [
        (1, "after", "no row of 'W1' is the operation '15'"),
        (2, "after", "'20' stands in 2 rows of 'W1'"),
        (3, "after", "'20' stands in 2 rows of 'W1'"),
        (5, "after", "no row has the key '30', and this row has no work order"),
    ]
    assert issues("wo,name,type,op,after\nW1,A,mill,10,10\n") == [
        (1, "after", "'10' is this row itself")
    ]
    circle = "wo,name,type,op,after\nW1,A,mill,10,20\nW1,A,mill,20,10\n"
    ((_, _, said),) = issues(circle)
    assert "wait for each other in a circle" in said


def test_a_wrong_row_is_still_there_for_those_that_wait_for_it() -> None:
    found = issues("wo,name,type,op,after,qty\nW1,A,mill,10,,0\nW1,A,mill,20,10,1\n")
    assert found == [(1, "qty", "from 1 to 1,000,000")]


def test_two_rows_with_one_key_are_refused() -> None:
    assert issues("key,name,type\na,A,mill\na,B,mill\n") == [
        (2, "After", "the key 'a' stands in two rows")
    ]


def test_a_workbook_is_read_with_its_types() -> None:
    five = dt.datetime(2026, 11, 23, 17, tzinfo=BERLIN).replace(tzinfo=None)
    content = workbook(
        [],
        [
            ["Part", "Type", "Qty", "Due", "Runtime", "Draft", "Due time"],
            ["A", "mill", 5.0, dt.date(2026, 11, 23), dt.time(0, 12, 30), True, None],
            [None, None, None, None, None, None, None],
            ["B", "mill", 7, five, dt.timedelta(hours=30), False, None],
        ],
    )
    first, second = read_jobs(FILE, content, SHOP).accepted()
    assert (first.quantity, first.estimated_s, first.draft) == (5, 750.0, True)
    assert first.due_at == int(dt.datetime(2026, 11, 23, 23, 59, tzinfo=BERLIN).timestamp() * 1000)
    assert (second.quantity, second.estimated_s, second.draft) == (7, 108_000.0, False)
    assert second.due_at == int(dt.datetime(2026, 11, 23, 17, tzinfo=BERLIN).timestamp() * 1000)


def test_a_failed_formula_is_not_a_value() -> None:
    found = read_jobs(FILE, workbook([["name", "type"], ["#REF!", "mill"]]), SHOP)
    assert found.preview.issues == (
        ImportIssue(1, "name", "the formula in this cell has failed: #REF!"),
    )


def test_columns_without_a_name_or_with_the_same_get_one_of_their_own() -> None:
    found = imported("name,,type,name\nA,x,mill,y\n")
    assert found.preview.columns == ("name", "Column 2", "type", "name (2)")


def test_a_preview_shows_the_first_rows_as_text_and_counts_all() -> None:
    found = imported("name,type,qty\n" + "A,mill\n" * 60)
    assert found.preview.rows == (("A", "mill", ""),) * PREVIEW_ROWS
    assert found.preview.total == 60
    assert len(found.specs) == 60


def said_of(content: bytes) -> str:
    found = read_jobs(FILE, content, SHOP)
    assert found.specs == ()
    (issue,) = found.preview.issues
    assert issue.row == 0
    return issue.message


def test_a_file_that_is_not_a_table_is_refused_with_a_sentence() -> None:
    assert "no row below" in said_of(b"")
    assert "no row below" in said_of(b"name,type\n")
    assert "neither a CSV nor an XLSX" in said_of(b"\x00\x01\x02")
    assert "old or locked Excel" in said_of(b"\xd0\xcf\x11\xe0rest")
    assert "damaged" in said_of(b"PK\x03\x04rest")
    assert "Line 3 can't be read" in said_of(b'name,type\nA,mill\n"B,mill\n')
    assert "a cell is too long" in said_of(b"name,type\n" + b"A" * 200_000)


def test_a_table_that_is_too_large_is_refused() -> None:
    assert "larger than 20 MB" in said_of(b"x" * (MOST_TABLE_BYTES + 1))
    rows = table_file.MAX_ROWS + 1
    assert "more than 50,000 rows" in said_of(b"name,type\n" + b"A,mill\n" * rows)
    assert "more than 200 columns" in said_of(b"a," * 200 + b"a\nb\n")
    assert "goes on for too long" in said_of(b"name\nA\n" + b"\n" * table_file.MAX_SCANNED)


def repacked(content: bytes, **parts: bytes) -> bytes:
    """Return a workbook with some of its parts replaced (by the end of their name)."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = name.rpartition("/")[2].removesuffix(".xml")
            new.writestr(name, parts.get(part, old.read(name)))
    return file.getvalue()


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
SHEET_END = "</sheetData></worksheet>"


def inline(cell: str, text: str) -> str:
    return f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = repacked(workbook([["name"]]), sheet1=b" " * (workbook_parts.MAX_UNPACKED + 1))
    assert len(bomb) < 200_000
    assert "unpacks to more" in said_of(bomb)


def test_an_xml_bomb_is_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>' + SHEET
    xml += f'<row r="1">{inline("A1", "&e9;")}</row>{SHEET_END}'
    assert "damaged" in said_of(repacked(workbook([["name"]]), sheet1=xml.encode()))


def test_cells_far_out_do_not_make_a_sheet_huge() -> None:
    head = f'<row r="1">{inline("A1", "name")}{inline("B1", "type")}</row>'
    far = f'<row r="900000000">{inline("A900000000", "A")}</row>'
    xml = SHEET + head + far + SHEET_END
    assert "goes on for too long" in said_of(repacked(workbook([["name"]]), sheet1=xml.encode()))
    wide = f'<row r="2">{inline("A2", "A")}{inline("B2", "mill")}{inline("XFD2", "x")}</row>'
    xml = SHEET + head + wide + SHEET_END
    found = read_jobs(FILE, repacked(workbook([["name"]]), sheet1=xml.encode()), SHOP)
    assert len(found.accepted()) == 1


def test_issues_are_collected_only_until_there_are_more_than_anyone_reads() -> None:
    rows = 40_000
    found = imported("name,type,qty\n" + "A,mill,none\n" * rows)
    assert len(found.preview.issues) == ISSUES_KEPT + 1
    assert "and at least 19,001 more issues" in [issue.message for issue in found.preview.issues]
    assert found.preview.total == rows
    assert found.specs == ()


def test_many_rows_that_wait_for_many_rows_are_refused_in_seconds() -> None:
    begun = process_time()
    twins = issues("wo,name,type,op,after\n" + "W1,A,mill,10,10\n" * 15_000)
    assert "stands in 15000 rows" in twins[0][2]
    names = " ".join(f"op{n}" for n in range(101))
    assert issues(f"wo,name,type,op,after\nW1,A,mill,10,{names}\n") == [
        (1, "after", "names more than 100 jobs")
    ]
    assert process_time() - begun < 5.0


@pytest.mark.parametrize("limit", ["cell", "row", "cells", "text"])
def test_a_table_is_read_to_its_limits_and_no_further(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    name, most, fits, over = {
        "cell": ("MAX_CELL", 20, "A" * 20, "A" * 21),
        "row": ("MAX_LINE", 60, "A" * 53, "A" * 55),
        "cells": ("MAX_CELLS", 2, "A", "A,mill\nA"),
        "text": ("MAX_TEXT", 24, "A" * 20, "A" * 21),
    }[limit]
    monkeypatch.setattr(table_file, name, most)
    assert imported(f"name,type\n{fits},mill\n").specs
    assert said_of(f"name,type\n{over},mill\n".encode())
