"""Downloads from a server that the test starts: checked, kept, read without trust."""

import hashlib
import http.server
import io
import os
import pickle
import re
import threading
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from urllib.request import HTTPHandler, HTTPSHandler
from urllib.response import addinfourl

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from numpy.testing import assert_array_equal

from skmtl import MultiTaskRidge
from skmtl.datasets import (
    _fetch,
    _landmine,
    _mat,
    _parkinsons,
    _sarcos,
    _school,
    fetch_landmine,
    fetch_parkinsons,
    fetch_sarcos,
    fetch_school,
)
from skmtl.datasets._fetch import Remote, fetch, find_data_home
from skmtl.datasets._mat import read_mat, read_tasks

CONTENT = b"ten bytes."
SUM = hashlib.sha256(CONTENT).hexdigest()
NAME = "numbers.txt"


class Site:
    """CachedPredictions of a server: `pages` maps a path to content or to a tuple.

    That is (status, content, length announced, Location, reason) or less of it; a length of -1 is
    not announced.
    """

    def __init__(self, url):
        self.url, self.pages, self.asked = url, {}, []

    def answer(self, path):
        self.asked.append(path)
        page = self.pages.get(path, (404, b"no such page", None))
        if isinstance(page, list):  # one answer after the other, the last for good
            page = page.pop(0) if len(page) > 1 else page[0]
        return (200, page, None) if isinstance(page, bytes) else page


@pytest.fixture
def site(monkeypatch):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, content, length, *more = here.answer(self.path)
            location, reason = [*more, None, None][:2]
            self.send_response(status, reason)
            if location is not None:
                self.send_header("Location", location)
            if length != -1:
                self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(_fetch, "TIMEOUT", 10)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    here = Site(f"http://127.0.0.1:{server.server_address[1]}")
    here.pages[f"/{NAME}"] = CONTENT
    here.stop = lambda: (server.shutdown(), server.server_close())
    yield here
    here.stop()


@pytest.fixture
def remote(site):
    return Remote(NAME, (f"{site.url}/{NAME}",), SUM)


def get(remote, folder, read=bytes, **params):
    return fetch(remote, read, data_home=folder, **{"delay": 0, "n_retries": 0} | params)


def listing(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def sentence(error):
    """The message, which has to be one sentence with an end."""
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and ". " not in text
    return text


# the cache ----------------------------------------------------------------------------------


def test_a_file_is_downloaded_once_and_then_read_from_the_folder(site, remote, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert get(remote, folder) == CONTENT
    assert listing(folder) == [NAME]
    assert get(remote, folder) == CONTENT
    site.stop()
    assert get(remote, folder) == CONTENT
    assert site.asked == [f"/{NAME}"]


def test_concurrent_calls_agree_and_leave_one_whole_file(site, remote, tmp_path):
    unknown = remote._replace(sha256=None)
    with ThreadPoolExecutor(8) as pool:
        for some in (remote, unknown):
            values = pool.map(lambda _, some=some: get(some, tmp_path), range(16))
            assert set(values) == {CONTENT}
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert listing(tmp_path) == [NAME, f"{NAME}.sha256"]


def test_a_file_put_there_by_hand_is_used_without_a_request(site, remote, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    assert get(remote, tmp_path, download_if_missing=False) == CONTENT
    assert get(remote._replace(sha256=None), tmp_path) == CONTENT
    assert site.asked == []


def test_nothing_is_asked_or_made_with_download_if_missing_false(site, remote, tmp_path):
    folder = tmp_path / "absent"
    with pytest.raises(OSError) as error:
        get(remote, folder, download_if_missing=False)
    text = sentence(error)
    assert str(folder / NAME) in text and "download_if_missing=True" in text
    assert remote.urls[0] in text
    assert site.asked == [] and not folder.exists()


def test_the_folder_is_the_argument_then_the_environment_then_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("SKMTL_DATA", raising=False)
    assert find_data_home() == tmp_path / "skmtl_data"
    monkeypatch.setenv("SKMTL_DATA", "~/shared")
    assert find_data_home() == tmp_path / "shared"
    assert find_data_home(tmp_path / "mine") == tmp_path / "mine"
    assert find_data_home("~/mine") == tmp_path / "mine"
    with pytest.raises(TypeError, match="data_home must be a path or None, got 3"):
        find_data_home(3)


# checksums ----------------------------------------------------------------------------------


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(site, remote, tmp_path):
    with pytest.raises(OSError) as error:
        get(remote._replace(sha256="0" * 64), tmp_path)
    text = sentence(error)
    assert SUM in text and "0" * 64 in text and remote.urls[0] in text
    assert listing(tmp_path) == []
    # the sentence says how to trust the file all the same
    trusted = re.search(r"checksum='(\w+)'", text).group(1)
    assert get(remote._replace(sha256="0" * 64), tmp_path, checksum=trusted) == CONTENT


def test_the_checksum_of_the_call_goes_before_the_known_one(site, remote, tmp_path):
    assert get(remote, tmp_path, checksum=SUM.upper()) == CONTENT
    with pytest.warns(UserWarning, match="downloading it again"), pytest.raises(OSError):
        get(remote, tmp_path, checksum="1" * 64)
    assert (tmp_path / NAME).read_bytes() == CONTENT  # a refused download replaces nothing


@pytest.mark.parametrize("known", [SUM, None])
def test_a_file_changed_on_disk_is_downloaded_again(site, remote, tmp_path, known):
    remote = remote._replace(sha256=known)
    get(remote, tmp_path)
    (tmp_path / NAME).write_bytes(b"changed")
    with pytest.raises(OSError, match=f"instead of {SUM}") as error:
        get(remote, tmp_path, download_if_missing=False)
    sentence(error)
    with pytest.warns(UserWarning, match="downloading it again"):
        assert get(remote, tmp_path) == CONTENT
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert len(site.asked) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows does not replace a file that is open")
def test_who_reads_the_old_file_while_it_is_replaced_reads_all_of_it(site, remote, tmp_path):
    (tmp_path / NAME).write_bytes(b"an older file")
    with open(tmp_path / NAME, "rb") as old:
        with pytest.warns(UserWarning, match="downloading it again"):
            get(remote, tmp_path)
        assert old.read() == b"an older file"
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_without_a_known_sum_the_first_one_is_noted_and_binds(site, remote, tmp_path):
    remote = remote._replace(sha256=None)
    assert get(remote, tmp_path) == CONTENT
    assert (tmp_path / f"{NAME}.sha256").read_text() == f"{SUM}  {NAME}\n"  # as of sha256sum
    (tmp_path / NAME).unlink()
    site.pages[f"/{NAME}"] = b"another file"
    with pytest.raises(OSError, match=f"instead of {SUM}"):
        get(remote, tmp_path)
    new = hashlib.sha256(b"another file").hexdigest()
    assert get(remote, tmp_path, checksum=new) == b"another file"
    assert get(remote, tmp_path) == b"another file"  # from now on this one is noted
    assert new in (tmp_path / f"{NAME}.sha256").read_text()


def test_a_damaged_note_is_named(site, remote, tmp_path):
    (tmp_path / f"{NAME}.sha256").write_text("")
    with pytest.raises(OSError, match=f"{NAME}.sha256 holds no SHA-256: delete it") as error:
        get(remote._replace(sha256=None), tmp_path)
    sentence(error)


# trouble ------------------------------------------------------------------------------------


def test_a_missing_page_is_asked_for_once(site, remote, tmp_path):
    site.pages.clear()
    with pytest.raises(OSError, match="404") as error:
        get(remote, tmp_path, n_retries=3)
    text = sentence(error)
    assert remote.urls[0] in text and str(tmp_path) in text and "other means" in text
    assert len(site.asked) == 1 and listing(tmp_path) == []


def test_the_next_address_is_tried_when_one_fails(site, remote, tmp_path):
    site.pages["/wrong"] = b"not it"
    urls = (f"{site.url}/gone", f"{site.url}/wrong", *remote.urls)
    assert get(remote._replace(urls=urls), tmp_path) == CONTENT
    assert site.asked == ["/gone", "/wrong", f"/{NAME}"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(site, remote, tmp_path, status):
    busy = (status, b"later", None)
    site.pages[f"/{NAME}"] = [busy, busy, CONTENT]
    with pytest.warns(UserWarning, match="trying again") as caught:
        assert get(remote, tmp_path, n_retries=2) == CONTENT
    assert len(caught) == 2 and len(site.asked) == 3


@pytest.mark.parametrize("known", [SUM, None])
def test_a_truncated_download_is_not_kept(site, remote, tmp_path, known):
    site.pages[f"/{NAME}"] = (200, CONTENT[:4], len(CONTENT))
    with pytest.raises(OSError, match="IncompleteRead") as error:
        get(remote._replace(sha256=known), tmp_path)
    sentence(error)
    assert listing(tmp_path) == []
    site.pages[f"/{NAME}"] = [(200, CONTENT[:4], len(CONTENT)), CONTENT]
    with pytest.warns(UserWarning, match="trying again"):
        assert get(remote._replace(sha256=known), tmp_path, n_retries=1) == CONTENT


def test_without_a_network_the_sentence_names_address_folder_and_remedy(site, remote, tmp_path):
    site.stop()
    with pytest.warns(UserWarning, match="trying again"), pytest.raises(OSError) as error:
        get(remote, tmp_path, n_retries=1)
    text = sentence(error)
    for fact in (NAME, remote.urls[0], str(tmp_path), "refused", "connect to the network"):
        assert fact in text
    assert listing(tmp_path) == []


@pytest.fixture
def redirected(monkeypatch):
    """Answers without a server: `redirected(origin, target)` redirects one address to another."""
    asked = []

    def make(origin, target):
        def answer(handler, request):
            asked.append(request.full_url)
            code, headers = (302, Message()) if request.full_url == origin else (200, Message())
            headers["Location"] = target
            response = addinfourl(io.BytesIO(CONTENT), headers, request.full_url, code)
            response.msg, response.length = "Found", 0
            return response

        monkeypatch.setattr(HTTPSHandler, "https_open", answer)
        monkeypatch.setattr(HTTPHandler, "http_open", answer)
        return Remote(NAME, (origin,), SUM), asked

    return make


@pytest.mark.parametrize("target", ["http://b.test/x", "ftp://b.test/x", "HTTP://a.test/x"])
def test_a_redirect_from_https_to_less_is_refused_before_it_is_asked(redirected, tmp_path, target):
    remote, asked = redirected("https://a.test/x", target)
    with pytest.raises(OSError, match=f"redirect to {target.lower()} is refused") as error:
        get(remote, tmp_path, n_retries=2)
    sentence(error)
    assert asked == ["https://a.test/x"] and listing(tmp_path) == []


def test_a_redirect_from_http_to_ftp_is_refused(redirected, tmp_path):
    remote, asked = redirected("http://a.test/x", "ftp://b.test/x")
    with pytest.raises(OSError, match=r"redirect to ftp://b\.test/x is refused"):
        get(remote, tmp_path)
    assert asked == ["http://a.test/x"]


@pytest.mark.parametrize("schemes", [("https", "https"), ("http", "http"), ("http", "https")])
def test_a_redirect_to_what_is_as_secure_is_followed(redirected, tmp_path, schemes):
    origin, target = f"{schemes[0]}://a.test/x", f"{schemes[1]}://b.test/x"
    remote, asked = redirected(origin, target)
    assert get(remote, tmp_path) == CONTENT
    assert asked == [origin, target]


def test_a_redirect_of_the_server_is_followed(site, remote, tmp_path):
    site.pages["/old"] = (302, b"", None, f"/{NAME}")
    assert get(remote._replace(urls=(f"{site.url}/old",)), tmp_path) == CONTENT


@pytest.mark.parametrize("announced", [True, False])
def test_a_download_beyond_the_limit_is_refused_once_and_read_no_further(
    site, remote, tmp_path, monkeypatch, announced
):
    monkeypatch.setattr(_fetch, "LARGEST", len(CONTENT))
    assert get(remote, tmp_path) == CONTENT  # as large as it may be
    page = f"/{NAME}"
    content = bytes(len(CONTENT) + 1)
    site.pages[page] = (200, content, None if announced else -1)
    (tmp_path / NAME).unlink()
    with pytest.raises(OSError, match=f"has more than {len(CONTENT)} bytes") as error:
        get(remote, tmp_path, n_retries=3)
    sentence(error)
    assert site.asked == [page, page] and listing(tmp_path) == []


def test_what_a_server_says_is_shown_without_its_control_characters(site, remote, tmp_path):
    site.pages[f"/{NAME}"] = (404, b"", None, None, "gone \x1b[31m")
    with pytest.raises(OSError, match=r"404: gone .x1b\[31m") as error:
        get(remote, tmp_path / "fol\x1bder")
    assert sentence(error).isprintable()


def test_content_that_cannot_be_read_is_neither_kept_nor_noted(site, remote, tmp_path):
    def read(content):
        raise ValueError("it is a web page")

    remote = remote._replace(sha256=None)
    with pytest.raises(OSError, match="it is a web page") as error:
        get(remote, tmp_path, read)
    sentence(error)
    assert listing(tmp_path) == []
    (tmp_path / NAME).write_bytes(CONTENT)
    with pytest.raises(OSError, match="it is a web page; delete it") as error:
        get(remote, tmp_path, read)
    assert str(tmp_path / NAME) in sentence(error)
    assert listing(tmp_path) == [NAME]


def test_a_folder_that_cannot_be_made_is_named_before_anything_is_asked(site, remote, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written") as error:
        get(remote, tmp_path / "file" / "folder")
    text = sentence(error)
    assert str(tmp_path / "file" / "folder") in text and "SKMTL_DATA" in text
    assert site.asked == []


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    def touch(path, **params):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", touch)  # chmod does not stop every user
    return tmp_path


def test_a_file_in_a_read_only_folder_is_used(site, remote, read_only):
    (read_only / NAME).write_bytes(CONTENT)
    assert get(remote._replace(sha256=None), read_only) == CONTENT
    assert site.asked == [] and listing(read_only) == [NAME]


def test_a_read_only_folder_is_named_before_anything_is_asked(site, remote, read_only):
    with pytest.raises(OSError, match=r"cannot be written \(Permission denied\)") as error:
        get(remote, read_only)
    text = sentence(error)
    assert repr(str(read_only)) in text and "SKMTL_DATA" in text
    assert site.asked == []


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        (dict(n_retries=-1), ValueError, "n_retries"),
        (dict(n_retries=1.5), TypeError, "n_retries"),
        (dict(delay=-1), ValueError, "delay"),
        (dict(download_if_missing="no"), TypeError, "download_if_missing"),
        (dict(checksum="abc"), ValueError, "checksum must be a SHA-256 .* got 'abc'"),
        (dict(checksum=SUM + "\n"), ValueError, "checksum"),
        (dict(checksum=3), ValueError, "checksum"),
    ],
)
def test_a_wrong_parameter_is_named_before_anything_is_asked(
    site, remote, tmp_path, params, kind, message
):
    with pytest.raises(kind, match=message):
        get(remote, tmp_path, **params)
    assert site.asked == []


# MATLAB files -------------------------------------------------------------------------------


def saved(variables, compressed=False):
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compressed)
    return file.getvalue()


def cell(parts):
    out = np.empty((1, len(parts)), dtype=object)
    out[0, :] = [np.asarray(part) for part in parts]
    return out


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_of_every_type_come_as_float64_in_the_order_of_the_names(compressed):
    parts = [np.full((3, 2), k).astype(dtype) for k, dtype in enumerate("? f8 f4 i1 u2 i8".split())]
    square = cell(parts).reshape(3, 2)
    content = saved({"a": parts[2], "text": "words", "c": square}, compressed)
    cells, matrix = read_mat(content, ["c", "a"])
    assert_array_equal(matrix, parts[2])
    assert len(cells) == 6 and {part.dtype for part in [matrix, *cells]} == {np.dtype(np.float64)}
    for ours, theirs in zip(cells, square.T.ravel(), strict=True):  # column by column
        assert_array_equal(ours, theirs)


TASKS = dict(n_tasks=3, n_features=2)


def tasks_file(compressed=False, **changes):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, 2)) for n in (3, 1, 4)]
    y = [np.arange(n)[:, None] for n in (3, 1, 4)]
    return saved({"X": cell(X), "Y": cell(y)} | changes, compressed)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_anywhere_is_refused(compressed):
    content = tasks_file(compressed)
    read_tasks(content, "X", "Y", **TASKS)
    for size in range(len(content)):
        with pytest.raises(ValueError, match=r"cut off or damaged|no MATLAB 5|no variable"):
            read_tasks(content[:size], "X", "Y", **TASKS)


def test_damaged_compressed_content_is_refused():
    content = saved({"X": np.random.default_rng(0).standard_normal((3, 2))}, compressed=True)
    for place in range(-40, 0):  # the numbers and their checksum
        damaged = bytearray(content)
        damaged[place] ^= 255
        with pytest.raises(ValueError, match="cut off or damaged"):
            read_mat(bytes(damaged), ["X"])


def bomb(size, name=b"X"):
    """A MATLAB 5 file whose variable holds that many zero bytes, compressed a thousandfold."""
    header = saved({name.decode(): np.zeros((1, 1))})[:128]
    array = np.zeros(size // 8)
    body = saved({name.decode(): array[None, :]})[128:]
    packed = zlib.compress(body, 9)
    return header + np.array([15, len(packed)], dtype="<u4").tobytes() + packed


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused_and_never_held():
    content = bomb(_mat.LARGEST + 2**20)
    assert len(content) < 2**18
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"unpacks to more than {_mat.LARGEST} bytes"):
        read_mat(content, ["X"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23  # chunks, not the file


def test_the_limit_is_on_the_sum_of_the_variables_and_no_less(monkeypatch):
    two = bomb(2**16) + bomb(2**16, b"Y")[128:]
    monkeypatch.setattr(_mat, "LARGEST", 2 * 2**16 + 2**12)  # and the names and sizes
    assert [x.shape for x in read_mat(two, ["X", "Y"])] == [(1, 2**13)] * 2
    monkeypatch.setattr(_mat, "LARGEST", 2 * 2**16 - 1)
    with pytest.raises(ValueError, match="unpacks to more than"):
        read_mat(two, ["X"])


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n<!DOCTYPE html><html>no such page</html>", "web page"),
        (b"", "no MATLAB 5 file"),
        (b"404: Not Found", "no MATLAB 5 file, it starts with b'404: Not Found'"),
        (b"version https://git-lfs.github.com/spec/v1\n" * 9, "no MATLAB 5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "no MATLAB 5 file"),
        (b"MATLAB 7.3 MAT-file" + bytes(200), "no MATLAB 5 file"),
        (pickle.dumps(Trap()) + bytes(200), "no MATLAB 5 file"),
        (saved({"Y": np.ones((2, 2))}), "no variable 'X'"),
        (saved({"X": "text", "Y": 1.0}), "something other"),
        (saved({"X": {"field": 1}, "Y": 1.0}), "something other"),
        (saved({"X": np.array([[1j]]), "Y": 1.0}), "something other"),
        (saved({"X": cell([cell([1.0])]), "Y": 1.0}), "something other"),
        (saved({"X": cell([{"field": 1}]), "Y": 1.0}), "something other"),
        (saved({"X": scipy.sparse.eye_array(2), "Y": 1.0}), "something other"),
        (tasks_file(X=np.ones((3, 2))), "'X' should be a cell of 3 matrices"),
        (tasks_file(Y=cell([[[1.0]]] * 2)), "'Y' should be a cell of 3 matrices"),
        (tasks_file(X=cell([np.ones((2, 5))] * 3)), r"'X' has shape \(2, 5\) in task 0"),
        (tasks_file(X=cell([np.ones((0, 2))] * 3)), r"'X' has shape \(0, 2\) in task 0"),
        (tasks_file(Y=cell([np.ones((3, 1))] * 3)), r"'Y' has shape \(3, 1\) in task 1"),
        (tasks_file(Y=cell([np.full((n, 1), np.nan) for n in (3, 1, 4)])), "NaN .* in task 0"),
    ],
)
def test_what_is_no_file_of_tasks_is_refused_in_words(content, message):
    with pytest.raises(ValueError, match=message):
        read_tasks(content, "X", "Y", **TASKS)


# the data sets ------------------------------------------------------------------------------


def school_file():
    rng = np.random.default_rng(1)
    sizes = rng.integers(2, 5, 139)
    X = [np.column_stack([rng.integers(0, 2, (n, 27)), np.ones(n)]) for n in sizes]
    y = [rng.integers(1, 71, (n, 1)) for n in sizes]
    return saved({"X": cell(X), "Y": cell(y)}, compressed=True), X, y


def landmine_file():
    rng = np.random.default_rng(2)
    sizes = rng.integers(2, 5, 29)
    X = [rng.standard_normal((n, 9)) for n in sizes]
    y = [rng.integers(0, 2, (n, 1)).astype(np.uint8) for n in sizes]
    return saved({"feature": cell(X), "label": cell(y)}), X, y


def parkinsons_file():
    table = np.round(np.random.default_rng(3).standard_normal((7, 22)), 4)
    table[:, 0] = [1, 1, 1, 2, 2, 10, 10]
    rows = [",".join([str(int(row[0])), *map(str, row[1:])]) for row in table.tolist()]
    header = (
        "subject#,age,sex,test_time,motor_UPDRS,total_UPDRS,Jitter(%),Jitter(Abs),Jitter:RAP,"
        "Jitter:PPQ5,Jitter:DDP,Shimmer,Shimmer(dB),Shimmer:APQ3,Shimmer:APQ5,Shimmer:APQ11,"
        "Shimmer:DDA,NHR,HNR,RPDE,DFA,PPE"
    )
    return "\n".join([header, *rows, ""]).encode(), table


def serve(site, monkeypatch, module, content, sha256=None):
    name = module.REMOTE.filename
    site.pages[f"/{name}"] = content
    monkeypatch.setattr(module, "REMOTE", Remote(name, (f"{site.url}/{name}",), sha256))


@pytest.fixture
def school(site, monkeypatch):
    content, X, y = school_file()
    serve(site, monkeypatch, _school, content)
    return X, y


@pytest.fixture
def landmine(site, monkeypatch):
    content, X, y = landmine_file()
    serve(site, monkeypatch, _landmine, content)
    return X, y


@pytest.fixture
def parkinsons(site, monkeypatch):
    content, table = parkinsons_file()
    serve(site, monkeypatch, _parkinsons, content)
    return table


@pytest.fixture
def sarcos(site, monkeypatch):
    rng = np.random.default_rng(4)
    tables = {
        name: rng.standard_normal((n, 28)) for name, n in zip(_sarcos.SUMS, (6, 3), strict=True)
    }
    remotes = {}
    for name, table in tables.items():
        site.pages[f"/{name}"] = saved({name.removesuffix(".mat"): table})
        sha256 = hashlib.sha256(site.pages[f"/{name}"]).hexdigest()
        remotes[name] = Remote(name, (f"{site.url}/{name}",), sha256)
    monkeypatch.setattr(_sarcos, "REMOTES", remotes)
    return list(tables.values())


@pytest.mark.parametrize(
    ("fetcher", "fixture", "n_features", "dtype", "label"),
    [
        (fetch_school, "school", 28, np.float64, "exam_score"),
        (fetch_landmine, "landmine", 9, np.int64, "landmine"),
    ],
)
def test_long_rows_stand_in_the_order_of_the_tasks(
    request, tmp_path, fetcher, fixture, n_features, dtype, label
):
    blocks, labels = request.getfixturevalue(fixture)
    data = fetcher(data_home=tmp_path)
    assert data.data.dtype == np.float64 and data.target.dtype == dtype
    assert data.data.shape[1] == n_features == len(set(data.feature_names))
    assert_array_equal(data.data, np.vstack(blocks))
    assert_array_equal(data.target, np.vstack(labels)[:, 0])
    assert_array_equal(
        data.task, np.concatenate([np.full(len(b), t) for t, b in enumerate(blocks)])
    )
    assert data.target_names == [label] and data.frame is None
    X, y, task = fetcher(data_home=tmp_path, return_X_y=True)
    assert_array_equal(X, data.data)
    assert_array_equal(y, data.target)
    assert_array_equal(task, data.task)


def test_school_ends_with_the_constant_and_its_groups_are_one_hot(school, tmp_path):
    names = fetch_school(data_home=tmp_path).feature_names
    assert names[-1] == "constant" and names[3:5] == [
        "school_percent_free_meals",
        "school_percent_vr1",
    ]
    assert [name.split("_")[0] for name in names].count("ethnic") == 11


def test_a_school_file_without_the_constant_is_refused(site, school, tmp_path):
    X = [np.zeros((2, 28))] * 139
    site.pages["/school.mat"] = saved({"X": cell(X), "Y": cell([np.ones((2, 1))] * 139)})
    with pytest.raises(OSError, match="constant"):
        fetch_school(data_home=tmp_path)


def test_a_landmine_label_is_0_or_1(site, landmine, tmp_path):
    X, y = [np.zeros((2, 9))] * 29, [np.array([[-1.0], [1.0]])] * 29
    site.pages["/LandmineData.mat"] = saved({"feature": cell(X), "label": cell(y)})
    with pytest.raises(OSError, match="not all 0 or 1"):
        fetch_landmine(data_home=tmp_path)


@pytest.mark.parametrize(("target", "column"), [("motor_UPDRS", 4), ("total_UPDRS", 5)])
def test_parkinsons_rows_are_those_of_the_table(parkinsons, tmp_path, target, column):
    data = fetch_parkinsons(target=target, data_home=tmp_path)
    assert_array_equal(data.data, np.delete(parkinsons, [0, 4, 5], axis=1))
    assert_array_equal(data.target, parkinsons[:, column])
    assert_array_equal(data.task, [1, 1, 1, 2, 2, 10, 10])
    assert data.task.dtype == np.int64
    assert data.target_names == [target] and len(data.feature_names) == 19
    assert "interpolated in time" in data.DESCR and "Never split the rows" in data.DESCR


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: b"<html></html>", "web page"),
        (lambda content: b"", "header"),
        (lambda content: content.replace(b"sex", b"gender"), "header"),
        (lambda content: content.splitlines()[0], "each of its rows"),
        (lambda content: content + b"1,2\n", "each of its rows should have 22 numbers"),
        (lambda content: content[: len(content) // 2], "each of its rows"),
        (lambda content: content.replace(b"\n10,", b"\nten,"), "other than numbers"),
        (lambda content: content.replace(b"\n10,", b"\nnan,"), "NaN"),
        (lambda content: content.replace(b"\n10,", b"\n1.5,"), "subject"),
    ],
)
def test_what_is_no_parkinsons_table_is_refused_in_words(
    site, parkinsons, tmp_path, change, message
):
    page = "/parkinsons_updrs.data"
    site.pages[page] = change(site.pages[page])
    with pytest.raises(OSError, match=message):
        fetch_parkinsons(data_home=tmp_path)
    assert listing(tmp_path) == []


def test_sarcos_subsets_are_the_files_and_fetch_no_other(site, sarcos, tmp_path):
    train, test = sarcos
    data = fetch_sarcos(data_home=tmp_path)
    assert_array_equal(np.hstack([data.data, data.target]), train)
    assert (data.data.shape, data.target.shape) == ((6, 21), (6, 7))
    assert site.asked == ["/sarcos_inv.mat"]
    X, Y = fetch_sarcos(subset="test", data_home=tmp_path, return_X_y=True)
    assert_array_equal(np.hstack([X, Y]), test)
    X, Y = fetch_sarcos(subset="all", data_home=tmp_path, return_X_y=True)
    assert_array_equal(np.hstack([X, Y]), np.vstack(sarcos))
    assert len(site.asked) == 2
    assert data.feature_names[7] == "velocity_1" and data.target_names[-1] == "torque_7"
    assert "task" not in data


def test_sarcos_checksums_go_by_the_name_of_the_file(site, sarcos, tmp_path):
    wrong = {"sarcos_inv_test.mat": "0" * 64}
    fetch_sarcos(data_home=tmp_path, checksum=wrong)  # of a file that is not read
    with pytest.raises(OSError, match="instead of 0000"):
        fetch_sarcos(subset="test", data_home=tmp_path, checksum=wrong)
    for checksum in ("0" * 64, {"sarcos.mat": "0" * 64}):
        with pytest.raises(ValueError, match="checksum must be a dict with keys among"):
            fetch_sarcos(data_home=tmp_path, checksum=checksum)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones((3, 27)), "28 columns"),
        (np.ones((0, 28)), "28 columns"),
        (np.full((3, 28), np.inf), "infinity"),
        (cell([np.ones((3, 28))]), "28 columns"),
    ],
)
def test_what_is_no_sarcos_table_is_refused_in_words(table, message):
    with pytest.raises(ValueError, match=message):
        _sarcos.read_sarcos(saved({"sarcos_inv": table}), "sarcos_inv")


@pytest.mark.parametrize(
    ("fetcher", "fixture", "column"),
    [
        (fetch_school, "school", "school"),
        (fetch_landmine, "landmine", "field"),
        (fetch_parkinsons, "parkinsons", "subject"),
    ],
)
def test_a_frame_goes_into_an_estimator_as_it_is(request, tmp_path, fetcher, fixture, column):
    pytest.importorskip("pandas")
    request.getfixturevalue(fixture)
    arrays = fetcher(data_home=tmp_path)
    frames = fetcher(data_home=tmp_path, as_frame=True)
    assert list(frames.data) == [column, *arrays.feature_names]
    assert list(frames.frame) == [column, *arrays.feature_names, *arrays.target_names]
    assert_array_equal(frames.data[arrays.feature_names], arrays.data)
    assert_array_equal(frames.target, arrays.target)
    assert_array_equal(frames.task, arrays.task)
    model = MultiTaskRidge(task_column=column).fit(frames.data, frames.target)
    assert_array_equal(model.tasks_, np.unique(arrays.task))


def test_sarcos_frames_hold_the_arrays(sarcos, tmp_path):
    pytest.importorskip("pandas")
    arrays = fetch_sarcos(data_home=tmp_path)
    frames = fetch_sarcos(data_home=tmp_path, as_frame=True)
    assert list(frames.data) == arrays.feature_names
    assert list(frames.target) == arrays.target_names
    assert_array_equal(frames.frame, np.hstack([arrays.data, arrays.target]))


def test_as_frame_without_pandas_says_what_to_do(monkeypatch, sarcos, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="install pandas or use as_frame=False"):
        fetch_sarcos(data_home=tmp_path, as_frame=True)


FETCHERS = {
    fetch_school: "school",
    fetch_landmine: "landmine",
    fetch_parkinsons: "parkinsons",
    fetch_sarcos: "sarcos",
}


@pytest.mark.parametrize(("fetcher", "fixture"), FETCHERS.items(), ids=FETCHERS.values())
def test_every_fetcher_reads_its_cache_offline_and_hands_on_its_parameters(
    request, site, monkeypatch, tmp_path, fetcher, fixture
):
    request.getfixturevalue(fixture)
    with pytest.raises(OSError, match="download_if_missing=True"):
        fetcher(data_home=tmp_path, download_if_missing=False)
    first = fetcher(data_home=tmp_path)
    site.stop()
    monkeypatch.setenv("SKMTL_DATA", str(tmp_path))
    second = fetcher(download_if_missing=False)
    assert_array_equal(first.data, second.data)
    assert_array_equal(first.target, second.target)
    for title in ("Provenance", "Rows", "Tasks"):
        assert title in first.DESCR
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(OSError, match="connect to the network"):
            fetcher(data_home=tmp_path / "empty", n_retries=2, delay=0)
    assert sum("trying again" in str(w.message) for w in caught) == 2
    for params in (dict(return_X_y=1), dict(as_frame="yes")):
        with pytest.raises(TypeError, match=next(iter(params))):
            fetcher(**params)


@pytest.mark.parametrize(
    ("fetcher", "params"),
    [(fetch_sarcos, dict(subset="train+test")), (fetch_parkinsons, dict(target="UPDRS"))],
)
def test_a_wrong_choice_is_named_with_the_right_ones(fetcher, params, tmp_path):
    with pytest.raises(ValueError, match=f"{next(iter(params))} must be one of"):
        fetcher(data_home=tmp_path, download_if_missing=False, **params)


@pytest.mark.parametrize("fetcher", FETCHERS, ids=FETCHERS.values())
def test_a_web_page_in_the_place_of_the_file_is_refused(request, site, tmp_path, fetcher):
    request.getfixturevalue(FETCHERS[fetcher])
    page = b"<html>moved</html>"
    site.pages = dict.fromkeys(site.pages, page)
    sha256 = hashlib.sha256(page).hexdigest()
    checksum = {"sarcos_inv.mat": sha256} if fetcher is fetch_sarcos else sha256
    with pytest.raises(OSError, match="it is a web page"):
        fetcher(data_home=tmp_path, checksum=checksum)
    assert listing(tmp_path) == []


def test_origins_are_addresses_and_known_sums_have_64_digits():
    remotes = [
        _school.REMOTE,
        _landmine.REMOTE,
        _parkinsons.REMOTE,
        *_sarcos.REMOTES.values(),
    ]
    for remote in remotes:
        assert remote.urls and all(re.match("https?://", url) for url in remote.urls)
        assert all(url.endswith(f"/{remote.filename}") for url in remote.urls)
        assert remote.sha256 is None or re.fullmatch("[0-9a-f]{64}", remote.sha256)
        # without a sum there is nothing to show that the address was not answered by another
        assert remote.sha256 or all(url.startswith("https://") for url in remote.urls)
