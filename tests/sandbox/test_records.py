import os
import signal
import subprocess
import sys

import pytest

from bot.sandbox.records import SandboxRecords


@pytest.fixture(name="records")
def _records(tmp_path):
    with SandboxRecords(tmp_path / "deep" / "sandbox.db") as records:
        yield records


def test_rooms_do_not_see_each_other(records):
    one, other = records.drawer("one"), records.drawer("other")

    one.put("a", {"n": 1})

    assert one.get("a") == {"n": 1}
    assert other.get("a") is None


def test_scan_gives_the_keys_of_a_prefix_in_order_and_allows_writing(records):
    drawer = records.drawer("room")
    for key in ("order/2", "order/10", "other", "orders", "order/中"):
        drawer.put(key, {"key": key})

    seen = []
    for key, _ in drawer.scan("order/"):
        seen.append(key)
        drawer.drop(key)

    assert seen == ["order/10", "order/2", "order/中"]
    assert [key for key, _ in drawer.scan("")] == ["orders", "other"]


def test_a_record_read_is_never_the_record_stored(records):
    drawer = records.drawer("room")
    drawer.put("a", {"list": [1]})

    drawer.get("a")["list"].append(2)

    assert drawer.get("a") == {"list": [1]}


def test_what_is_written_together_stands_or_falls_together(records):
    room, drawer = records.room("bytes"), records.drawer("json")

    def fail():
        with records.together():
            drawer.put("a", {})
            room.write({"b": b"1", "c": b"2"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert drawer.get("a") is None
    assert list(room.scan("")) == []


def test_what_is_written_survives_kill_9(tmp_path):
    code = (
        "import sys; from pathlib import Path; from bot.sandbox.records import SandboxRecords\n"
        "records = SandboxRecords(Path(sys.argv[1]))\n"
        "for number in range(200): records.drawer('room').put(f'{number:03d}', {'n': number})\n"
        "print('written', flush=True); sys.stdin.read()"
    )
    path = tmp_path / "sandbox.db"

    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"written\n"
        os.kill(writer.pid, signal.SIGKILL)

    with SandboxRecords(path) as records:
        assert [record["n"] for _, record in records.drawer("room").scan("")] == list(range(200))
