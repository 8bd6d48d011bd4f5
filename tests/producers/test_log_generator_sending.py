"""Sending a run: pacing by an injected clock, resuming, stopping, the files in the state folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from producers.generated_records import events
from producers.generator_run import Run
from producers.generator_state import StateFolder, StateInUse, read_progress
from producers.inventory import Inventory
from producers.log_generator import app
from producers.traffic import Traffic
from producers.transmission import StoppedWhileWaiting, Transmission
from tests.producers.generated import START_MS, ListSink, small_run

LIVE_MS = 60_000


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def _transmission(
    run: Run,
    clock: Clock,
    already_sent: int = 0,
    most_records: int | None = None,
    on_chunk: Callable[[Transmission], None] = lambda transmission: None,
) -> Transmission:
    traffic = Traffic(run)
    return Transmission(
        traffic,
        Inventory(traffic),
        clock=clock,
        sleep=clock.sleep,
        already_sent=already_sent,
        most_records=most_records,
        on_chunk=on_chunk,
    )


def test_history_is_sent_at_once_and_live_traffic_when_it_is_due() -> None:
    clock, run = Clock(START_MS / 1000), small_run()
    ahead: list[float] = []
    transmission = _transmission(run, clock, on_chunk=lambda t: ahead.append(t.simulated_ms / 1000 - clock()))
    sink = ListSink()
    transmission.transmit(sink, LIVE_MS)
    assert sink.records == list(events(run, LIVE_MS))
    assert max(ahead) <= 0  # nothing is sent before its time
    assert clock() == pytest.approx(START_MS / 1000 + 60, abs=5)
    assert transmission.phase == "done"


def test_live_traffic_of_the_past_follows_without_waiting() -> None:
    clock = Clock(START_MS / 1000 + 3600)
    _transmission(small_run(), clock).transmit(ListSink(), LIVE_MS)
    assert clock() == START_MS / 1000 + 3600


def test_last_seqs_of_history_are_known_when_live_begins() -> None:
    transmission = _transmission(small_run(), Clock(START_MS / 1000))
    transmission.transmit(ListSink(), LIVE_MS)
    history = _transmission(small_run(), Clock(START_MS / 1000))
    history.transmit(ListSink(), 0)
    assert transmission.history_last_seq == history.seq_sent
    assert transmission.seq_sent > history.seq_sent


def test_a_resumed_run_sends_the_rest_and_counts_everything() -> None:
    whole = list(events(small_run(), 0))
    transmission = _transmission(small_run(), Clock(START_MS / 1000), already_sent=12_345)
    sink = ListSink()
    transmission.transmit(sink, 0)
    assert sink.records == whole[12_345:]
    assert transmission.sent == transmission.acknowledged == len(whole)
    uninterrupted = _transmission(small_run(), Clock(START_MS / 1000))
    uninterrupted.transmit(ListSink(), 0)
    assert transmission.inventory.as_document(True) == uninterrupted.inventory.as_document(True)


def test_only_so_many_records_as_asked() -> None:
    sink = ListSink()
    transmission = _transmission(small_run(), Clock(START_MS / 1000), most_records=1_234)
    transmission.transmit(sink, None)
    assert len(sink.records) == 1_234
    assert transmission.phase == "done"


def test_stop_ends_after_the_chunk_and_the_inventory_fits_what_was_sent() -> None:
    sink = ListSink()
    transmission = _transmission(small_run(), Clock(START_MS / 1000), on_chunk=lambda t: t.stop())
    transmission.transmit(sink, None)
    assert transmission.phase == "stopped"
    assert 0 < len(sink.records) == transmission.inventory.as_document(True)["records"] == transmission.sent
    assert transmission.history_last_seq is None


def test_stop_while_waiting_for_the_broker_does_not_wait_on() -> None:
    transmission = _transmission(small_run(), Clock(0))
    transmission.broker_state_changed("no broker")
    with pytest.raises(StoppedWhileWaiting):
        transmission.stop()
    other = _transmission(small_run(), Clock(0))
    other.stop()
    with pytest.raises(StoppedWhileWaiting):
        other.broker_state_changed("no broker")


def test_a_broker_that_is_back_ends_the_waiting() -> None:
    transmission = _transmission(small_run(), Clock(0))
    transmission.broker_state_changed("no broker")
    assert transmission.waiting == "no broker"
    transmission.broker_state_changed("back")
    assert transmission.waiting is None


def test_acknowledged_seqs_stay_behind_what_is_not_acknowledged() -> None:
    transmission = _transmission(small_run(), Clock(START_MS / 1000))
    transmission.transmit(ListSink(most=1_500), 0)
    assert transmission.acknowledged == 1_500
    seqs = transmission.seq_acknowledged
    assert 0 < sum(seqs) <= 1_500
    assert all(acknowledged < sent for acknowledged, sent in zip(seqs, transmission.seq_sent, strict=True))


def test_progress_names_sources_and_what_was_acknowledged(tmp_path: Path) -> None:
    transmission = _transmission(small_run(), Clock(START_MS / 1000))
    transmission.transmit(ListSink(), 0)
    with StateFolder(tmp_path, Clock(START_MS / 1000)) as state:
        state.note_progress(transmission)
    progress = read_progress(tmp_path)
    assert progress is not None
    assert progress.phase == "done"
    assert tuple(progress.sources) == small_run().sources
    for source in progress.sources.values():
        assert source.seq_sent == source.seq_acknowledged == source.history_last_seq > 0
    assert progress.parameters == small_run()


def test_two_generators_do_not_share_a_state_folder(tmp_path: Path) -> None:
    with StateFolder(tmp_path, Clock(0)), pytest.raises(StateInUse, match="runs in"):
        StateFolder(tmp_path, Clock(0))
    with StateFolder(tmp_path, Clock(0)):
        pass


def test_progress_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text("{}")
    with pytest.raises(ValueError, match="remove it"):
        read_progress(tmp_path)


def _invoke(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(options))
    return result.exit_code, result.output


FEW = ("--start", "2026-11-17T00:00Z", "--history-hours", "0.5", "--minutes", "0", "--visitors", "1000")


def test_the_door_writes_the_same_file_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert _invoke(*FEW, "--to", str(first), "--state", str(tmp_path / "state"))[0] == 0
    assert _invoke(*FEW, "--to", str(second), "--state", str(tmp_path / "state"))[0] == 0
    assert first.read_bytes() == second.read_bytes()
    inventory = msgspec.json.decode((tmp_path / "state" / "inventory.json").read_bytes())
    assert inventory["complete"]
    assert first.read_bytes().count(b'"ts"') > 0.9 * inventory["records"] > 1_000


def test_incidents_are_taken_from_the_command_line_and_listed_with_what_they_did(tmp_path: Path) -> None:
    incidents = ("--incident", "outage:-20m:10m", "--incident", "viral:2026-11-16T23:55Z:4m:2:/products/oak-desk")
    assert _invoke(*FEW, *incidents, "--to", str(tmp_path / "records"), "--state", str(tmp_path / "state"))[0] == 0
    inventory = msgspec.json.decode((tmp_path / "state" / "inventory.json").read_bytes())
    outage, viral = inventory["incidents"]
    assert outage == {
        "kind": "outage", "start": "2026-11-16T23:40:00Z", "end": "2026-11-16T23:50:00Z", "size": 1.0, "page": None,
        "hits_added": 0, "hits_removed": outage["hits_removed"], "hits_failed": 0,
    }  # fmt: skip
    assert outage["hits_removed"] > 1_000
    assert (viral["page"], viral["size"]) == ("/products/oak-desk", 2.0)
    assert viral["hits_added"] > 1_000
    assert inventory["ended"]
    progress = read_progress(tmp_path / "state")
    assert progress is not None
    assert [incident.kind for incident in progress.parameters.incidents] == ["outage", "viral"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--start", "yesterday"), "is not a time"),
        (("--start", "2026-11-17T00:00"), "has no zone"),
        (("--start", "2999-01-01T00:00Z", "--minutes", "1"), "future"),
        (("--site", "a b"), "letters"),
        (("--late-share", "2"), "--late-share"),
        (("--incident", "flood:+5m:10m"), "KIND:START:DURATION"),
        (("--incidents-per-day", "25"), "--incidents-per-day"),
    ],
)
def test_a_wrong_option_is_named(options: tuple[str, ...], words: str) -> None:
    code, output = _invoke(*options, "--stdout")
    assert code == 2
    assert words in output


def test_no_broker_and_no_password_are_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_HOME", str(tmp_path))
    code, output = _invoke(*FEW, "--state", str(tmp_path / "state"))
    assert code == 1
    assert "kafka_footfall_producer.password is missing" in output
    progress = read_progress(tmp_path / "state")
    assert progress is not None
    assert progress.phase == "failed"
