import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentials.cache import cache_folder, pinned_hashes, sha256_of
from potentials.download import fetched_weights, verified_weights, weights_path
from potentials.errors import PotentialError
from potentials.registry import RegistryEntry, entry


def checkpoint(seed: int = 0, size: int = 2_000_000) -> bytes:
    """What a torch checkpoint looks like from outside: a zip with a data.pkl."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("model/data.pkl", np.random.default_rng(seed).bytes(size))
    return content.getvalue()


class Server(ThreadingHTTPServer):
    """Serves ``content``; breaks off, refuses or lies as told."""

    content = b""
    kind = "application/octet-stream"
    status = 200
    break_after: list[int] = []  # noqa: RUF012  (bytes of each answer to come)
    ignores_ranges = False
    ranges: list[str | None] = []  # noqa: RUF012


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.ranges.append(asked)
        start = 0
        if asked and not server.ignores_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if start else server.status)
        self.send_header("Content-Type", server.kind)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.break_after.pop(0)] if server.break_after else body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server(("127.0.0.1", 0), Handler)
    served.content, served.break_after, served.ranges = checkpoint(), [], []
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def published(server: Server) -> RegistryEntry:
    host, port = server.server_address[:2]
    url = f"http://{host!s}:{port}/some.model"
    return replace(entry("mace-mp-0-small"), name="served", url=url)


def parts_left() -> list[str]:
    return [path.name for path in cache_folder().rglob("*.part")]


def test_complete(server: Server, published: RegistryEntry, own_cache: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    said: list[str] = []
    path = fetched_weights(
        published, progress=lambda done, total: seen.append((done, total)), announce=said.append
    )
    assert path == own_cache / "potentials" / "served.model"
    assert path.read_bytes() == server.content
    assert seen[-1] == (len(server.content), len(server.content))
    assert len(seen) > 2
    assert pinned_hashes() == {"served": sha256_of(path)}
    assert said == []
    assert parts_left() == []
    fetched_weights(published)
    assert len(server.ranges) == 1  # from the cache the second time


def test_truncated_goes_on_by_itself(server: Server, published: RegistryEntry) -> None:
    server.break_after = [700_000, 600_000]
    path = fetched_weights(published)
    assert path.read_bytes() == server.content
    starts = [int(asked.strip("bytes=-")) for asked in server.ranges if asked]
    assert len(server.ranges) == 3
    assert 400_000 < starts[0] <= 700_000 < starts[1] <= 1_300_000


def test_truncated_again_and_again_goes_on_at_the_next_call(
    server: Server, published: RegistryEntry
) -> None:
    server.break_after = [500_000, 10, 10]
    with pytest.raises(PotentialError, match="broke off 3 times; run it again"):
        fetched_weights(published)
    assert not weights_path(published).exists()
    assert fetched_weights(published).read_bytes() == server.content
    assert server.ranges[-1] not in (None, "bytes=0-")


def test_server_without_ranges_starts_again(server: Server, published: RegistryEntry) -> None:
    server.break_after, server.ignores_ranges = [900_000], True
    assert fetched_weights(published).read_bytes() == server.content


def test_leftover_longer_than_the_file_is_dropped(server: Server, published: RegistryEntry) -> None:
    partial = weights_path(published).with_name("served.model.part")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * (len(server.content) + 5))
    assert fetched_weights(published).read_bytes() == server.content


def test_leftover_of_another_file_is_noticed(server: Server, published: RegistryEntry) -> None:
    partial = weights_path(published).with_name("served.model.part")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(checkpoint(seed=9)[:1_000_000])
    with pytest.raises(PotentialError, match="not a whole torch checkpoint"):
        fetched_weights(published)
    assert parts_left() == []
    assert fetched_weights(published).read_bytes() == server.content


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("text/html; charset=utf-8", b"<html>sign in</html>" * 100, "sent text/html"),
        ("application/octet-stream", b"<!DOCTYPE html>" * 100, "is a web page, not a torch"),
        ("application/octet-stream", b"\x00" * 4096, "not a torch checkpoint"),
        ("application/octet-stream", b"", "not a torch checkpoint"),
        ("application/zip", checkpoint()[:-200_000], "not a whole torch checkpoint"),
    ],
)
def test_wrong_content(
    server: Server, published: RegistryEntry, kind: str, content: bytes, says: str
) -> None:
    server.kind, server.content = kind, content
    with pytest.raises(PotentialError, match=says) as raised:
        fetched_weights(published)
    assert "\n" not in str(raised.value)
    assert not weights_path(published).exists()
    assert parts_left() == []
    assert pinned_hashes() == {}


def test_refused_names_the_file_and_its_place(server: Server, published: RegistryEntry) -> None:
    server.status = 404
    with pytest.raises(PotentialError, match="answered 404") as raised:
        fetched_weights(published)
    assert f"place the file from {published.url} at {weights_path(published)}" in str(raised.value)


def test_no_network_names_the_file_and_its_place(published: RegistryEntry) -> None:
    dead = replace(published, url="http://127.0.0.1:9/some.model")
    with pytest.raises(PotentialError, match="cannot be reached") as raised:
        fetched_weights(dead)
    assert f"place the file from {dead.url} at {weights_path(dead)}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_academic_licence_is_said_before_the_first_download_only(
    server: Server, published: RegistryEntry
) -> None:
    academic = replace(published, academic_only=True, licence="ASL")
    said: list[tuple[str, int]] = []
    for _ in range(2):
        fetched_weights(academic, announce=lambda line: said.append((line, len(server.ranges))))
    assert len(said) == 1
    assert said[0][1] == 0
    assert "academic use only" in said[0][0]


def test_file_that_changed_on_disk(published: RegistryEntry) -> None:
    path = fetched_weights(published)
    assert verified_weights(published) == sha256_of(path)
    path.write_bytes(checkpoint(seed=1))
    with pytest.raises(PotentialError, match="at first use it was") as raised:
        verified_weights(published)
    assert str(path) in str(raised.value)
    assert "delete the file and fetch it again" in str(raised.value)


def test_file_that_changed_on_the_server(server: Server, published: RegistryEntry) -> None:
    path = fetched_weights(published)
    first = sha256_of(path)
    path.unlink()
    server.content = checkpoint(seed=1)
    with pytest.raises(PotentialError, match="at first use it was"):
        fetched_weights(published)
    assert not path.exists()
    assert pinned_hashes() == {"served": first}


def test_nothing_to_verify_before_the_first_fetch(published: RegistryEntry) -> None:
    with pytest.raises(PotentialError, match="lithiophile potentials fetch served"):
        verified_weights(published)


def test_cache_that_cannot_be_written(
    published: RegistryEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(tmp_path / "file" / "inside"))
    with pytest.raises(PotentialError, match="set LITHIOPHILE_CACHE"):
        fetched_weights(published)


def test_default_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LITHIOPHILE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "lithiophile"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "lithiophile"


def test_damaged_list_of_hashes_says_which_file(published: RegistryEntry) -> None:
    path = fetched_weights(published)
    pins = path.with_name("sha256.json")
    assert json.loads(pins.read_text()) == {"served": sha256_of(path)}
    pins.write_text("{")
    with pytest.raises(PotentialError, match=r"sha256\.json cannot be read"):
        verified_weights(published)
