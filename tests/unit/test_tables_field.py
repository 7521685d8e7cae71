"""Tables in the shapes that shops have, each a kind: what is read of it, or asked."""

import datetime as dt
import io
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from cnc_station.engine.services.table_import import ImportContext, Imported, by_name, read_jobs

UTC = ZoneInfo("UTC")
NOW = int(dt.datetime(2026, 9, 1, tzinfo=UTC).timestamp() * 1000)
SHOP = ImportContext(NOW, UTC, lambda _: None, by_name({"DMU-50 West": 4}), {4: "mill", 5: "lathe"})


def read(text: str, mapping: dict[str, str] | None = None, encoding: str = "utf-8") -> Imported:
    return read_jobs("plan.csv", text.encode(encoding), SHOP, mapping)


def day(year: int, month: int, date: int, hour: int = 23, minute: int = 59) -> int:
    return int(dt.datetime(year, month, date, hour, minute, tzinfo=UTC).timestamp() * 1000)


def notes(found: Imported) -> str:
    return "\n".join(f"{n.row} {n.column}: {n.message}" for n in found.preview.notes)


def issues(found: Imported) -> str:
    assert not found.preview.ready
    return "\n".join(f"{i.row} {i.column}: {i.message}" for i in found.preview.issues)


def workbook(*sheets: tuple[str, list[list[object]]], merged: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        "Order No;Item;Work Centre;Order Qty;Need Date;Cycle time [min]",
        "Auftragsnr.;Teilebezeichnung;Arbeitsplatz;Stückzahl;Fällig am;Zykluszeit in Min.",
        "N° OF;Désignation article;Poste de charge;Qté à fabriquer;Échéance;Temps de cycle (mn)",
        "Nº orden;Artículo;Centro de trabajo;Cantidad;Fecha de entrega;Tiempo por pieza (min)",
        "Nr. commessa;Codice articolo;Centro di lavoro;Quantità;Data consegna;Tempo ciclo (minuti)",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_columns_are_named_in_five_languages(header: str, encoding: str) -> None:
    found = read(f"{header}\n77;Welle;lathe;15;03.11.2026;2,5\n", encoding=encoding)
    (spec,) = found.accepted()
    assert (spec.work_order, spec.name, spec.machine_type) == ("77", "Welle", "lathe")
    assert (spec.quantity, spec.estimated_s, spec.due_at) == (15, 150.0, day(2026, 11, 3))


@pytest.mark.parametrize(
    ("shape", "text", "order", "quantity", "seconds"),
    [
        (
            "ERPNext",
            (
                "ID,Item To Manufacture,Qty To Manufacture,Expected Delivery Date,"
                "Operation (Operations),Workstation (Operations),Operation Time (Operations)\n"
                "WO-31,HUB-2,12.0,2026-11-03,Turn,lathe,30\n,,,,Mill,mill,60\n"
            ),
            "WO-31",
            12,
            150.0,
        ),
        (
            "Odoo",
            (
                "Reference,Product,Quantity To Produce,Deadline,Work Orders/Operation,"
                "Work Orders/Work Center,Work Orders/Expected Duration\n"
                "MO/31,[HUB-2] Hub,12.0,2026-11-03 00:00:00,Turn,lathe,30\n,,,,Mill,mill,60\n"
            ),
            "MO/31",
            12,
            150.0,
        ),
        (
            "Carbon",
            (
                "Job ID,Item,Quantity,Due Date,Operation,Work Center,Setup Time,Machine Time,"
                "Machine Unit\nJ31,HUB-2,12,2026-11-03,10,lathe,15,2.5,Minutes/Piece\n"
                "J31,HUB-2,12,2026-11-03,20,mill,15,30,Pieces/Hour\n"
            ),
            "J31",
            12,
            150.0,
        ),
        (
            "JobBOSS",
            (
                "Job,Part Number,Order Qty,Make Qty,Work Center,Sequence,Due Date,Run,Run Method\n"
                "31,HUB-2,10,12,LATHE,10,11/03/2026,2.5,Min/Part\n"
                "31,HUB-2,10,12,MILL,20,11/30/2026,30,Parts/Hr\n"
            ),
            "31",
            12,
            150.0,
        ),
        (
            "E2",
            (
                "Job No,Part No,Part Description,Qty To Make,Work Center,Step No,Due Date,"
                "Cycle Time,Order Date\n31,HUB-2,Hub,12,LATHE,10,11/03/2026,2.5,10/22/2026\n"
            ),
            "31",
            12,
            150.0,
        ),
        (
            "Katana",
            (
                "MO #,Product,Planned quantity,Production deadline,Operation,Resource,"
                "Planned time per unit (hh:mm:ss)\nMO-31,Hub,12,2026-11-03,Turn,lathe,00:02:30\n"
            ),
            "MO-31",
            12,
            150.0,
        ),
        (
            "ProShop",
            (
                "WO #,Part #,Part Name,Qty Ordered,Must Leave By,Op #,Work Cell,Minutes per part"
                "\n26-031,HUB-2,Hub,12,2026-11-03,50,lathe,2.5\n"
            ),
            "26-031",
            12,
            150.0,
        ),
        (
            "SAP",
            (
                "Auftrag;Vorgang;Material;Materialkurztext;Arbeitsplatz;Auftragsmenge (GMEIN);"
                "Eckendtermin;Maschinenzeit;Einheit\n"
                "1000031;0010;HUB-2;Nabe;LATHE;12,000;03.11.2026;2,5;MIN\n"
            ),
            "1000031",
            12,
            150.0,
        ),
    ],
)
def test_the_exports_of_erp_systems_are_read_as_they_are(
    shape: str, text: str, order: str, quantity: int, seconds: float
) -> None:
    found = read(text)
    spec, *others = found.accepted()
    assert found.preview.shape == shape
    assert (spec.work_order, spec.quantity, spec.estimated_s) == (order, quantity, seconds)
    assert spec.machine_type == "lathe"
    assert spec.due_at in {day(2026, 11, 3), day(2026, 11, 3, 0, 0)}
    assert spec.name not in {"10", "lathe", order}
    assert all(other.work_order == order and other.quantity == quantity for other in others)
    ids = [each.external_id for each in (spec, *others)]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_a_minute_in_a_rate_and_a_total_are_for_one_part() -> None:
    found = read("Part,Machine,Qty,Cycle (min/100 pcs)\nA,mill,4,50\n").accepted()
    assert found[0].estimated_s == 30.0
    found = read("Part,Machine,Qty,Total time (h)\nA,mill,4,2\n").accepted()
    assert found[0].estimated_s == 1800.0
    found = read("Part,Machine,Qty,Run (parts/hr)\nA,mill,4,120\n").accepted()
    assert found[0].estimated_s == 30.0


@pytest.mark.parametrize(
    ("header", "cell", "seconds"),
    [
        ("Time (mm:ss)", "1:30", 90.0),
        ("Laufzeit [h:mm]", "1:30", 5400.0),
        ("Time per piece (h)", "1:30", 5400.0),
        ("Time", "7 min/Stk", 420.0),
        ("Time", "2' 30\"", 150.0),
        ("Time", "0,5 Std.", 1800.0),
        ("Time (min)", "45 s", 45.0),
    ],
)
def test_a_time_has_the_unit_of_its_header_or_of_its_cell(
    header: str, cell: str, seconds: float
) -> None:
    text = cell.replace('"', '""')
    (spec,) = read(f'Part;Machine;{header}\nA;mill;"{text}"\n').accepted()
    assert spec.estimated_s == seconds


def test_a_time_without_a_unit_says_how_it_is_read() -> None:
    found = read("Part,Machine,Run time\nA,mill,9\nB,mill,8\n")
    assert found.accepted()[0].estimated_s == 9.0
    assert notes(found) == "0 Run time: the column does not state its unit: read as seconds"


def test_two_numbers_with_a_colon_are_asked_about() -> None:
    assert "write h:mm:ss" in issues(read("Part,Machine,Run time\nA,mill,1:30\n"))


def test_the_decimal_sign_is_that_of_the_whole_table() -> None:
    comma = read("Part;Machine;Qty;Time (min)\nA;mill;2.500;1,75\nB;mill;1.000;2\n").accepted()
    assert [(spec.quantity, spec.estimated_s) for spec in comma] == [(2500, 105.0), (1000, 120.0)]
    point = read('Part,Machine,Qty,Time (min)\nA,mill,"2,500",1.75\n').accepted()
    assert point[0].quantity == 2500
    both = read("Part;Machine;Time (min)\nA;mill;1.5\nB;mill;1,5\nC;mill;1.250\n")
    assert "decimal points and decimal commas" in issues(both)


def test_a_quantity_of_thousands_without_other_signs_is_refused_or_told() -> None:
    assert "two numbers" in issues(read("Part,Machine,Qty\nA,mill,3.000\n"))
    found = read("Part,Machine,Qty\nA,mill,3.250\n")
    assert found.accepted()[0].quantity == 3250
    assert "decimal comma" in notes(found)


def test_a_number_of_a_workbook_is_never_taken_for_thousands() -> None:
    rows: list[list[object]] = [
        ["Part", "Machine", "Time (min)"],
        ["A", "mill", 1.125],
        ["B", "mill", "0,75"],
    ]
    first, second = read_jobs("a.xlsx", workbook(("Jobs", rows)), SHOP).accepted()
    assert (first.estimated_s, second.estimated_s) == (67.5, 45.0)


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["4/11/2026", "30/11/2026"], day(2026, 11, 4)),
        (["11/4/2026", "11/30/2026"], day(2026, 11, 4)),
        (["11-4-26", "11-30-26"], day(2026, 11, 4)),
        (["46330", "46331"], day(2026, 11, 4)),
        (["46330.75"], day(2026, 11, 4, 18, 0)),
        (["20261104"], day(2026, 11, 4)),
        (["4. November 2026"], day(2026, 11, 4)),
        (["4 nov. 2026"], day(2026, 11, 4)),
        (["4 de noviembre de 2026"], day(2026, 11, 4)),
        (["mercoledì 4 novembre 2026"], day(2026, 11, 4)),
        (["Mi 04.11.26"], day(2026, 11, 4)),
        (["04-NOV-26"], day(2026, 11, 4)),
        (["Nov 4, 2026 6:00 PM"], day(2026, 11, 4, 18, 0)),
        (["04.11.2026 18:00 Uhr"], day(2026, 11, 4, 18, 0)),
        (["2026-11-04T18:00:00.000Z"], day(2026, 11, 4, 18, 0)),
        (["2026.11.04"], day(2026, 11, 4)),
    ],
)
def test_a_date_is_read_as_its_column_is_written(cells: list[str], first: int) -> None:
    rows = "".join(f'A;mill;"{cell}"\n' for cell in cells)
    assert read(f"Part;Machine;Due\n{rows}").accepted()[0].due_at == first


def test_a_date_that_nothing_in_the_table_decides_is_refused() -> None:
    assert "can mean two days" in issues(read("Part,Machine,Due\nA,mill,4/11/2026\n"))
    both = read("Part,Machine,Due\nA,mill,4/11/2026\nB,mill,30/11/2026\nC,mill,11/30/2026\n")
    assert issues(both).startswith("1 Due: this date can mean two days")
    french = read("Pièce;Machine;Quantité;Date de livraison\nA;mill;2;4/11/2026\n")
    assert french.accepted()[0].due_at == day(2026, 11, 4)
    assert "day first" in notes(french)


def test_a_header_may_have_two_rows_below_a_title() -> None:
    rows: list[list[object]] = [
        ["Shop plan", None, None, None, None],
        [],
        ["Order", None, "Machine", "Quantity", "Due"],
        ["No", "Part", "type", "to make", "date"],
        ["77", "Shaft", "lathe", 15, dt.date(2026, 11, 3)],
    ]
    found = read_jobs("a.xlsx", workbook(("Plan", rows), merged="A3:B3"), SHOP)
    (spec,) = found.accepted()
    assert found.preview.columns[0] == "Order No"
    assert (spec.work_order, spec.name, spec.quantity) == ("77", "Shaft", 15)


def test_a_row_of_units_belongs_to_the_header() -> None:
    (spec,) = read("Part,Machine,Qty,Time\n,,pcs,min\nA,mill,3,4\n").accepted()
    assert (spec.quantity, spec.estimated_s) == (3, 240.0)


def test_the_sheet_with_the_jobs_is_found_and_a_second_one_is_named() -> None:
    rows: list[list[object]] = [["Part", "Machine", "Qty"], ["A", "mill", 3]]
    cover: list[list[object]] = [["Company", "Kato"], ["Made by", "Ines"]]
    book = workbook(("Cover", cover), ("W45", rows), ("W46", rows))
    found = read_jobs("a.xlsx", book, SHOP)
    assert found.accepted()[0].quantity == 3
    assert "the sheet W46 has jobs too: only W45 is read" in notes(found)


def test_totals_page_headers_and_footers_are_left_out_and_named() -> None:
    found = read(
        "Part;Machine;Qty\nA;mill;3\n;;\nPart;Machine;Qty\nB;mill;4\n-----;-----;---\n"
        "Summe;;7\n;;7\nSeite 1 von 1;;\n"
    )
    assert [spec.quantity for spec in found.accepted()] == [3, 4]
    assert [note.row for note in found.preview.notes] == [3, 5, 6, 7, 8]
    assert found.preview.total == 2


def test_a_row_that_only_lacks_its_machine_is_not_left_out() -> None:
    assert issues(read("Part,Machine,Qty\nA,mill,3\nTotally new,,4\n")) == "2 Machine: is missing"
    assert issues(read("Part,Machine,Qty\nA,mill,3\nTotal,mill,x\n")).startswith("2 Qty")


def test_the_work_order_above_its_operations_is_not_a_job() -> None:
    found = read("WO,Part,Qty,Op,Machine\n5,Arm,6,,\n,,,10,mill\n,,,20,lathe\n6,Pin,2,,\n")
    assert issues(found) == "4 Machine: is missing"
    found = read("WO,Part,Qty,Op,Machine\n5,Arm,6,,\n,,,10,mill\n,,,20,lathe\n")
    assert [(s.name, s.quantity, s.operation) for s in found.accepted()] == [
        ("Arm", 6, "10"),
        ("Arm", 6, "20"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("Produktionsmenge gesamt neu", "40", "Quantity"),
        ("Blank run duration", "4", "Time per part"),
        ("Fertig zum", "2026-11-03", "Due"),
        ("Uhr", "0:04:10", "Time per part"),
    ],
)
def test_a_column_that_a_job_may_need_is_asked_about(column: str, value: str, kind: str) -> None:
    text = f"Part,Machine,{column}\nA,mill,{value}\n"
    found = read(text)
    assert f"0 {column}: looks like" in issues(found)
    assert kind in issues(found)
    field = {"Quantity": "quantity", "Due": "due_at", "Time per part": "estimated_s"}[kind]
    answered = {**found.preview.mapping, field: ""}
    assert read(text, answered).preview.ready
    assert read(text, {**answered, field: column}).preview.ready


def test_other_columns_of_the_kind_are_named() -> None:
    found = read("Part,Machine,Make Qty,Order Qty,Completed Qty,Colour\nA,mill,5,4,1,red\n")
    assert found.accepted()[0].quantity == 5
    assert notes(found) == "0 : not imported: Order Qty, Completed Qty"


def test_a_unit_that_is_not_a_part_is_refused() -> None:
    assert "is not a number of parts" in issues(read("Part,Machine,Qty\nA,mill,6 kg\n"))


def test_a_work_centre_that_is_a_machine_pins_the_job() -> None:
    found = read("Part,Work center\nA,dmu 50 west\nB,mill\nC,robot\n")
    first, second, third = found.accepted()
    assert (first.machine_type, first.pinned_machine_id) == ("mill", 4)
    assert (second.machine_type, second.pinned_machine_id) == ("mill", None)
    assert third.machine_type == "robot"
    assert "3 Work center: no machine is of the type 'robot'" in notes(found)


def test_a_type_of_machine_may_be_named_in_another_language() -> None:
    found = read("Teil;Maschine\nA;Fräsmaschine\nB;Tour\n")
    assert [spec.machine_type for spec in found.accepted()] == ["mill", "lathe"]
    assert "1 Maschine: 'Fräsmaschine' is read as the machine type mill" in notes(found)


def test_hours_that_a_system_gives_for_the_whole_order_are_divided() -> None:
    head = "Job,Part Number,Make Quantity,Work Center,Sequence"
    whole = read(f"{head},Est Run Hrs\n31,HUB,12,mill,10,6\n")
    assert (whole.preview.shape, whole.accepted()[0].estimated_s) == ("JobBOSS", 1800.0)
    each = read(f"{head},Run (min/pc)\n31,HUB,12,mill,10,6\n")
    assert each.accepted()[0].estimated_s == 360.0


def test_a_formula_that_was_never_calculated_is_refused() -> None:
    rows: list[list[object]] = [["Part", "Machine", "Qty"], ["A", "mill", "=2*5"]]
    found = read_jobs("a.xlsx", workbook(("Jobs", rows)), SHOP)
    assert "1 Qty: the formula in this cell was never calculated" in issues(found)


def test_a_missing_program_is_one_problem_whatever_the_number_of_rows() -> None:
    rows = "".join("A,mill,gone.nc\n" for _ in range(7))
    found = read(f"Part,Machine,Program\n{rows}B,mill,lost.nc\n")
    assert issues(found) == (
        "1 Program: there is no program 'gone.nc': add it first; also in rows 2, 3, 4 and 3 more\n"
        "8 Program: there is no program 'lost.nc': add it first"
    )
    assert found.preview.missing == ("gone.nc", "lost.nc")


def test_operations_that_share_an_external_id_get_their_own() -> None:
    found = read("ERP no,Part,Machine,Op\n9,A,mill,10\n9,A,lathe,20\n").accepted()
    assert [spec.external_id for spec in found] == ["9/10", "9/20"]
    assert "stands in several rows" in issues(read("ERP no,Part,Machine\n9,A,mill\n9,B,mill\n"))
