"""Tables that hurt: small files that ask for much memory or time, or that lie. By name."""

import io
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_MUCH = 15_000_000  # bytes of a part; stored, so that only counting finds it out


def cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def sheet(rows: str, after: str = "", before: str = "") -> str:
    return f"{_XML}<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>"


HEAD = "<row>" + cell("name") + cell("machine type") + "</row>"
GOOD = sheet(HEAD + "<row>" + cell("a") + cell("mill") + "</row>")
STYLES = f'{_XML}<styleSheet {MAIN}><cellXfs count="1"><xf/></cellXfs></styleSheet>'
STRINGS = f"{_XML}<sst {MAIN}></sst>"


def parts(sheets: int = 1) -> dict[str, str]:
    """Return the parts of a workbook that do not change; many sheets are all the same part."""
    listed = "".join(f'<sheet name="S{n}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(sheets))
    kinds = (("worksheet", "worksheets/sheet1"), ("styles", "styles"))
    relations = (*kinds, ("sharedStrings", "sharedStrings"))
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/>'
        "</Types>",
        "xl/workbook.xml": f'{_XML}<workbook {MAIN} xmlns:r="{_OFFICE}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}.xml"/>'
            for n, (kind, target) in enumerate(relations, start=1)
        )
        + "</Relationships>",
    }


def workbook(
    sheet1: str | bytes = GOOD,
    styles: str | bytes = STYLES,
    strings: str | bytes = STRINGS,
    *,
    method: int = zipfile.ZIP_DEFLATED,
    sheets: int = 1,
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, text in parts(sheets).items():
            archive.writestr(name, text)
        archive.writestr("xl/styles.xml", styles)
        archive.writestr("xl/sharedStrings.xml", strings)
        archive.writestr("xl/worksheets/sheet1.xml", sheet1)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return file.getvalue()


stored = partial(workbook, method=zipfile.ZIP_STORED)


def filled(element: str, before: str, after: str, size: int = _MUCH) -> str:
    return before + element * (size // len(element)) + after


def entities(declared: str, used: str) -> bytes:
    head = f"<!DOCTYPE x [{declared}]>"
    return workbook(_XML + head + sheet(HEAD + f"<row>{cell(used)}</row>").removeprefix(_XML))


def laughs() -> bytes:
    more = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return entities('<!ENTITY e0 "lol">' + more, "&e9;")


def flipped(content: bytes) -> bytes:
    """Damage the content of the sheet, so that its checksum is wrong."""
    place = content.index(b"inlineStr")
    return content[:place] + b"i" + b"\x00" + content[place + 2 :]


def locked() -> bytes:
    """Say in the directory that all parts are encrypted."""
    content = bytearray(workbook())
    place = 0
    while (place := content.find(b"PK\x01\x02", place)) >= 0:
        content[place + 8] |= 1
        place += 4
    return bytes(content)


def lying() -> bytes:
    """A sheet that unpacks to more than its entry says."""
    content = workbook(filled("<c/>", sheet("").replace("</sheetData></worksheet>", ""), ""))
    place = content.index(b"PK\x01\x02", content.index(b"xl/worksheets/sheet1.xml"))
    while b"sheet1" not in content[place : place + 80]:
        place = content.index(b"PK\x01\x02", place + 4)
    return content[: place + 24] + struct.pack("<I", 100) + content[place + 28 :]


def end_of_sheet(start: str) -> tuple[str, str]:
    return sheet(HEAD).removesuffix("</sheetData></worksheet>") + start, "</sheetData></worksheet>"


def merged() -> str:
    ranges = filled('<mergeCell ref="A1:XFD9"/>', "<mergeCells>", "</mergeCells>")
    return sheet(HEAD, after=ranges)


def repeated() -> bytes:
    """One long text that is shown in every cell."""
    strings = f"{_XML}<sst {MAIN}><si><t>{'x' * 30_000}</t></si></sst>"
    row = "<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>"
    return stored(sheet(HEAD + row * 5_000), strings=strings)


def _numbered(*numbers: int) -> str:
    return "".join(f'<row r="{number}">{cell("a")}</row>' for number in numbers)


def twice() -> bytes:
    """Add another sheet under the name of the first."""
    packed = io.BytesIO(workbook())
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet(HEAD))
    return packed.getvalue()


def root(name: str) -> str:
    return f"{_XML}<{name} {MAIN}>"


STYLE = root("styleSheet")
XFS = "<cellXfs><xf/></cellXfs></styleSheet>"
BOMBS: Mapping[str, Callable[[], bytes]] = {
    "packed styles": lambda: workbook(styles=filled("<xf/>", STYLE + "<cellXfs>", XFS, 95_000_000)),
    "styles": lambda: stored(
        styles=filled("<xf/>", STYLE + "<cellXfs>", "</cellXfs></styleSheet>")
    ),
    "fonts": lambda: stored(styles=filled("<font/>", STYLE + "<fonts>", "</fonts>" + XFS)),
    "fills": lambda: stored(styles=filled("<fill/>", STYLE + "<fills>", "</fills>" + XFS)),
    "formats": lambda: stored(
        styles=filled(
            '<numFmt numFmtId="9" formatCode="0"/>', STYLE + "<numFmts>", "</numFmts>" + XFS
        )
    ),
    "prefixed styles": lambda: stored(
        styles=filled(
            "<q:xf/>",
            f'{_XML}<q:styleSheet xmlns:q="{MAIN[7:-1]}"><q:cellXfs>',
            "</q:cellXfs></q:styleSheet>",
        )
    ),
    "shared strings": lambda: stored(strings=filled("<si/>", root("sst"), "</sst>")),
    "runs of text": lambda: stored(
        strings=filled("<r><t>x</t></r>", root("sst") + "<si>", "</si></sst>")
    ),
    "strings under another root": lambda: stored(
        strings=filled("<si/>", root("sheets"), "</sheets>")
    ),
    "empty cells": lambda: stored(
        filled("<c/>", *end_of_sheet("<row>"), _MUCH).replace("</sheetData>", "</row></sheetData>")
    ),
    "empty rows": lambda: stored(filled("<row/>", *end_of_sheet(""))),
    "merged cells": lambda: stored(merged()),
    "columns": lambda: stored(
        sheet(HEAD, before=filled('<col min="1" max="9"/>', "<cols>", "</cols>"))
    ),
    "names": lambda: stored(
        more={"docProps/custom.xml": filled("<property/>", root("Properties"), "</Properties>")}
    ),
    "deep": lambda: stored(filled("<a>", *end_of_sheet(""))),
    "deep strings": lambda: stored(strings=root("sst") + "<si>" + "<r>" * 300_000),
    "different elements": lambda: stored(sheet(HEAD + "".join(f"<a{n}/>" for n in range(900_000)))),
    "attributes": lambda: stored(
        sheet(HEAD + "<row " + " ".join(f'a{n}=""' for n in range(900_000)) + "/>")
    ),
    "some attributes too many": lambda: stored(
        sheet(HEAD + "<row " + " ".join(f'a{n}=""' for n in range(9_000)) + "/>")
    ),
    "a long attribute": lambda: stored(sheet(HEAD + f'<row r="{"1" * _MUCH}"/>')),
    "a long comment": lambda: stored(sheet(HEAD + f"<!--{'x' * _MUCH}-->")),
    "a long cell": lambda: stored(sheet(HEAD + f"<row>{cell('x' * _MUCH)}</row>")),
    "a long number": lambda: stored(sheet(HEAD + f"<row><c><v>{'9' * _MUCH}</v></c></row>")),
    "one text in all cells": repeated,
    "one part as many sheets": lambda: workbook(sheet("<row><c/></row>" * 100_000), sheets=2_000),
    "laughs": laughs,
    "an outer entity": lambda: entities('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
    "quadratic entities": lambda: entities(f'<!ENTITY a "{"A" * 100_000}">', "&a;" * 10_000),
    "an entity in UTF-16": lambda: workbook(
        (
            '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]>'
            + sheet(HEAD).removeprefix(_XML)
        ).encode("utf-16")
    ),
    "spaces": lambda: workbook(" " * 100_000_001),
    "many parts": lambda: workbook(more={f"xl/{n}.xml": "" for n in range(6_000)}),
    "a part that lies": lying,
    "a wrong checksum": lambda: flipped(stored()),
    "a truncated file": lambda: workbook()[:-200],
    "a locked workbook": locked,
    "an old locked workbook": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4_096,
    "another packing": lambda: workbook(method=zipfile.ZIP_LZMA),
    "rows out of order": lambda: workbook(sheet(HEAD + _numbered(9, 2))),
    "one row twice": lambda: workbook(sheet(HEAD + _numbered(9, 9))),
    "two parts of one name": twice,
    "an archive of archives": lambda: workbook(
        method=zipfile.ZIP_STORED, sheet1=workbook(" " * 9_000_000)
    ),
    "a million columns": lambda: b"a," * 1_000_000 + b"\nb\n",
    "a header of 20 MB": lambda: b"a," * 9_900_000 + b"\nb\n",
    "one long line": lambda: b"a" * 19_900_000,
    "a lone quote": lambda: b'name,type\n"' + b"x" * 19_900_000,
    "lone quotes": lambda: b"name,type\n" + b'"\n' * 9_900_000,
    "only quotes": lambda: b'"' * 19_900_000,
    "cells over many lines": lambda: b"name,type\n" + b'"\n",' * 3_900_000,
    "line breaks": lambda: b"\n" * 19_900_000,
    "too many cells": lambda: b"name,machine type\n" + (b"a," * 199 + b"a\n") * 49_000,
    "null characters": lambda: b"name,type\nA\0,mill\n",
    "null characters in UTF-16": lambda: "name,type\nA\0,mill\n".encode("utf-16"),
    "more than 20 MB": lambda: b"name,type\n" + b"A,mill\n" * 3_000_000,
    "lone quotes of 50 MB": lambda: b'"' * 50_000_000,
}
"""Each must end in a sentence."""

HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "an ordinary workbook": workbook,
    "a huge dimension": lambda: workbook(
        sheet(
            HEAD + "<row>" + cell("a") + cell("mill") + "</row>",
            before='<dimension ref="A1:XFD1048576"/>',
        )
    ),
    "a merged range": lambda: workbook(
        GOOD.replace(
            "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A3:XFD1048576"/></mergeCells>'
        )
    ),
    "a link to another workbook": lambda: workbook(
        more={"xl/externalLinks/externalLink1.xml": f"{_XML}<externalLink {MAIN}/>"}
    ),
}
"""Each has one job: `a`, on a mill."""
