"""Files from the network, kept in a folder: `fetch(remote, read)` is `read(content of the file)`.

A file is used only if its SHA-256 is the expected one: that of the call, else the published one,
else the one noted beside the file (`NAME.sha256`) when it was first read.
"""

import contextlib
import hashlib
import os
import re
import time
import uuid
import warnings
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .._checks import check_count, check_flag, check_strength, printable

TIMEOUT = 30  # seconds without a byte
LARGEST = 2**26  # bytes of a download, several times those of the largest of these data sets
RETRY_LATER = (408, 429)  # the refusals that do not stand


class Remote(NamedTuple):
    """A file, its addresses in the order in which they are tried, and its SHA-256 if known."""

    filename: str
    urls: tuple
    sha256: str | None = None


def fetch(
    remote,
    read,
    *,
    data_home=None,
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
    checksum=None,
):
    """Read a file from `data_home`, and download it first if it is not there or not as expected.

    Parameters
    ----------
    remote : Remote
        The file.
    read : callable
        Takes the content as bytes and returns anything, or raises a ValueError whose message
        continues "it cannot be used:".  A download that cannot be read is not kept.
    data_home, download_if_missing, n_retries, delay, checksum
        As in `fetch_school`.

    Returns
    -------
    value : object
        What `read` returned.

    Raises
    ------
    OSError
        If there is no usable file: absent and not to be downloaded, no address answers, a wrong
        checksum, unreadable content, or a folder that cannot be written.
    """
    download_if_missing = check_flag("download_if_missing", download_if_missing)
    n_retries = check_count("n_retries", n_retries, least=0)
    delay = check_strength("delay", delay, zero=True, infinite=False)
    path = find_data_home(data_home) / remote.filename
    expected = check_checksum(checksum) or remote.sha256 or _noted(path)

    content, problem = _cached(path, expected)
    if content is not None:
        value = _use(read, content, path)
    elif download_if_missing:
        if path.exists():
            warnings.warn(f"{problem}: downloading it again.", stacklevel=3)
        content, value = _download(remote, read, path, expected, n_retries, delay)
    else:
        raise OSError(
            f"{problem}: pass download_if_missing=True to download it from {remote.urls[0]}, "
            "or pass the folder that holds it as data_home."
        )
    if remote.sha256 is None:
        with contextlib.suppress(OSError):  # a folder of somebody else may be read-only
            _note(path, content)
    return value


def find_data_home(data_home=None):
    """Folder of the downloads: the argument, else $SKMTL_DATA, else ~/skmtl_data."""
    if data_home is None:
        data_home = os.environ.get("SKMTL_DATA") or "~/skmtl_data"
    if not isinstance(data_home, (str, os.PathLike)):
        raise TypeError(f"data_home must be a path or None, got {data_home!r}.")
    return Path(data_home).expanduser()


def check_checksum(checksum):
    """Return the 64 hexadecimal digits in lower case, or None."""
    if checksum is None:
        return None
    if not (isinstance(checksum, str) and re.fullmatch("[0-9a-fA-F]{64}", checksum)):
        raise ValueError(
            f"checksum must be a SHA-256 of 64 hexadecimal digits or None, got {checksum!r}."
        )
    return checksum.lower()


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _cached(path, expected):
    """The content on disk, or None and what is wrong with it."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None, f"{_shown(path)} does not exist"
    seen = _sha256(content)
    if expected in (None, seen):
        return content, None
    return None, f"{_shown(path)} has SHA-256 {seen} instead of {expected}"


def _use(read, content, path):
    try:
        return read(content)
    except ValueError as error:
        raise OSError(
            f"{_shown(path)} cannot be used: {error}; delete it, and the next call downloads it "
            "again."
        ) from error


def _download(remote, read, path, expected, n_retries, delay):
    """(content, value) from the first address that yields the expected file, and keep the file."""
    part = _reserve(path)
    failures = []
    try:
        for url in remote.urls:
            try:
                content = _get(url, n_retries, delay)
                value = _accept(read, content, expected)
            except (OSError, HTTPException, ValueError) as error:
                failures.append(_shown(f"{url}: {error}"))
                continue
            part.write_bytes(content)
            os.replace(part, path)  # atomic: nobody ever sees half a file
            return content, value
    finally:
        part.unlink(missing_ok=True)
    raise OSError(
        f"{remote.filename} could not be downloaded ({'; '.join(failures)}): connect to the "
        f"network and try again, or save the file in {_shown(path.parent)} by other means."
    )


def _reserve(path):
    """An empty file of this call alone beside `path`; says early whether the folder is writable."""
    part = path.with_name(f"{path.name}.part_{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(exist_ok=False)
    except OSError as error:
        raise OSError(
            f"data_home={str(path.parent)!r} cannot be written ({error.strerror}): pass another "
            "folder as data_home or in the environment variable SKMTL_DATA."
        ) from error
    return part


def _get(url, n_retries, delay):
    for attempt in range(n_retries + 1):
        try:
            request = Request(url, headers={"User-Agent": "skmtl"})
            with build_opener(_NoLessSecure).open(request, timeout=TIMEOUT) as answer:
                return _read(answer)
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
            if attempt == n_retries or _is_final(error):
                raise
            warnings.warn(_shown(f"{url}: {error}, trying again."), stacklevel=5)
            time.sleep(delay)


class _NoLessSecure(HTTPRedirectHandler):
    """Follows a redirect to https, and to another address of the same scheme."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urlsplit(newurl).scheme not in ("https", urlsplit(req.full_url).scheme):
            refused = f"the redirect to {newurl} is refused, which is not https"
            raise HTTPError(req.full_url, code, refused, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read(answer):
    """The content of an answer, if it is whole and not too large."""
    content = answer.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes, and these data have less")
    if answer.length:  # what was announced and did not come
        raise IncompleteRead(content, answer.length)
    return content


def _is_final(error):
    """Whether the server refused for good, so that asking again is pointless."""
    return isinstance(error, HTTPError) and error.code < 500 and error.code not in RETRY_LATER


def _accept(read, content, expected):
    seen = _sha256(content)
    if expected not in (None, seen):
        raise ValueError(
            f"its SHA-256 is {seen} instead of {expected}, pass checksum={seen!r} if you trust it"
        )
    return read(content)


def _shown(path):
    """A path, an address or what a server said, as messages repeat it."""
    return printable(str(path))


def _noted(path):
    """The checksum noted beside the file, in the format of `sha256sum`, or None."""
    try:
        words = _note_of(path).read_text(encoding="utf-8").split()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return check_checksum(words[0] if words else "")
    except ValueError:
        raise OSError(f"{_shown(_note_of(path))} holds no SHA-256: delete it.") from None


def _note(path, content):
    seen = _sha256(content)
    if _noted(path) != seen:
        part = _reserve(_note_of(path))
        part.write_text(f"{seen}  {path.name}\n", encoding="utf-8")
        os.replace(part, _note_of(path))


def _note_of(path):
    return path.with_name(path.name + ".sha256")
