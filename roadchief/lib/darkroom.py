"""The darkroom: files of strangers are opened in processes that can do nothing else.

A lane is one helper process (developing.py, run by itself with an empty environment). It has the
decoders loaded and forks once for every photo, so that each photo gets a fresh process with limits
of its own: memory, processor time, wall time, and no file or socket can be opened in it. What a
file breaks, it breaks for itself. Measured: a tiny photo takes 4 ms so;
starting an interpreter with its decoders alone would take 95 ms.
"""

import atexit
import contextlib
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

HELPER = Path(__file__).with_name("developing.py")
LANES = max(2, min(4, os.cpu_count() or 2))
QUEUE_S = 15  # how long a photo waits for a free lane
FRAME = struct.Struct(">II")  # lengths of the header (JSON) and of the body
MOST_ANSWER = 64 * 1024 * 1024


class Overrun(Exception):
    """The photo took more memory or time than it may."""


class Crash(Exception):
    """The decoder died over this photo."""


class Busy(Exception):
    """No lane became free in time."""


class Lane:
    """One helper process and the pipe to it; started when first asked, again after a fault."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, header: bytes, body: bytes, deadline: float) -> tuple[bytes, bytes]:
        process = self._running()
        try:
            _send(process, FRAME.pack(len(header), len(body)) + header + body, deadline)
            lengths = FRAME.unpack(_receive(process, FRAME.size, deadline))
            if sum(lengths) > MOST_ANSWER:
                raise Crash
            answer = _receive(process, sum(lengths), deadline)
        except BaseException:
            self.close()  # whatever is still in the pipe belongs to nobody
            raise
        return answer[: lengths[0]], answer[lengths[0] :]

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        process.wait()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(HELPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},  # none of our settings or secrets
            cwd="/",
            start_new_session=True,  # a group of its own, so that one signal ends all of it
            bufsize=0,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        return self._process


class Darkroom:
    """A few lanes, shared by the threads of this process."""

    def __init__(self, lanes: int = LANES) -> None:
        self._lanes = [Lane() for _ in range(lanes)]
        self._free: queue.LifoQueue[Lane] = queue.LifoQueue()
        for lane in self._lanes:
            self._free.put(lane)

    def work(self, header: bytes, body: bytes, *, within_s: float) -> tuple[bytes, bytes]:
        try:
            lane = self._free.get(timeout=QUEUE_S)
        except queue.Empty as error:
            raise Busy from error
        try:
            return lane.ask(header, body, time.monotonic() + within_s)
        finally:
            self._free.put(lane)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()


_rooms: dict[int, Darkroom] = {}
_lock = threading.Lock()


def work(order: dict[str, Any], data: bytes, *, within_s: float) -> tuple[dict[str, Any], bytes]:
    """Have `order` done with `data`. Raises Overrun, Crash or Busy."""
    answer, body = _room().work(json.dumps(order).encode(), data, within_s=within_s)
    said: dict[str, Any] = json.loads(answer)
    if "died" in said:
        raise Overrun if said["died"] == "overrun" else Crash
    return said, body


def _room() -> Darkroom:
    """This process's own: a fork must not share the pipes of its parent."""
    with _lock:
        if os.getpid() not in _rooms:
            _rooms.clear()
            _rooms[os.getpid()] = Darkroom()
            atexit.register(_close, os.getpid())
        return _rooms[os.getpid()]


def _close(process_id: int) -> None:
    room = _rooms.pop(process_id, None)
    if room and process_id == os.getpid():
        room.close()


def _send(process: "subprocess.Popen[bytes]", data: bytes, deadline: float) -> None:
    number, left = process.stdin.fileno(), memoryview(data)  # type: ignore[union-attr]
    while left:
        if not select.select([], [number], [], max(0.0, deadline - time.monotonic()))[1]:
            raise Overrun
        try:
            left = left[os.write(number, left) :]
        except BlockingIOError:
            continue
        except BrokenPipeError as error:
            raise Crash from error


def _receive(process: "subprocess.Popen[bytes]", length: int, deadline: float) -> bytes:
    number, parts = process.stdout.fileno(), []  # type: ignore[union-attr]
    while length:
        if not select.select([number], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Overrun
        try:
            part = os.read(number, min(length, 1 << 20))
        except BlockingIOError:
            continue
        if not part:
            raise Crash
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
