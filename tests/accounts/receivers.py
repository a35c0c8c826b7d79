"""The other ends: a mail server and a gateway on loopback, which fail when they are told to."""

import asyncio
import email
import email.policy
import socket
import threading
import time
from dataclasses import replace
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from roadchief.config import Settings


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Mailbox:
    """`answers` are given in turn to RCPT or DATA, then all is taken."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.tried = 0
        self.at_rcpt: list[str] = []
        self.at_data: list[str] = []
        self.silent_after_data_s = 0.0
        self.rude_at_quit = False
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def port(self) -> int:
        return int(self._controller.port)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.tried += 1
        answer = self.at_rcpt.pop(0) if self.at_rcpt else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.at_data.pop(0) if self.at_data else "250 OK"
        if answer.startswith("2"):
            made = email.message_from_bytes(envelope.content, policy=email.policy.default)
            made["X-To"] = ",".join(envelope.rcpt_tos)
            self.letters.append(made)  # type: ignore[arg-type]
        await asyncio.sleep(self.silent_after_data_s)
        return answer

    async def handle_QUIT(self, _server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802
        return "421 go away" if self.rude_at_quit else "221 Bye"

    def open(self) -> None:
        self._controller.start()

    def close(self) -> None:
        self._controller.stop(no_assert=True)


class Gateway:
    """`answers` are statuses given in turn, then 200. A negative one: seconds of silence."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[float] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                found = {name.lower(): value for name, value in self.headers.items()}
                gateway.calls.append((found | {":path": self.path}, body))
                answer = gateway.answers.pop(0) if gateway.answers else 200
                if answer < 0:
                    time.sleep(-answer)
                    answer = 200
                try:
                    self.send_response(int(answer))
                    if int(answer) // 100 == 3:
                        self.send_header("Location", f"http://127.0.0.1:{gateway.port}/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, *_given: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify?app=1"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def posting_to(mailbox: Mailbox, settings: Settings) -> Settings:
    """With this mail server; people reach us by https."""
    return replace(
        settings,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_security="none",
        mail_from="lz@weifang.example.cn",
        public_url="https://lz.example.cn",
    )
