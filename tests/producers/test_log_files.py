"""Which files a path means, and how their lines are read."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from producers.log_files import LONGEST_LINE, LogFile, LogUnreadable, expand


def lines(path: Path) -> list[bytes]:
    return list(LogFile(str(path)).lines())


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_told_by_content_not_by_name(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(compress(b"a\nb\n"))
    assert lines(log) == [b"a", b"b"]


@pytest.mark.parametrize("content", [b"a\nb\n", b"a\nb", b"a\r\nb\r\n", b"a\r\nb"])
def test_line_endings_and_a_missing_last_newline_change_nothing(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(content)
    assert lines(log) == [b"a", b"b"]


def test_an_overlong_line_comes_cut_and_the_next_one_whole(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"x" * (3 * LONGEST_LINE) + b"\nnext\n" + b"y" * LONGEST_LINE + b"\r\n")
    assert [len(line) for line in lines(log)] == [LONGEST_LINE + 1, 4, LONGEST_LINE]


def test_a_folder_means_its_files_in_natural_order_and_says_what_it_passes_over(tmp_path: Path) -> None:
    for name in ["access.log.10", "access.log.9", "access.log"]:
        (tmp_path / name).touch()
    (tmp_path / "old").mkdir()
    logs, skipped = expand([str(tmp_path)])
    assert [Path(log).name for log in logs] == ["access.log", "access.log.9", "access.log.10"]
    assert skipped == [str(tmp_path / "old")]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match=r"nowhere\.log: No such file"):
        LogFile(str(tmp_path / "nowhere.log"))


def test_a_damaged_gzip_file_gives_its_good_lines_and_then_says_so(tmp_path: Path) -> None:
    log = tmp_path / "access.log.gz"
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    log.write_bytes(whole[:-1000])
    read = []
    with pytest.raises(LogUnreadable, match=r"damaged or unreadable after line \d+"):
        for line in LogFile(str(log)).lines():
            read.append(line)
    assert read[:2] == [b"0", b"1"]
