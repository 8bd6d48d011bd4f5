"""A line's identity comes from the log's content, and a log keeps it while it grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producers.log_identity import LineIdentity

LINES = st.lists(st.binary(max_size=4).filter(lambda line: b"\n" not in line), min_size=1, max_size=40)


def identities(lines: list[bytes], site: str = "shop", origin: str = "") -> list[tuple[str, int]]:
    identity = LineIdentity(site, origin)
    return [identity.next(line) for line in lines]


@given(LINES, LINES)
def test_a_log_that_grows_keeps_the_identity_of_every_line_it_had(lines: list[bytes], more: list[bytes]) -> None:
    assert identities(lines + more)[: len(lines)] == identities(lines)


@given(LINES)
def test_no_two_lines_of_a_log_share_an_identity_even_if_they_are_alike(lines: list[bytes]) -> None:
    assert len(set(identities(lines))) == len(lines)


@given(LINES, LINES, LINES)
def test_different_logs_share_at_most_the_segments_begun_in_their_common_beginning(
    common: list[bytes], one: list[bytes], other: list[bytes]
) -> None:
    one, other = [*common, b"1", *one], [*common, b"2", *other]
    shared = set(identities(one)) & set(identities(other))
    assert len(shared) <= 2 * len(common) - 1


def test_segments_start_at_powers_of_two_and_count_from_one() -> None:
    assert [seq for _, seq in identities([b"x"] * 9)] == [1, 1, 2, 1, 2, 3, 4, 1, 2]
    assert [source.partition("@")[2] for source, seq in identities([b"x"] * 9) if seq == 1] == ["1", "2", "4", "8"]


def test_the_same_log_under_another_site_or_from_another_machine_is_another_log() -> None:
    assert identities([b"x"], site="a") != identities([b"x"], site="b")
    assert identities([b"x"], origin="web1") != identities([b"x"], origin="web2")
