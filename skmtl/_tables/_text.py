"""Bytes as text: in the encoding that is named, or else in the one that they show or admit."""

import codecs
from unicodedata import normalize

from ._words import listed

# utf-32 first: its mark begins as that of utf-16
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# cp1252 is latin-1 with letters in place of 27 controls, and lacks the other five
GUESSES = ["utf-8", "cp1252"]
CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})


def decode(source, encoding=None):
    """The text, and a list with a note on its encoding unless that is UTF-8."""
    text, found = _decode(source, [encoding] if encoding else _likely(source.data))
    # letters and their accents are one character on some systems only
    text = normalize("NFC", text)
    if not text.strip():
        raise ValueError(f"{source.name} is empty.")
    if found.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig"):
        return text, []
    guessed = " (a guess; --encoding settles it)" if (encoding, found) == (None, "cp1252") else ""
    return text, [f"text in {found}{guessed}"]


def _likely(data):
    """The encoding of the mark at the beginning, or else those to try in turn."""
    marked = [encoding for mark, encoding in MARKS.items() if data.startswith(mark)]
    if marked:
        return marked[:1]
    if b"\0" in data:
        fitting = [name for name in ("utf-16-le", "utf-16-be") if _is_wide_text(data, name)]
        return fitting if len(fitting) == 1 else []
    # single bytes mean a letter each in cp1252, whatever they are
    return GUESSES if len(data.translate(None, CONTROLS)) == len(data) else GUESSES[:1]


def _is_wide_text(data, encoding):
    """Whether half of it is letters and marks of ASCII, in lines; the other order has no line."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    plain = 4 * data.count(0) >= len(data)
    return plain and "\n" in text and "".join(text.split()).isprintable()


def _decode(source, encodings):
    for encoding in encodings:
        try:
            text = source.data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
        except LookupError as error:
            raise ValueError(
                f"--encoding {encoding!r} is unknown; common ones are utf-8, utf-16, cp1252."
            ) from error
        if "\0" not in text:
            return text, encoding
    tried = f" in {listed(encodings)}" if encodings else ""
    raise ValueError(
        f"{source.name} is not text{tried}, nor an Excel, Parquet or Feather file; name its "
        "encoding with --encoding, or save it as CSV in UTF-8."
    )
