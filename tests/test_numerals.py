"""Numbers as people write them, one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmtl._numerals import BLANKS, MINUS, is_currency, numeral, values

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def spellings(draw):
    """A float, a text of it, and the decimal mark of that."""
    number = draw(st.one_of(FLOATS, st.integers(-(10**12), 10**12).map(float)))
    decimal = draw(st.sampled_from(".,"))
    body = repr(abs(number))
    mantissa, exponent = body, ""
    if "e" in body:
        mantissa, _, power = body.partition("e")
        exponent = draw(st.sampled_from("eE")) + power
    whole, _, rest = mantissa.partition(".")
    if not exponent:
        other = "," if decimal == "." else "."
        mark = draw(st.sampled_from(["", other, *"'\u2019_", *BLANKS.replace("\t", "")]))
        whole = f"{int(whole):,}".replace(",", mark)
    kept = rest != "0" or draw(st.booleans())
    text = whole + (decimal + rest if rest and kept else "") + exponent
    return number, _dressed(draw, text, np.signbit(number)), decimal


def _dressed(draw, text, negative):
    """With a unit before or after it, and with the sign in one of its places."""
    before = draw(st.sampled_from(["", "$", "€", "US$ ", "CHF\u00a0", "kr "]))
    after = "" if before else draw(st.sampled_from(["", " kr", "%", " kg", "\u2009€", " mg/dl"]))
    if not negative:
        telephone = any(blank in text for blank in BLANKS)  # +49 171 234
        return draw(st.sampled_from([""] if telephone else ["", "+"])) + before + text + after
    if draw(st.booleans()):
        return f"({before}{text}{after})"
    minus = draw(st.sampled_from(MINUS))
    return before + minus + text + after if draw(st.booleans()) else minus + before + text + after


@given(spellings())
def test_any_spelling_of_a_float_is_read_back_exactly(case):
    number, text, decimal = case
    found = numeral(text)
    assert decimal in found.decimals or found.decimals == ""
    assert values([found], decimal) == [number]


@given(st.text("0123456789.eE+-,_ ", min_size=1, max_size=9))
def test_what_pandas_reads_as_a_number_is_read_alike(text):
    plain = pd.to_numeric(pd.Series([text], dtype=object), errors="coerce").to_numpy(float)[0]
    if np.isfinite(plain):
        found = numeral(text.strip())
        assert "," not in found.text and found.decimals in ("", ".", ".,")
        # pandas may be an ulp off where there are a plus and an exponent
        np.testing.assert_array_max_ulp(values([found], "."), [plain], 8)


@given(st.text(max_size=12))
def test_no_text_is_an_error(text):
    found = numeral(text.strip())
    assert found is None or len(values([found], (found.decimals or ".")[0])) == 1


@pytest.mark.parametrize(
    "text, decimals",
    [
        ("30", ""),
        ("1'000", ""),
        ("30.5", "."),
        ("0.699", "."),
        ("30,5", ","),
        ("0,699", ","),
        ("1,234", ".,"),
        ("123.456", ".,"),
        ("1234,567", ","),
        ("1.234,5", ","),
        ("1,234.5", "."),
        ("1,234,567", "."),
        ("1.234.567", ","),
        ("12,34,567", "."),
        ("1 234,567", ","),
        ("1.234e5", "."),
        ("30,-", ","),
    ],
)
def test_a_mark_is_for_decimals_or_for_thousands_as_its_place_tells(text, decimals):
    assert numeral(text).decimals == decimals


@pytest.mark.parametrize(
    "text",
    "site 7|Q1|7-Eleven|1.2.3|12:30|10-20|10\u201320|1/2|1st|2nd|5 am|#1|1 2|01 234|0,1,2|12,34"
    ",5|1,2345,678|--5|(5|-(5)|$|%|.|-|abc|SW1A 1AA|(555) 123-4567|+49 171 234 567|2020-01-01"
    "|1.2.2020|5'11\"|0x1F|3+|>3|~3|2-|10-|1.5 -|1.5-fold|- kg|€".split("|"),
)
def test_names_versions_times_ranges_and_telephones_are_no_numbers(text):
    assert numeral(text) is None


def test_a_unit_is_kept_and_money_is_told_from_others():
    for text, unit in {"$5": "$", "5 kr": "kr", "£1.2k": "£ k", "-5%": "%", "5 m²": "m²"}.items():
        assert numeral(text).unit == unit
    assert all(map(is_currency, ["$", "€", "₹", "US$", "R$", "kr", "kr.", "CHF"]))
    assert not any(map(is_currency, ["kg", "%", "k", "$ k", "€/h"]))
