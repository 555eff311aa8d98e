"""One driver at a time; a dead one's lock holds nobody up."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import workflows.driver_lock as module
from workflows.driver_lock import CANCEL, LOCK, driving, lives_here, read_lock
from workflows.errors import WorkflowError

HOLDER = """
    import sys, time
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from workflows.driver_lock import driving
    with driving(Path({folder!r}), "campaign"):
        print("driving", flush=True)
        time.sleep(60)
"""


def holder(folder):
    script = textwrap.dedent(HOLDER).format(root=str(Path(__file__).parents[2]), folder=str(folder))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "driving\n"
    return process


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "_BEAT_S", 0.05)


def foreign(folder, **changes):
    """A lock as a driver on another machine leaves it."""
    with driving(folder, "campaign"):
        lock = dict(read_lock(folder))
    lock |= {"host": "another", "boot": "another", "token": "another"} | changes
    (folder / LOCK).write_text(json.dumps(lock))


def test_a_second_driver_is_refused_with_who_drives(tmp_path):
    process = holder(tmp_path)
    try:
        with (
            pytest.raises(WorkflowError, match=f"driven by process {process.pid} on .*status"),
            driving(tmp_path, "campaign"),
        ):
            pass
    finally:
        process.kill()
        process.wait()
    with driving(tmp_path, "campaign"):  # the dead one's lock is stale
        assert read_lock(tmp_path)["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_number_used_again_is_not_the_process_that_held_the_lock(tmp_path):
    with driving(tmp_path, "campaign"):
        lock = dict(read_lock(tmp_path))
    (tmp_path / LOCK).write_text(json.dumps(lock | {"started": "1", "token": "old"}))
    assert lives_here(read_lock(tmp_path)) is False
    with driving(tmp_path, "campaign"):
        pass


def test_where_processes_cannot_be_told_apart_the_counter_tells(tmp_path, monkeypatch):
    """As on macOS, where a number used again is not known from the process that held the lock."""
    monkeypatch.setattr(module, "_start_time", lambda _pid: None)
    with driving(tmp_path, "campaign"):
        lock = dict(read_lock(tmp_path))
    assert lives_here(lock) is None
    (tmp_path / LOCK).write_text(json.dumps(lock))
    with driving(tmp_path, "campaign", watch_s=0.3):
        assert read_lock(tmp_path)["token"] != lock["token"]


def test_another_machines_lock_is_stale_when_its_counter_stands(tmp_path):
    foreign(tmp_path)
    assert lives_here(read_lock(tmp_path)) is None
    with driving(tmp_path, "campaign", watch_s=0.3):
        assert read_lock(tmp_path)["host"] != "another"


def test_another_machines_driver_that_counts_is_left_alone(tmp_path):
    foreign(tmp_path)
    stop = threading.Event()

    def beat():
        count = 0
        while not stop.wait(0.05):
            count += 1
            foreign_lock = dict(read_lock(tmp_path)) | {"beat": count}
            (tmp_path / LOCK).write_text(json.dumps(foreign_lock).ljust(512))

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        with (
            pytest.raises(WorkflowError, match="on another"),
            driving(tmp_path, "campaign", watch_s=2),
        ):
            pass
    finally:
        stop.set()
        beating.join()


def test_a_damaged_lock_is_watched_and_then_taken(tmp_path):
    (tmp_path / LOCK).write_text("{half a lo")
    with driving(tmp_path, "campaign", watch_s=0.3):
        assert read_lock(tmp_path)["pid"] == os.getpid()


@pytest.mark.parametrize("dead", [{}, {"host": "another"}], ids=["here", "elsewhere"])
def test_of_many_that_find_a_dead_drivers_lock_at_once_one_drives(tmp_path, dead):
    won, lost, all_lost = [], [], threading.Event()

    def start():
        try:
            with driving(tmp_path, "campaign", watch_s=0.05):
                won.append(1)
                all_lost.wait(5)
        except WorkflowError:
            lost.append(1)
            if len(lost) == 7:
                all_lost.set()

    for attempt in range(20):
        with driving(tmp_path, "campaign"):
            lock = dict(read_lock(tmp_path))
        lock |= {"started": "1", "token": f"dead{attempt}"} | dead
        (tmp_path / LOCK).write_text(json.dumps(lock))
        won.clear(), lost.clear(), all_lost.clear()
        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_request_to_cancel_interrupts(tmp_path):

    def drive():
        with driving(tmp_path, "campaign"):
            (tmp_path / CANCEL).touch()
            time.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        drive()
    assert not (tmp_path / LOCK).exists()


@pytest.mark.usefixtures("quick")
def test_a_driver_that_was_taken_for_dead_stops(tmp_path):

    def drive():
        with driving(tmp_path, "campaign"):
            (tmp_path / LOCK).write_text(json.dumps({"token": "another"}))
            time.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        drive()
    assert read_lock(tmp_path) == {"token": "another"}  # and leaves the other's lock


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WorkflowError, match="cannot be written"),
        driving(tmp_path / "file" / "run", "campaign"),
    ):
        pass


def test_ctrl_c_leaves_no_lock(tmp_path):
    process = holder(tmp_path)
    process.send_signal(signal.SIGINT)
    process.wait()
    assert not (tmp_path / LOCK).exists()
