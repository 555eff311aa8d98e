"""The report served on this machine's loopback over a live database; nothing outside reaches it."""

import hashlib
import html
import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from results.database import Database, open_database
from screen.errors import CampaignError
from screen.report import report_html
from screen.stored import load_campaign

HOST = "127.0.0.1"


class ReportServer(ThreadingHTTPServer):
    """Serves the report of every campaign of a database, made anew when the database has changed.

    ``/`` goes to the campaign, or lists them where there are several; ``/NAME/`` is a report and
    ``/NAME/state`` a text that changes with the database, for which the page asks now and then.

    Args:
        location: path or URL of the database.
        port: to listen on; 0 takes a free one.
        campaign: serve only this one; None for all.
        potential: as in `screen.stored.load_campaign`.

    Raises:
        CampaignError: the port is taken or may not be used.
    """

    daemon_threads = True

    def __init__(
        self,
        location: str,
        port: int,
        campaign: str | None = None,
        potential: str | None = None,
    ) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CampaignError(
                f"--port = {port}: {reason.lower()}; give another, or 0 for any that is free"
            ) from error
        self._location = location
        self._campaign = campaign
        self._potential = potential
        self._pages: dict[str, tuple[str, str]] = {}
        self._making = Lock()

    @property
    def url(self) -> str:
        """Where the reports are."""
        return f"http://{HOST}:{self.server_address[1]}/"

    @property
    def hosts(self) -> tuple[str, str]:
        """What a request's Host may say; another name that leads here is some page's trick."""
        port = self.server_address[1]
        return f"{HOST}:{port}", f"localhost:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """One line for what went wrong; nothing where a browser went away before its page came."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            print(f"Error: {type(error).__name__}: {error}", file=sys.stderr)

    def campaigns(self) -> list[str]:
        """Names of the campaigns served."""
        with open_database(self._location, must_exist=True) as database:
            known = database.campaign_names()
        return [name for name in known if self._campaign in (None, name)]

    def state(self) -> str:
        """What changes when the database's campaigns or candidates do."""
        with open_database(self._location, must_exist=True) as database:
            return _state(database)

    def page(self, campaign: str) -> str:
        """The report of a campaign as the database is now.

        Raises:
            CampaignError: no such campaign, or it has no results yet.
        """
        with self._making, open_database(self._location, must_exist=True) as database:
            state = _state(database)
            known, page = self._pages.get(campaign, ("", ""))
            if known != state:
                stored = load_campaign(database, campaign, self._potential)
                page = report_html(stored, database, watch=state)
                self._pages[campaign] = state, page
            return page


def _state(database: Database) -> str:
    (row,) = database.sql("SELECT count(*) AS n, max(created_at) AS newest FROM candidates").rows
    content = json.dumps([row["n"], str(row["newest"]), database.campaigns()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    protocol_version = "HTTP/1.1"
    server_version = "lithiophile"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", "Ask for 127.0.0.1.\n")
            return
        try:
            self._route([unquote(part) for part in urlsplit(self.path).path.split("/")[1:]])
        except ValueError as error:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", f"{error}\n")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _route(self, parts: list[str]) -> None:
        campaigns = self.server.campaigns()
        if parts == [""]:
            if len(campaigns) == 1:
                self.send_response(HTTPStatus.FOUND)
                self.send_header("Location", f"/{quote(campaigns[0], safe='')}/")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(HTTPStatus.OK, "text/html", _index(campaigns))
            return
        pages: dict[str, tuple[str, Callable[[], str]]] = {
            "": ("text/html", lambda: self.server.page(parts[0])),
            "state": ("text/plain", self.server.state),
        }
        if len(parts) != 2 or parts[0] not in campaigns or parts[1] not in pages:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", "No such page; start at /\n")
            return
        kind, make = pages[parts[1]]
        self._answer(HTTPStatus.OK, kind, make())

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for what matters."""


def _index(campaigns: list[str]) -> str:
    items = "".join(
        f'<li><a href="/{quote(name, safe="")}/">{html.escape(name)}</a></li>' for name in campaigns
    )
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>lithiophile</title>'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        '<body style="font: 1rem/1.5 system-ui, sans-serif; margin: 2rem">'
        f"<h1>Campaigns</h1><ul>{items}</ul></body></html>"
    )
