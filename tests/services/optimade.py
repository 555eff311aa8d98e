"""OPTIMADE's reference server, as it is installed, on the loopback, over structures in memory."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pymatgen.core import Structure

from results.optimade import optimade_lines


@contextmanager
def optimade_server(structures: Mapping[str, Structure], folder: Path) -> Iterator[str]:
    """Serve ``structures`` under their identifiers; the server's address."""
    made = datetime(2026, 1, 2, tzinfo=UTC)
    lines = optimade_lines((name, one, made, {}) for name, one in structures.items())
    (folder / "structures.jsonl").write_text("".join(lines))
    with served(folder / "structures.jsonl") as url:
        yield url


@contextmanager
def served(file: Path, own_fields: Sequence[Mapping[str, Any]] = ()) -> Iterator[str]:
    """Serve a file of OPTIMADE JSON lines, with the provider's own fields; the server's address."""
    pytest.importorskip("optimade.server", reason="no OPTIMADE server is installed")
    folder = file.parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    config = {
        "insert_from_jsonl": str(file),
        "database_backend": "mongomock",
        "insert_test_data": False,
        "base_url": url,
        "log_dir": str(folder),
        "provider": {"prefix": "lithiophile", "name": "tests", "description": "tests"},
        "provider_fields": {"structures": list(own_fields)},
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "uvicorn", "optimade.server.main:app", "--port", str(port)]
    environment = {**os.environ, "OPTIMADE_CONFIG_FILE": str(folder / "config.json")}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(600):
            if server.poll() is not None:
                pytest.fail((folder / "log").read_text())
            with suppress(OSError):
                requests.get(f"{url}/v1/info", timeout=10)
                break
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()
