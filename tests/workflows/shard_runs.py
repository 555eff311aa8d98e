"""What tests of shards share: stages in the background, and waiting for what they do."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

from tests.workflows.stub_potential import STUB, StubSettings
from workflows.settings import StoreSettings
from workflows.stages import run_stage

ROOT = str(Path(__file__).parents[2])


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def in_background(function, *arguments):
    """Run a stage in a thread, with this thread's contexts; its result or error is kept."""
    kept = {}

    def call():
        try:
            kept["result"] = function(*arguments)
        except BaseException as error:
            kept["error"] = error

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        yield kept
    finally:  # or it would go on in the environment of the next test
        thread.join(90)
    assert not thread.is_alive()


def reference(what):
    return [
        document.energy_ev
        for document in run_stage("here", STUB, {}, what, StubSettings(), StoreSettings())
    ]
