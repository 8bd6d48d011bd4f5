"""Logs as bytes: which files are meant, their compression, their lines with bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol, cast

STANDARD_INPUT = "-"
LONGEST_LINE = 64 * 1024


class LogUnreadable(Exception):
    """A log cannot be read; the message names it and says why."""


class _Readable(Protocol):
    def readline(self, limit: int, /) -> bytes: ...


def expand(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """(logs, skipped): folders replaced by the files in them, in the natural order of their names.

    Subfolders are not entered but named in ``skipped``. Raises LogUnreadable for a path that is not there.
    """
    logs: list[str] = []
    skipped: list[str] = []
    for path in paths:
        if path == STANDARD_INPUT or not Path(path).is_dir():
            logs.append(path)
            continue
        inside = sorted(Path(path).iterdir(), key=_natural)
        files = [str(entry) for entry in inside if entry.is_file()]
        if not files:
            raise LogUnreadable(f"{path}: there is no file in this folder")
        logs += files
        skipped += [str(entry) for entry in inside if not entry.is_file()]
    return logs, skipped


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


class LogFile:
    """One log open for reading: plain, gzip, bzip2 or xz, told by its first bytes. A context manager."""

    def __init__(self, path: str) -> None:
        """``path`` may be ``-``; raises LogUnreadable."""
        self.path = path
        self._file: _Readable
        try:
            raw: IO[bytes] = sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb")  # noqa: SIM115
            self._raw = cast(io.BufferedReader, raw)
            magic = self._raw.peek(6)[:6]
        except OSError as error:
            raise LogUnreadable(f"{path}: {error.strerror}") from error
        if magic.startswith(b"\x1f\x8b"):
            self._file = gzip.GzipFile(fileobj=self._raw)
        elif magic.startswith(b"BZh"):
            self._file = bz2.BZ2File(self._raw)
        elif magic == b"\xfd7zXZ\0":
            self._file = lzma.LZMAFile(self._raw)  # noqa: SIM115
        elif magic.startswith(b"\x28\xb5\x2f\xfd"):
            raise LogUnreadable(f"{path}: zstd is not read here; use `zstd -dc {path}` and `-` (standard input)")
        else:
            self._file = self._raw

    def lines(self) -> Iterator[bytes]:
        """The lines without their endings, a last one without a newline included.

        A line longer than LONGEST_LINE comes as its first LONGEST_LINE + 1 bytes. Raises LogUnreadable when
        a compressed file is damaged or a disk fails.
        """
        number = 0
        try:
            while line := self._file.readline(LONGEST_LINE + 2):
                number += 1
                ended = line.endswith(b"\n")
                while not ended:
                    rest = self._file.readline(LONGEST_LINE)
                    ended = not rest or rest.endswith(b"\n")
                yield line.removesuffix(b"\n").removesuffix(b"\r")[: LONGEST_LINE + 1]
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise LogUnreadable(f"{self.path}: damaged or unreadable after line {number}: {error}") from error

    def bytes_read(self) -> int | None:
        """Position in the file as it is on disk; None where there is none (a pipe)."""
        return self._raw.tell() if self._raw.seekable() else None

    def close(self) -> None:
        if self.path != STANDARD_INPUT:
            self._raw.close()


def bytes_on_disk(path: str) -> int:
    """Size of a regular file, 0 for anything else."""
    return Path(path).stat().st_size if path != STANDARD_INPUT and Path(path).is_file() else 0
