"""Numbers as people write them.

    numeral = [sign] [currency] [sign] amount [exponent] [unit], in parentheses where negative,
              or with decimals and a minus behind them: 12,00-
    amount  = digits, or groups of them (1 234, 1'234, 1_234, 1,234, 1.234), [decimal mark [digits]]

A point or a comma alone with three digits behind it, and one to three before it, may be either
mark: 1,234 and 1.234. Everything else has one reading. A blank, an apostrophe and a low line only
ever separate thousands, and a number with thousands neither starts with 0 nor has an exponent.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category

BLANKS = " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
BLANKS += "\u202f\u205f\u3000"
MINUS = "-\u2212\u2013\u2010\u2011\ufe63\uff0d"  # the second is the minus of typesetters
APOSTROPHES = "'\u2019\u02bc"
CODES = set("AED ARS AUD BDT BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR".split())
CODES |= set("ILS INR ISK JPY KES KRW MXN MYR NGN NOK NZD PEN PHP PKR PLN RON RSD RUB SAR".split())
CODES |= set("SEK SGD THB TRY TWD UAH USD VND ZAR kr Kr Rs Fr Ft zł Kč".split())
# beside plain numbers these would change a value, not only name what is counted
SCALES = set("% ‰ k K m M B b mn Mn mio Mio bn Bn mrd Mrd tsd Tsd T lakh crore".split())
SCALES |= {"thousand", "million", "billion", "hundred"}
LONGEST = 64  # characters of a number and its unit
_NO_UNITS = set("st nd rd th am pm a.m. p.m. AM PM".split())  # places and times of day
_SIGN = f"[+{re.escape(MINUS)}]"
_EXPONENT = f"(?:[eE]{_SIGN}?[0-9]{{1,18}})?"


class Numeral(NamedTuple):
    """A number as written.

    Attributes
    ----------
    text : str
        Sign, amount and exponent.
    unit : str
        What stands beside them, "" where nothing does.
    decimals : {"", ".", ",", ".,"}
        Which of point and comma can be the decimal mark; "" where there is neither.
    """

    text: str
    unit: str
    decimals: str


def _amount(decimal, other, more=""):
    """Pattern of an amount with this decimal mark, the other one for thousands."""
    marks = [re.escape(other), f"[{APOSTROPHES}]", f"[{BLANKS}]", "_"]
    groups = "|".join(f"(?:{mark}[0-9]{{3}})+" for mark in marks)
    end = f"(?:{decimal}[0-9]*)?"
    return re.compile(
        f"{_SIGN}?(?:[0-9]+{end}{_EXPONENT}|{decimal}[0-9]+{_EXPONENT}"
        f"|[1-9][0-9]{{0,2}}(?:{groups}){end}{more})"
    )


# of Indian groups, 12,34,567, the last has three digits and the others two
_POINT = _amount("[.]", ",", r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:[.][0-9]*)?")
_COMMA = _amount(",", ".")
_AFFIX = rf"[^\s0-9.,_()+{re.escape(MINUS)}{APOSTROPHES}<>=≤≥~:/*#]{{1,4}}"
_AROUND = re.compile(
    rf"(?P<sign>{_SIGN}?)\s?(?:(?P<before>{_AFFIX})[.]?\s{{0,2}})?(?P<inner>{_SIGN}?)\s?"
    rf"(?P<amount>(?:[.,]?[0-9](?:[.,_{APOSTROPHES}{BLANKS}]?[0-9])*[.,]?){_EXPONENT})"
    r"\s{0,2}(?P<after>[^\s0-9()][^()]{0,23})?"
)
_PARENTHESES = re.compile(r"([^()0-9]*)\(([^()]*[0-9][^()]*)\)([^()0-9]*)")
_SIMPLE = r"(?:[kcdm]?m[23]|[°º]?[^\W\d_]{1,12}[²³]?)"
_UNIT = re.compile(rf"[%‰°º]|{_SIMPLE}(?:/{_SIMPLE})?(?:\s[^\W\d_]{{1,12}}){{0,2}}[.]?")
_INFINITE = re.compile("[+-]?inf(?:inity)?", re.IGNORECASE)
_PLAIN = dict.fromkeys(map(ord, BLANKS + APOSTROPHES + "_")) | {ord(sign): "-" for sign in MINUS}
_TABLES = {".": _PLAIN | {ord(","): None}}
_TABLES[","] = _PLAIN | {ord("."): None, ord(","): "."}


def numeral(cell):
    """A stripped cell as a Numeral; None where it is none."""
    decimals = _decimals(cell)
    found = _with_unit(cell) if decimals is None else Numeral(cell, "", decimals)
    if found and found.text[0] == "+" and any(blank in found.text for blank in BLANKS):
        return None  # of a telephone
    return found


def values(numerals, decimal):
    """The nearest floats of a list of numerals, with this decimal mark."""
    text = "\n".join(number.text for number in numerals)  # one call, not one a number
    return [float(number) for number in text.translate(_TABLES[decimal]).split("\n")]


def _decimals(text):
    """Which decimal marks an amount can have; None where it is no amount."""
    found = "." * bool(_POINT.fullmatch(text)) + "," * bool(_COMMA.fullmatch(text))
    if not found:
        return "" if _INFINITE.fullmatch(text) else None
    return found if "." in text or "," in text else ""


def _with_unit(cell):
    """A numeral with more than an amount: a unit, a currency, parentheses."""
    if len(cell) > LONGEST:
        return None
    zero = cell.strip(MINUS + BLANKS)
    if zero != cell and is_currency(zero):
        return Numeral("0", zero, "")  # $ - of a spreadsheet
    enclosed = _PARENTHESES.fullmatch(cell)
    match = _AROUND.fullmatch("".join(enclosed.groups()).strip() if enclosed else cell)
    if match is None:
        return None
    signs = match["sign"] + match["inner"]
    amount, after = match["amount"], match["after"] or ""
    if after in ("-", "\u2013", "\u2014") and amount[-1] in ".,":
        after = ""  # 30,- is 30
    elif after and after[0] in MINUS and _is_trailing_minus(match):
        signs, after = signs + "-", after[1:]
    unit = _unit(match["before"] or "", after.strip())
    decimals = _decimals(amount)
    if unit is None or decimals is None or len(signs) + bool(enclosed) > 1:
        return None
    return Numeral("-" * bool(enclosed) + signs + amount, unit, decimals)


def _is_trailing_minus(match):
    """Whether it is that of 12,00- in bookkeeping; 2- is a mark of schools, 10- a range."""
    amount, unit = match["amount"], match["after"][1:]
    behind = match.end("amount") == match.start("after")
    return behind and ("." in amount or "," in amount) and (not unit or is_currency(unit.strip()))


@lru_cache(maxsize=1024)
def _unit(before, after):
    """What is counted, as it is written; None where it is a word or a name."""
    if before and not (before in CODES or _is_currency(before)):
        return None
    named = _UNIT.fullmatch(after) and after.split()[0] not in _NO_UNITS
    if after and not (named or _is_currency(after)):
        return None
    return " ".join(filter(None, [before, after]))


@lru_cache(maxsize=1024)
def _is_currency(text):
    """Whether it is a sign such as € and US$."""
    return [category(letter) for letter in text if not letter.isalpha()] == ["Sc"]


def is_currency(unit):
    """Whether a unit is an amount of money, in units and not in thousands of them."""
    return unit.rstrip(".") in CODES or _is_currency(unit)
