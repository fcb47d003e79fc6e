"""A file, or standard input, as its bytes: unpacked where packed, and of which kind.

The kind is told by the first bytes and never by the name, which may be wrong or absent.
"""

import codecs
import io
import re
import sys
import zipfile
from importlib import import_module
from typing import NamedTuple

from ._words import listed

PACKED = {rb"\x1f\x8b": "gzip", rb"BZh[1-9]1AY&SY": "bz2", rb"\xfd7zXZ\0": "lzma"}  # modules
# what people take for a table, by its first bytes, and the cure
OTHERS = {
    rb"\s*(?:\{|\[\s*\{)": "JSON; save it as CSV, as `pandas.read_json(...).to_csv(...)` does",
    rb"(?i)\s*<(?:!|\?xml|html|head|body|table|div)": "HTML or XML; open it in a spreadsheet "
    "and save it as CSV",
    rb"%PDF": "a PDF; save the table itself as CSV",
    rb"\x28\xb5\x2f\xfd": "packed by zstd; unpack it first with `unzstd`",
    rb"7z\xbc\xaf|Rar!": "an archive; unpack it first",
}
CHAFF = (".DS_Store", "Thumbs.db", "desktop.ini")  # of folders, by systems
ARCHIVE = (b"PK\3\4", b"PK\5\6")
REASONS = {
    FileNotFoundError: "there is no such file; check its name and its folder",
    IsADirectoryError: "it is a folder; name a file in it",
    PermissionError: "you lack the permission to read it; ask its owner for it",
}


class Source(NamedTuple):
    """Bytes of a file.

    Attributes
    ----------
    name : str
        What the file is called in notes and refusals.
    data : bytes
        Unpacked.
    kind : str
        "text", "xlsx", "xls", "xlsb", "ods", "parquet" or "feather".
    notes : list of str
        How they were unpacked.
    """

    name: str
    data: bytes
    kind: str
    notes: list


def shown(path):
    """What a file is called."""
    return "standard input" if path == "-" else path


def read_source(path):
    """The Source of a path; "-" is standard input."""
    name, data = shown(path), _read_bytes(path)
    data, notes = _unpack(name, data)
    for signature, what in OTHERS.items():
        if re.match(signature, data.removeprefix(codecs.BOM_UTF8)):
            raise ValueError(f"{name} is {what}.")
    return Source(name, data, _kind(name, data), notes)


def _read_bytes(path):
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        reason = REASONS.get(type(error), error.strerror)
        raise ValueError(f"cannot read {shown(path)}: {reason}.") from error


def _unpack(name, data):
    """What is packed, once: an archive may hold itself."""
    for signature, module in PACKED.items():
        if re.match(signature, data):
            unpack = import_module(module).decompress
            return _trying(name, unpack, data), [f"unpacked by {module}"]
    if not data.startswith(ARCHIVE):
        return data, []
    return _unzip(name, data, _trying(name, zipfile.ZipFile, io.BytesIO(data)))


def _trying(name, unpack, argument):
    try:
        return unpack(argument)
    # these modules have errors of their own, and more of damaged bytes: EOFError, ValueError, ...
    except Exception as error:
        raise ValueError(f"{name} is damaged or cut short; copy or download it again.") from error


def _unzip(name, data, archive):
    """The only file of an archive; workbooks are archives that stay packed."""
    if _workbook(archive):
        return data, []
    files = [info for info in archive.infolist() if not _is_chaff(info)]
    if len(files) != 1:
        held = f"holds {len(files)} files, {listed(info.filename for info in files)}"
        raise ValueError(f"{name} {held if files else 'holds no file'}; unpack it and name one.")
    if files[0].flag_bits & 1:
        raise ValueError(f"{name} is protected by a password; unpack it first.")
    return _trying(name, archive.read, files[0]), [f"unpacked {files[0].filename!r}"]


def _is_chaff(info):
    """Folders, and what systems add of their own."""
    *folders, file = info.filename.split("/")
    return info.is_dir() or "__MACOSX" in folders or file in CHAFF or file.startswith("._")


def _workbook(archive):
    """Kind of workbook, or None."""
    names = set(archive.namelist())
    parts = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb", "content.xml": "ods"}
    return next((kind for part, kind in parts.items() if part in names), None)


def _kind(name, data):
    if data[:4] == data[-4:] == b"PAR1":
        return "parquet"
    if data.startswith(b"ARROW1\0"):
        return "feather"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ValueError(f"{name} is protected by a password; save a copy without one.")
        return "xls"
    if data.startswith(ARCHIVE):
        return _workbook(_trying(name, zipfile.ZipFile, io.BytesIO(data))) or "text"
    return "text"
