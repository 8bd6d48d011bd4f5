"""Visitors: their keyed hash, their sketches, and the keys' life."""

from __future__ import annotations

import hmac
import random
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import Settings
from spark_jobs.visitor_hash import VisitorKey, canonical_address, periods_of, visitor_hash
from spark_jobs.visitor_keys import VisitorKeys, delete_expired_keys, period_bounds
from spark_jobs.visitor_sketches import EXACT_UP_TO, sketch_of, united, visitors_in
from sql.warehouse import Warehouse
from tests.spark_jobs.conftest import Ask

TEXT = st.characters(codec="utf-8")
SECRET = bytes(range(32))
# More visitors than a sketch holds, so that it has to estimate.
CROWD = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 10_000).tolist()


@given(st.text(TEXT), st.text(TEXT))
def test_the_hash_is_the_first_eight_bytes_of_hmac_sha256(address: str, user_agent: str) -> None:
    whole = hmac.digest(SECRET, f"shop\x1f{canonical_address(address)}\x1f{user_agent}".encode(), "sha256")
    assert visitor_hash(SECRET, "shop", address, user_agent) == int.from_bytes(whole[:8], "big", signed=True)


def test_an_address_has_one_way_to_be_written() -> None:
    assert canonical_address("::FFFF:192.0.2.7") == "192.0.2.7"
    assert canonical_address("2001:DB8::A") == "2001:db8::a"


def test_a_key_shows_its_name_and_not_its_secret() -> None:
    assert repr(VisitorKey("2026-11", SECRET)) == "VisitorKey('2026-11')"


def test_periods_are_months_or_days_of_the_events_own_time() -> None:
    seconds = np.array(
        [datetime(2026, 11, 30, 23, tzinfo=UTC).timestamp(), datetime(2026, 12, 1, tzinfo=UTC).timestamp()]
    )
    assert periods_of("month", seconds.astype(np.int64))[0] == ["2026-11", "2026-12"]
    assert periods_of("day", seconds.astype(np.int64))[0] == ["2026-11-30", "2026-12-01"]
    assert period_bounds("2026-12") == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert period_bounds("2026-11-30") == (datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def test_up_to_4096_visitors_are_exact_and_more_are_estimated_within_three_standard_errors() -> None:
    assert visitors_in(sketch_of(CROWD[:EXACT_UP_TO])) == 4096
    assert abs(visitors_in(sketch_of(CROWD)) - 10_000) < 3 * 10_000 / EXACT_UP_TO**0.5


@given(st.integers(0, 2**32), st.lists(st.integers(0, len(CROWD)), max_size=4))
def test_a_sketch_is_the_same_bytes_whatever_the_order_and_the_parts(seed: int, cuts: list[int]) -> None:
    shuffled = random.Random(seed).sample(CROWD, len(CROWD))
    bounds = [0, *sorted(cuts), len(shuffled)]
    parts = [sketch_of(shuffled[begin:end]) for begin, end in pairwise(bounds)]
    assert united(parts) == sketch_of(CROWD)


@pytest.fixture
def keys(fresh_database: Settings, tmp_path: Path) -> Iterator[VisitorKeys]:
    random_ = random.Random(1)
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-test") as warehouse:
        yield VisitorKeys(tmp_path / "keys", "month", warehouse, random_.randbytes)


KEYS_SEEN = "SELECT key_id, deleted_at IS NOT NULL AS deleted FROM stream.visitor_key ORDER BY 1"


@pytest.mark.services
def test_a_key_is_made_once_and_only_its_owner_may_read_it(keys: VisitorKeys, ask: Ask, tmp_path: Path) -> None:
    assert keys.current().keys == {}
    keys.make({"2026-11"})
    made = keys.current().keys["2026-11"]
    keys.make({"2026-11"})
    assert keys.current().keys == {"2026-11": made}
    assert ask(KEYS_SEEN) == [{"key_id": "2026-11", "deleted": False}]
    (file,) = (tmp_path / "keys").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("2026-11.key", 0o600)
    assert bytes.fromhex(file.read_text()) == made.secret
    assert made.secret.hex() not in str(ask("SELECT * FROM stream.visitor_key"))


@pytest.mark.services
def test_an_expired_key_is_deleted_and_a_late_line_gets_one_of_another_name(
    keys: VisitorKeys, ask: Ask, fresh_database: Settings, tmp_path: Path
) -> None:
    keys.make({"2020-01"})
    made = keys.current().keys["2020-01"]
    now = datetime.now(UTC)
    with Warehouse(fresh_database.dsn("footfall_writer"), "footfall-test") as warehouse:
        assert delete_expired_keys(warehouse, tmp_path / "keys", now, 35) == []  # made just now
        assert delete_expired_keys(warehouse, tmp_path / "keys", now + timedelta(days=36), 35) == ["2020-01"]
    assert keys.current().keys == {}
    keys.make({"2020-01"})
    later = keys.current().keys["2020-01"]
    assert later.key_id == "2020-01.2"
    assert later.secret != made.secret
    assert ask(KEYS_SEEN) == [{"key_id": "2020-01", "deleted": True}, {"key_id": "2020-01.2", "deleted": False}]


@pytest.mark.services
def test_a_key_whose_file_is_lost_is_not_made_again_under_its_name(keys: VisitorKeys, tmp_path: Path) -> None:
    keys.make({"2026-11"})
    (tmp_path / "keys" / "2026-11.key").unlink()
    keys.make({"2026-11"})
    assert keys.current().keys["2026-11"].key_id == "2026-11.2"


@pytest.mark.services
def test_a_key_whose_row_is_missing_is_registered_before_it_is_used(keys: VisitorKeys, ask: Ask) -> None:
    keys.make(["2026-11"])
    secret = keys.current().keys["2026-11"]
    ask("DELETE FROM stream.visitor_key RETURNING 1")  # another database, or an older copy of this one
    again = VisitorKeys(keys._folder, "month", keys._warehouse, keys._random_bytes)
    assert again.current().keys == {}
    again.make(["2026-11"])
    assert again.current().keys == {"2026-11": secret}
    assert ask("SELECT key_id FROM stream.visitor_key") == [{"key_id": "2026-11"}]


@pytest.mark.services
def test_a_file_that_holds_no_key_is_named_with_the_way_out(keys: VisitorKeys, tmp_path: Path) -> None:
    keys.make({"2026-11"})
    (tmp_path / "keys" / "2026-11.key").write_text("abcd")
    keys._read.clear()
    with pytest.raises(ValueError, match=r"2026-11\.key does not hold 32 bytes in hex: move it away"):
        keys.current()
