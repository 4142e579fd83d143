from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.errors import ConceptLabelsError, InputsWarning

TEXT = "path,class\nD/Bär/0.png,Bär\nD/dog/1.png,dog\n"
ROWS = [["D/Bär/0.png", "Bär"], ["D/dog/1.png", "dog"]]


def read(tmp_path: Path, raw: bytes, **keywords) -> tuple[list[str], list[list[str]], list[int]]:
    (tmp_path / "t.csv").write_bytes(raw)
    header, rows = read_csv_with_header(tmp_path / "t.csv", **keywords)
    found = list(rows)
    return header, [cells for _, cells in found], [number for number, _ in found]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_encodings(tmp_path: Path, encoding: str, recwarn) -> None:
    assert read(tmp_path, TEXT.encode(encoding)) == (["path", "class"], ROWS, [2, 3])
    assert not recwarn.list


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_mark_of_byte_order_says_which(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, f"\ufeff{TEXT}".encode(encoding))[1] == ROWS


def test_windows_letters_are_a_guess_and_said_to_be_one(tmp_path: Path) -> None:
    with pytest.warns(InputsWarning, match="Windows-1252, which is a guess.*‘D/Bär/0.png,Bär’"):
        assert read(tmp_path, TEXT.encode("cp1252"))[1] == ROWS


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_line_ends(tmp_path: Path, newline: str, delimiter: str) -> None:
    text = TEXT.replace(",", delimiter).replace("\n", newline)
    assert read(tmp_path, text.encode())[1] == ROWS


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_the_line_that_names_the_delimiter(tmp_path: Path, first: str) -> None:
    text = f"{first}\r\n" + TEXT.replace(",", ";")
    # Rows are numbered as a spreadsheet shows them.
    assert read(tmp_path, text.encode()) == (["path", "class"], ROWS, [3, 4])
    piped = "sep=|\n" + TEXT.replace(",", "|")
    assert read(tmp_path, piped.encode())[1] == ROWS


def test_odd_blanks_in_a_heading_are_plain_ones(tmp_path: Path) -> None:
    text = "path,\u200bpolar\u00a0bear \n0.png,1\n"
    assert read(tmp_path, text.encode())[0] == ["path", "polar bear"]


def test_quotes_hold_new_lines_delimiters_and_quotes(tmp_path: Path) -> None:
    text = '"path","a\nb"\n"x\ny.png","1"\n"u,v.png","say ""no"""\n'
    assert read(tmp_path, text.encode())[:2] == (
        ["path", "a\nb"], [["x\ny.png", "1"], ["u,v.png", 'say "no"']]
    )  # fmt: skip
    odd = "path,class\na\u2028b.png,x\x0by\n"
    assert read(tmp_path, odd.encode())[1] == [["a\u2028b.png", "x\x0by"]]


def test_cells_that_a_spreadsheet_left_behind(tmp_path: Path) -> None:
    text = "path,class,,\na.png,x,,\n,,,\nb.png,y,,\n\n"
    assert read(tmp_path, text.encode()) == (
        ["path", "class"], [["a.png", "x"], ["b.png", "y"]], [2, 3]
    )  # fmt: skip
    with pytest.raises(ConceptLabelsError, match="without a name; in row 2 it holds '7'"):
        read(tmp_path, b"path,class,\na.png,x,7\n")
    with pytest.raises(ConceptLabelsError, match=r"Row 2 .* has 4 cells, the header 2"):
        read(tmp_path, b"path,class\na.png,x,7,8\n")


def test_capitals_in_headings_that_are_known(tmp_path: Path) -> None:
    header, _, _ = read(tmp_path, b"Path,CLASS,Snow\na.png,x,1\n", special=("class",))
    assert header == ["path", "class", "Snow"]
    header, _, _ = read(tmp_path, b"path,Path\na.png,1\n")
    assert header == ["path", "Path"]


def test_blanks_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    raw = "path , class\n a.png,\u00a0cat \n".encode()
    assert read(tmp_path, raw)[1] == [["a.png", "cat"]]
    header, rows, _ = read(tmp_path, raw, keep_blanks=True)
    assert header == ["path", "class"]
    assert rows == [[" a.png", "\u00a0cat "]]


def test_columns_that_are_not_used_may_share_a_name(tmp_path: Path) -> None:
    raw = b"path,x,x\na.png,1,2\n"
    assert read(tmp_path, raw, only=("path",))[1] == [["a.png", "1", "2"]]
    with pytest.raises(ConceptLabelsError, match="two columns ‘x’"):
        read(tmp_path, raw)


def workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        written.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (workbook(), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"path,class\n\x81\x8d.png,x\n", "not UTF-8"),
        (b"\xff\xfep\x00a", "as utf-16"),
        (b"path,class\na\x00.png,x\n", "it is no text"),
        (b"", "it is empty"),
        (b"D/a.png,cat\nD/b.png,dog\n", "line 1 holds ‘D/a.png’, ‘cat’"),
        (b"202599\n5_o_Clock_Shadow Bald\n000001.jpg -1 1\n", "line 1 holds ‘202599’"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(ConceptLabelsError, match=message) as caught:
        read(tmp_path, raw)
    assert caught.value.code == "concept-labels"
    assert caught.value.hint
