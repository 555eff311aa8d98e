import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from results.errors import ResultsError
from results.spool import Spool
from tests.results.samples import fingerprint, path, relaxed


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "shard" / "spool.jsonl")


def by_fingerprint(*documents):
    return {document.fingerprint: document for document in documents}


def test_nothing_is_there_before_the_first_system(spool):
    assert spool.load() == {}
    assert not spool.path.parent.exists()


def test_finished_systems_come_back(spool):
    documents = [relaxed(1), path(2), relaxed(3, converged=False, failure="out of steps")]
    for number, document in enumerate(documents, start=1):
        spool.append(document)
        assert Spool(spool.path).load() == by_fingerprint(*documents[:number])


def test_each_line_is_json_that_others_can_read(spool):
    spool.append(relaxed(1))
    line = json.loads(spool.path.read_text())
    assert line["document"]["fingerprint"] == fingerprint(1)


def test_of_a_system_written_twice_the_last_counts(spool):
    failed, mended = relaxed(1, converged=False, failure="out of memory"), relaxed(1)
    spool.append(failed)
    spool.append(mended)
    assert spool.load() == by_fingerprint(mended)


@pytest.mark.parametrize("n_left", [1, 30, 200, 1000])
def test_a_torn_last_line_is_skipped_and_the_next_one_kept(spool, n_left):
    spool.append(relaxed(1))
    size = spool.path.stat().st_size
    spool.append(relaxed(2))
    os.truncate(spool.path, size + n_left)
    with pytest.warns(UserWarning, match="line 2: torn or damaged; skipped"):
        assert spool.load() == by_fingerprint(relaxed_again(spool, 1))
    spool.append(relaxed(3))
    with pytest.warns(UserWarning, match="line 2"):
        assert spool.load().keys() == {fingerprint(1), fingerprint(3)}


def relaxed_again(spool, seed):
    with warnings.catch_warnings(action="ignore"):
        return spool.load()[fingerprint(seed)]


@pytest.mark.parametrize("place", [0.02, 0.05, 0.5, 0.999])
def test_a_flipped_bit_anywhere_is_noticed(spool, place):
    for seed in (1, 2):
        spool.append(relaxed(seed))
    content = bytearray(spool.path.read_bytes())
    content[int(place * len(content) / 2)] ^= 1
    spool.path.write_bytes(content)
    with pytest.warns(UserWarning, match="line 1: torn or damaged"):
        assert spool.load().keys() == {fingerprint(2)}


def test_a_whole_line_of_another_kind_is_noticed(spool):
    spool.path.parent.mkdir()
    spool.path.write_bytes(b"\0" * 512 + b"\n" + b"{}\n")
    with pytest.warns(UserWarning, match="torn or damaged") as caught:
        assert spool.load() == {}
    assert len(caught) == 2


WRITER = """
import sys
from results.spool import Spool
from tests.results.samples import relaxed
spool = Spool(sys.argv[1])
for seed in range(100000):
    spool.append(relaxed(seed))
    print(seed, flush=True)
"""


@pytest.mark.parametrize("kill_after", [2, 25])
def test_a_kill_loses_at_most_the_unfinished_system(spool, kill_after):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(spool.path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    acknowledged = [int(writer.stdout.readline()) for _ in range(kill_after)]
    time.sleep(0.0007 * kill_after)
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].split()]
    with warnings.catch_warnings(action="ignore"):
        kept = spool.load()
    assert {fingerprint(seed) for seed in acknowledged} <= kept.keys()
    assert len(kept) <= len(acknowledged) + 1


def test_a_full_disk_is_a_one_line_error_and_loses_nothing_before(spool):
    spool.append(relaxed(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (spool.path.stat().st_size + 100, limits[1]))
        with pytest.raises(ResultsError, match="free the disk") as refusal:
            spool.append(relaxed(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(refusal.value)
    spool.append(relaxed(3))
    with pytest.warns(UserWarning, match="line 2"):
        assert spool.load().keys() == {fingerprint(1), fingerprint(3)}


@pytest.mark.parametrize("place", ["file/spool.jsonl", "."])
def test_a_place_that_cannot_be_written_is_a_one_line_error(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="spool: cannot write"):
        Spool(tmp_path / place).append(relaxed(1))
    with pytest.raises(ResultsError, match="spool: cannot read"):
        Spool(tmp_path / place).load()
