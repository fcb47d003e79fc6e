"""What cells say in place of a number: nothing, a bound, a date, a truth value."""

import re

from .._numerals import numeral

BOOLEANS = {"true": 1.0, "false": 0.0}
# what pandas takes for a missing number; in text features and task ids these are words like others
MISSING = ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"]
MISSING += ["1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]
# Marks of people, spreadsheets, databases and laboratories, in small letters. "none", "nil" and "x"
# are not among them: they may well mean zero, or present.
_MARKS = "- -- --- \u2013 \u2014 \u2212 . .. ... \u2026 ? ?? ??? * ** na n/a n.a. n.a n/d nd n.d. "
_MARKS += "n.d nan null <na> nat k.a. k.a missing unknown unk n/k bdl blod bloq blq bql lod loq "
_MARKS += "<lod <loq <lloq <lld <dl <bdl <mdl >loq >uloq #n/a #na #div/0! #value! #ref! #name? "
_MARKS += "#num! #null! #spill! #calc! #nv #wert! #bezug! #zahl! #valeur! #valor! #error! #n/d"
_MARKS = {*_MARKS.split(), "#n/a n/a", "not available", "not applicable", "not known", "k. a."}
_MARKS |= {"not detected", "not done", "not measured", "not recorded", "n. a.", "< lod", "< loq"}
_MARKS |= {"< lloq", "> uloq", "no data", "(missing)", "(blank)", "below detection limit", "<lloq>"}

_BOUND = re.compile(
    r"(?:[<>]=?|[≤≥⩽⩾\uff1c\uff1e]|=[<>])\s*(?:(?:LL?OD|L?LOQ|ULOQ)\s*)?(?P<amount>.*\d.*)"
)
_TOP = re.compile(
    r"(?P<amount>.*\d)\s*(?:\+|plus|(?:or|and)\s(?:more|over|above|older|up|less|fewer|under"
    r"|below|younger))",
    re.IGNORECASE,
)
# of a day, or how long: 25:30, and 3:25.5 of minutes
_TIME = r"(?:\d{1,4}:[0-5]\d(?::[0-5]\d)?(?:[.,]\d+)?(?:\s?[ap]\.?m\.?)?)"
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_NAMES = r"(?:jan(?:uary?)?|feb(?:ruary?)?|mar(?:ch)?|m[aä]rz|apr(?:il)?|ma[iy]|jun[ei]?|jul[iy]?"
_NAMES += r"|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?"
_NAMES += "|janv(?:ier)?|f[ée]vr?(?:ier)?|mars|avr(?:il)?|juin|juil(?:let)?|ao[uû]t|septembre"
_NAMES += "|octobre|novembre|d[ée]c(?:embre)?|enero|febrero|marzo|abril|mayo|junio|julio"
_NAMES += (
    "|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio"
)
_NAMES += "|settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro"
_NAMES += r"|novembro|dezembro|januari|februari|maart|mei|augustus|jänner)\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|mo|di|mi|do|fr"
_WEEKDAY += (
    r"|sa|so|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|lun(?:di)?|mar(?:di)?|mer(?:credi)?"
)
_WEEKDAY += r"|jeu(?:di)?|ven(?:dredi)?|sam(?:edi)?|dim(?:anche)?)[.,]*\s+"
_PARTS = ["d(?:ays?)?", "h(?:ours?|rs?)?", "m(?:in(?:ute)?s?)?", "s(?:econds?|ecs?)?"]
_PARTS = rf"(?:\d+(?:[.,]\d+)?\s?(?:{'|'.join(_PARTS)}),?\s?)"
_DATE = re.compile(
    rf"""(?:{_WEEKDAY})?(?: \d{{4}}([-/.]){_MONTH}(?:\1{_DAY})? | \d{{4}}-?W\d\d(?:-?[1-7])?
    | {_DAY}([-/]){_DAY}\2(?:\d{{4}}|\d\d) | {_DAY}[.]\s?{_DAY}[.](?:\s?(?:\d{{4}}|\d\d))?
    | \d\d[.]\d\d[.]\d\d | {_MONTH}[-/](?:19|20)\d\d
    | \d{{4}}[-\s/]?Q[1-4] | Q[1-4][-\s/]?\d{{4}}
    | {_DAY}(?:st|nd|rd|th)?[-\s./]*(?:de\s|of\s)?{_NAMES}(?:\sde)?[-\s.,/]*(?:\d{{4}}|\d\d)?
    | {_NAMES}[-\s]+{_DAY}(?:st|nd|rd|th)?(?:,?\s+{_TIME})?,?\s+\d{{4}}
    | {_NAMES}[-\s,]*(?:\d{{4}}|\d\d) )
    (?:(?:T|,?\s)\s*{_TIME}(?:\s?(?:Z|UTC|GMT|[-+]\d\d:?\d\d))?)?
    | -?(?:\d+\sdays?,?\s[+]?)?{_TIME} | (?:0?[1-9]|1[0-2])\s?[ap]\.?m\.?
    | {_PARTS}{{2,4}} | \d{{1,3}}\s?h\s?[0-5]\d
    | P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?
      (?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d+)?S)?)?""",
    re.IGNORECASE | re.VERBOSE,
)
_DAY_NUMBER = re.compile(r"(?:19\d\d|20\d\d|2100)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


class Typed(str):
    """Text of a number that a workbook or Parquet file holds: a point in it marks decimals."""

    __slots__ = ()


def kind_of(cell):
    """Kind of a stripped cell that is no numeral and not empty."""
    if is_mark(cell):
        return "missing"
    if cell.lower() in BOOLEANS:
        return "truth"
    if _DATE.fullmatch(cell):
        return "date"
    bound = _BOUND.fullmatch(cell) or _TOP.fullmatch(cell)
    return "bound" if bound and numeral(bound["amount"]) else "word"


def is_mark(cell):
    """Whether it means missing, in a column of numbers."""
    return cell.lower() in _MARKS or cell in MISSING


def are_day_numbers(cells):
    """Whether all cells are days as 20240131, of 1900 to 2100; empty ones do not count."""
    return any(cells) and all(map(_DAY_NUMBER.fullmatch, filter(None, cells)))
