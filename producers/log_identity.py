"""Which source a log line belongs to: told by the log's content from its first line on, never by name or inode.

Segment k of a log starts at line 2^k. Its source is a hash of everything up to and including that line, so it
is known as soon as the segment has a line and never changes while the log grows; a gzipped, renamed or copied
log has the same sources. Two different logs that begin with the same j lines share only segments that start
within those: at most 2j-1 lines. docs/decisions/0010-file-identity.md has the reasons.
"""

from __future__ import annotations

from hashlib import blake2b


class LineIdentity:
    """Numbers the lines of one log; feed it every line in order."""

    def __init__(self, site: str, origin: str = "") -> None:
        """``origin`` tells the logs of several machines apart when their beginnings may be alike."""
        self._hash = blake2b(f"access log\0{site}\0{origin}\0".encode(), digest_size=16)
        self.line = 0
        self.source = ""
        self._segment_start = 1

    def next(self, line: bytes) -> tuple[str, int]:
        """(source, seq) of the next line, which comes without its line ending; seq counts from 1 per source."""
        self.line += 1
        self._hash.update(line)
        self._hash.update(b"\n")
        if self.line & (self.line - 1) == 0:
            self._segment_start = self.line
            self.source = f"{self._hash.hexdigest()}@{self.line}"
        return self.source, self.line - self._segment_start + 1
