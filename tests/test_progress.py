import io

from skmtl import _progress
from skmtl._progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_a_bar_that_is_gone_at_the_end():
    stream = Terminal()
    tell = progress(stream)
    tell(1, 2)
    assert stream.getvalue().endswith("] 1/2 splits")
    tell(2, 2)
    assert stream.getvalue().endswith("\r")


def test_elsewhere_a_line_comes_at_times_and_none_for_short_work():
    stream, now = io.StringIO(), [0.0]
    tell = _progress._lines(stream, clock=lambda: now[0])
    for done in range(1, 11):
        now[0] += 9.0
        tell(done, 10)
    assert stream.getvalue().splitlines() == [
        "skmtl: 3/10 splits, 63 seconds left",
        "skmtl: 6/10 splits, 36 seconds left",
        "skmtl: 9/10 splits, 9 seconds left",
    ]
    quick = io.StringIO()
    tell = _progress._lines(quick, clock=lambda: 0.0)
    tell(1, 2)
    assert quick.getvalue() == ""
