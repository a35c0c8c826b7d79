"""A shelf of files named by their content: written once, durable before anybody is told.

`<root>/<aa>/<name>` where `aa` are the first two characters of the name. A file is complete or
absent: it is written under another name, flushed to the disk, renamed, and the folder is flushed.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".part"
STEM = 64  # characters of a SHA-256


class Shelf:
    """One folder of files that may grow to millions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        return self.root / name[:2] / name

    def put(self, files: dict[str, bytes]) -> None:
        """All of them, durable on return. The names share their beginning, so one folder."""
        folder = self.path(next(iter(files))).parent
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        with _held(folder, fcntl.LOCK_SH) as number:
            for name, data in files.items():
                self._write(folder / name, data)
            os.fsync(number)
        for above in list(folder.parents)[: 3 if new else 1]:
            _flush(above)

    def sweep(self, wanted: Callable[[str], set[str]], *, before: float) -> list[str]:
        """Remove files last written before `before` (epoch) that nobody wants; their names.

        `wanted(aa)` gives the stems in use of one folder. The folder is locked meanwhile against
        `put`, which renews a file's age: one that is being asked for again is young and stays,
        though its row is not committed yet.
        """
        gone = []
        for folder in self._folders():
            with _held(folder, fcntl.LOCK_EX):
                used = wanted(folder.name)
                for path in list(folder.iterdir()):
                    kept = path.name[:STEM] in used and not path.name.endswith(UNFINISHED)
                    if not kept and path.stat().st_mtime < before:
                        path.unlink()
                        gone.append(path.name)
        return gone

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.root.glob("??") if path.is_dir())

    def _write(self, path: Path, data: bytes) -> None:
        unfinished = path.with_name(f"{path.name}-{secrets.token_hex(8)}{UNFINISHED}")
        try:
            with open(unfinished, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise


@contextmanager
def _held(folder: Path, how: int) -> Iterator[int]:
    """The folder, locked: many may write at once, but not while it is swept."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, how)
        yield number
    finally:
        os.close(number)


def _flush(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
