"""A bad wire: a small TCP proxy that cuts, holds, resets and swallows answers on command."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK = 65536
PORTAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    b"<html><title>Free Wi-Fi</title><body>Please sign in</body></html>"
)


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `kind`: `lose` lets the request through, waits for the whole answer and drops it, so that the
    act is committed and nobody knows; `cut` lets the headers and `after` bytes of the body through
    and closes; `reset` does so with a TCP reset; `hold` keeps the answer back for `seconds`;
    `portal` answers 200 with a page of its own.
    """

    kind: str
    after: int = 0
    seconds: float = 0.0


Rule = Callable[[str], Fault | None]


@dataclass
class Wire:
    """Listens on `port`, passes on to `target`. `rule` is asked with the request line."""

    target: int
    port: int = 0
    rule: Rule = lambda _line: None
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = _head(client)
            if not head:
                return
            line = head.split(b"\r\n", 1)[0].decode("latin-1")
            self.seen.append(line)
            fault = self.rule(line)
            if fault:
                self.faults.append(f"{fault.kind} {line}")
            if fault and fault.kind == "portal":
                client.sendall(PORTAL)
                return
            with socket.create_connection(("127.0.0.1", self.target), timeout=60) as server:
                self._exchange(client, server, _closing(head), fault)

    def _exchange(
        self, client: socket.socket, server: socket.socket, head: bytes, fault: Fault | None
    ) -> None:
        if fault and fault.kind in {"cut", "reset"}:
            whole = head + _rest(client, head)
            # From the end of the headers: some of the body may have come together with them.
            begins = whole.index(b"\r\n\r\n") + 4
            server.sendall(whole[: begins + fault.after])
            if fault.kind == "reset":
                linger = struct.pack("ii", 1, 0)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        server.sendall(head + _rest(client, head))
        answer = b""
        while chunk := server.recv(CHUNK):
            answer += chunk
        if fault and fault.kind == "lose":
            return
        if fault and fault.kind == "hold":
            time.sleep(fault.seconds)
        client.sendall(answer)


def _head(client: socket.socket) -> bytes:
    """Everything up to the end of the headers, and what came with it."""
    client.settimeout(60)
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(CHUNK)
        if not chunk:
            return b""
        data += chunk
    return data


def _rest(client: socket.socket, head: bytes) -> bytes:
    """The part of the body that has not come yet, by Content-Length."""
    headers, _, began = head.partition(b"\r\n\r\n")
    length = 0
    for line in headers.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    rest = b""
    while len(began) + len(rest) < length:
        chunk = client.recv(CHUNK)
        if not chunk:
            break
        rest += chunk
    return rest


def _closing(head: bytes) -> bytes:
    """One request a connection, so that each can have a fate of its own."""
    lines, _, body = head.partition(b"\r\n\r\n")
    kept = [line for line in lines.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n" + body
