"""The report over HTTP: current, on loopback only, and nothing else."""

import http.client
import re
import socket
import struct
import threading
import time
from contextlib import contextmanager

import pytest

from results.database import open_database
from screen.cli import main
from screen.errors import CampaignError
from screen.report_server import ReportServer
from tests.screen.chromium import EXECUTABLE, Chromium
from tests.screen.synthetic import collector


@contextmanager
def serving(path, **options):
    with ReportServer(str(path), 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(server, path, method="GET", host=None):
    address = server.server_address
    connection = http.client.HTTPConnection(*address, timeout=60)
    headers = {} if host is None else {"Host": host}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer, content


def test_gives_the_report_and_makes_it_anew_when_the_database_changes(filled):
    with serving(filled) as server:
        first, _ = get(server, "/")
        assert (first.status, first.headers["Location"]) == (302, "/synthetic/")
        answer, page = get(server, "/synthetic/")
        assert answer.status == 200
        assert "connect-src &#39;self&#39;" in page
        assert "Pt (111)" not in page
        _, state = get(server, "/synthetic/state")
        assert f'data-state="{state}"' in page
        assert get(server, "/synthetic/state")[1] == state
        with open_database(filled) as database:
            database.add_campaign("synthetic", {})
            database.add_candidates("synthetic", [collector("Pt")])
        _, later = get(server, "/synthetic/state")
        assert later != state
        _, again = get(server, "/synthetic/")
        assert "Pt (111)" in again
        assert f'data-state="{later}"' in again


def test_lists_several_campaigns_with_their_names_escaped(filled):
    with open_database(filled) as database:
        database.add_campaign("a<b>", {})
        database.add_candidates("a<b>", [collector("Cu", campaign="a<b>")])
    with serving(filled) as server:
        answer, page = get(server, "/")
        assert answer.status == 200
        assert "a&lt;b&gt;" in page
        assert "<b>" not in page
        assert get(server, "/a%3Cb%3E/")[0].status == 200
    with serving(filled, campaign="synthetic") as server:
        assert get(server, "/")[0].status == 302
        assert get(server, "/a%3Cb%3E/")[0].status == 404


@pytest.mark.parametrize(
    "path", ["/nothing/", "/synthetic", "/synthetic/../x", "/synthetic/results.db", "/%2e%2e/etc/"]
)
def test_gives_nothing_else(filled, path):
    with serving(filled) as server:
        assert get(server, path)[0].status == 404


def test_answers_only_to_its_own_name_and_only_to_reading(filled):
    with serving(filled) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert get(server, "/", host="evil.example")[0].status == 403
        assert get(server, "/", method="POST")[0].status == 501
        answer, content = get(server, "/synthetic/", method="HEAD")
        assert answer.status == 200
        assert content == ""


def test_a_browser_that_goes_away_leaves_no_traceback(filled, capfd):
    with serving(filled) as server:
        get(server, "/synthetic/state")
        with socket.create_connection(server.server_address[:2]) as browser:
            host = server.hosts[0]
            browser.sendall(f"GET /synthetic/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            browser.recv(1)
            # Closed with what is under way thrown away, and the server told so.
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        while any("process_request" in thread.name for thread in threading.enumerate()):
            time.sleep(0.01)
    assert capfd.readouterr().err == ""


def test_a_taken_port_is_one_line(filled):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CampaignError, match=f"--port = {port}: .*in use"):
            ReportServer(str(filled), port)
    with pytest.raises(CampaignError, match="--port = 99999"):
        ReportServer(str(filled), 99999)


def test_the_command_says_where_and_ends_with_ctrl_c(filled, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ReportServer, "serve_forever", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["report", "--serve", "--port", "0", "--db", str(filled)])
    assert ended.value.code == 0
    assert re.search(r"Serving http://127\.0\.0\.1:\d+/ ", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--campaign", "none"], "--campaign = 'none'"), (["--port", "99999"], "--port = 99999")],
)
def test_the_command_tells_what_is_wrong_before_it_serves(filled, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        main(["report", "--serve", "--port", "0", "--db", str(filled), *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(EXECUTABLE is None, reason="needs chromium, which is not installed")
def test_the_open_page_says_that_there_is_something_newer(filled, tmp_path):
    with serving(filled) as server, Chromium(tmp_path / "profile") as browser:
        browser.open(
            f"{server.url}synthetic/", "document.documentElement?.dataset.ready === 'true'"
        )
        hidden = "document.getElementById('newer').hidden"
        assert browser.evaluate(hidden) is True
        with open_database(filled) as database:
            database.add_campaign("synthetic", {})
            database.add_candidates("synthetic", [collector("Pt")])
        browser.evaluate("askForState().then(() => true)")
        assert browser.evaluate(hidden) is False
        assert [one for one in browser.problems if server.url not in one] == []
