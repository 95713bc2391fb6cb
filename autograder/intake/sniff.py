"""Recognises the kind of a file by its first bytes, whatever its name is, as the program `file` does.

A wrong kind of file gets a sentence that names the cause and the remedy. A file is called wrong only if Python
certainly cannot run it, or if it certainly defines no function. Python judges all others.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

LOOK = 1 << 16
"""How many bytes are enough to recognise a file; a `.py` file is nevertheless read completely."""

PACK_AGAIN = "Hand in the file itself, or a zip of it"
PLAIN = "Copy the code into a plain text file, in a code editor, and save that"
AS_UTF8 = "Save it as UTF-8"

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OPENINGS: list[tuple[bytes, str, str]] = [
    (b"Rar!", "a RAR archive", PACK_AGAIN),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", PACK_AGAIN),
    (b"\x1f\x8b", "a gzip archive", PACK_AGAIN),
    (b"BZh", "a bzip2 archive", PACK_AGAIN),
    (b"\xfd7zXZ", "an xz archive", PACK_AGAIN),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", PACK_AGAIN),
    (b"%PDF-", "a PDF document", PLAIN),
    (b"{\\rtf", "an RTF document, as TextEdit and WordPad save them", PLAIN),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel document", PLAIN),
    (b"bplist00", "a Mac property list or web archive", PLAIN),
    (b"\x00\x05\x16\x07", "what Finder keeps beside a file, not the file", PACK_AGAIN),
    (b"\x89PNG", "a picture", PLAIN),
    (b"\xff\xd8\xff", "a picture", PLAIN),
    (b"GIF8", "a picture", PLAIN),
    (b"\x7fELF", "a compiled program", PLAIN),
    (b"MZ\x90\x00", "a compiled program", PLAIN),
    (b"SQLite format 3", "a database", PLAIN),
    (b"\x93NUMPY", "a NumPy array", PLAIN),
    (b"version https://git-lfs.github.com/", "a pointer of Git LFS, not the file", "Hand in the file itself"),
]
_BOMS: list[tuple[bytes, str]] = [
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
]
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?$")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_ORDINARY = re.compile(
    r"(?:utf-?8(?:-sig)?|ascii|us-ascii|latin-?1|iso-?8859-\d+|cp\d+|windows-\d+|mac-?roman|koi8-?[ru]|gbk|gb2312|gb18030|big5|euc-?(?:jp|kr)|shift-?jis)"
)
"""Encodings that are decoded here. All others are left to Python, in the student's own process."""


@dataclass(frozen=True)
class Wrong:
    """What a file is instead of Python: a phrase (``a zip archive``), and a remedy, without a full stop."""

    kind: str
    remedy: str


def is_zip(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a zip, or a document in a zip's format."""
    return start.startswith(_ZIP)


def document(start: bytes) -> Wrong | None:
    """Return the kind of a file that begins with these bytes; None for text, a plain zip, or if in doubt."""
    for opening, kind, remedy in _OPENINGS:
        if start.startswith(opening):
            return Wrong(kind, remedy)
    if is_zip(start):
        return _office(start)
    if start[257:262] == b"ustar":
        return Wrong("a tar archive", PACK_AGAIN)
    if start[2:4] == b"\r\n" and start[4:8].count(0) >= 3:
        return Wrong("compiled Python", "Hand in the source")
    if _is_web_page(start[:4096].removeprefix(codecs.BOM_UTF8)):
        return Wrong("a web page", "Download the file itself, not the page that shows it")
    return None


def python(data: bytes) -> Wrong | None:
    """Return why `data`, the whole of a `.py` file, cannot be Python; None if Python may judge it.

    An empty file is Python.
    """
    found = document(data[:LOOK])
    if found is not None:
        return found
    if is_zip(data):
        return Wrong("a zip archive whose name ends in .py", "Hand in the zip under a name that ends in .zip")
    if _is_notebook(data):
        return Wrong("a notebook whose name ends in .py", "Copy the functions from the notebook into a text file")
    return _not_utf8(data)


def text(data: bytes) -> str:
    """Return `data` as Python would read it, with a mark for each byte that does not fit the declared encoding."""
    encoding = declared(data)
    if not _ORDINARY.fullmatch(encoding):
        encoding = "utf-8"
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(encoding, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def declared(data: bytes) -> str:
    """Return the encoding that the first two lines declare, in lower case; ``utf-8`` if they declare none."""
    for line in _LINE_ENDS.split(data[:4096], maxsplit=2)[:2]:
        found = _COOKIE.match(line.removeprefix(codecs.BOM_UTF8))
        if found:
            return found[1].decode("ascii", "replace").lower().replace("_", "-")
        if not _BLANK.match(line.removeprefix(codecs.BOM_UTF8)):
            break
    return "utf-8"


def lines(source: str) -> list[str]:
    """Split into lines as Python counts them: unlike `str.splitlines` not at a form feed or Unicode's own line ends."""
    return re.split(r"\r\n|\r|\n", source)


def _office(start: bytes) -> Wrong | None:
    """Return which document this zip is, if it is one; None for a plain zip."""
    for part, kind in ((b"word/", "a Word document"), (b"xl/", "an Excel workbook"), (b"ppt/", "a PowerPoint file")):
        if b"[Content_Types].xml" in start[:LOOK] and part in start[:LOOK]:
            return Wrong(kind, PLAIN)
    if b"[Content_Types].xml" in start[:256]:
        return Wrong("an Office document", PLAIN)
    if start[30:38] == b"mimetype" and b"application/vnd.oasis.opendocument" in start[:256]:
        return Wrong("an OpenDocument file", PLAIN)
    return None


def _is_web_page(start: bytes) -> bool:
    for _ in range(100):
        start = start.lstrip()
        end = {b"<!--": b"-->", b"<?xm": b"?>"}.get(start[:4])
        if end is None or end not in start:
            break
        start = start.partition(end)[2]
    return bool(_WEB_PAGE.match(start))


def _is_notebook(data: bytes) -> bool:
    start = data.removeprefix(codecs.BOM_UTF8).lstrip()
    return start.startswith(b"{") and b'"cells"' in data and b'"nbformat"' in data


def _not_utf8(data: bytes) -> Wrong | None:
    """Return what is wrong if this is not UTF-8 text; None if it is, or declares another encoding."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return Wrong(f"{name} text, which Python does not read", AS_UTF8)
    if b"\0" in data:
        return Wrong(_with_zeros(data), AS_UTF8 if _with_zeros(data).startswith("UTF") else PLAIN)
    if not declared(data).startswith(("utf-8", "utf8")):
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_ENDS.split(data[: error.start]))
        byte = data[error.start]
        what = f"not UTF-8 text: the byte 0x{byte:02X} in line {line} is of an older encoding, like Latin-1"
        return Wrong(what, f"{AS_UTF8}, or declare its encoding in line 1: # -*- coding: latin-1 -*-")
    return None


def _with_zeros(data: bytes) -> str:
    """Say whether data with many zero bytes is UTF-16 or UTF-32 text, or no text at all."""
    head = data[: LOOK - LOOK % 4]
    size = max(1, len(head))
    zeros = [head[offset::4].count(0) * 4 / size for offset in range(4)]
    if min(sorted(zeros)[1:]) > 0.6 and min(zeros) < 0.3:
        return "UTF-32 text, which Python does not read"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if max(even, odd) > 0.6 and min(even, odd) < 0.3:
        return "UTF-16 text, which Python does not read"
    return f"not text: {data.count(0)} of its {len(data)} bytes are zero"
