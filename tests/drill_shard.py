"""A shard as in `workflows.shard` that also logs every system whose result is on the disk."""

import os
import sys
import uuid
from pathlib import Path

from results.spool import Spool
from workflows.shard import main

_append = Spool.append


def _append_and_log(self, document):
    _append(self, document)
    name = f"{document.fingerprint[:16]}-{uuid.uuid4().hex[:8]}"
    (Path(os.environ["DRILL_LOG"]) / name).touch()


Spool.append = _append_and_log

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
