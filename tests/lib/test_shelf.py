"""A file is whole or absent, and the sweep never takes what somebody is just putting there."""

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from roadchief.lib.shelf import Shelf

NAME = "ab" + "0" * 62 + ".jpg"
STEM = NAME[:64]


def nobody(_prefix: str) -> set[str]:
    return set()


def age(path: Path, *, by_s: int) -> None:
    then = time.time() - by_s
    os.utime(path, (then, then))


def test_what_is_put_is_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "a" / "b")
    shelf.put({NAME: b"one", STEM + "-thumb.jpg": b"two"})
    assert shelf.path(NAME).read_bytes() == b"one"
    assert sorted(os.listdir(tmp_path / "a" / "b" / "ab")) == [STEM + "-thumb.jpg", NAME]


def test_files_reach_the_disk_before_they_get_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(number: int) -> None:
        acts.append("folder" if Path(f"/proc/self/fd/{number}").resolve().is_dir() else "file")
        real_sync(number)

    def rename(source: Any, target: Any) -> None:
        acts.append("rename")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    Shelf(tmp_path).put({NAME: b"one"})
    assert acts[:3] == ["file", "rename", "folder"]
    assert set(acts[3:]) == {"folder"}


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space"):
        Shelf(tmp_path).put({NAME: b"one"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_sweep_takes_what_is_old_and_unwanted(tmp_path: Path) -> None:
    shelf, other = Shelf(tmp_path), "ab" + "1" * 62 + ".jpg"
    young = "cd" + "2" * 62 + ".jpg"
    for name in (NAME, other, young):
        shelf.put({name: b"x"})
    half = shelf.path(f"{NAME}-0000.part")
    half.write_bytes(b"half")
    for path in (shelf.path(NAME), shelf.path(other), half):
        age(path, by_s=5000)
    gone = shelf.sweep(lambda prefix: {STEM} if prefix == "ab" else set(), before=time.time() - 60)
    assert sorted(gone) == sorted([other, half.name])
    assert shelf.path(NAME).exists()
    assert shelf.path(young).exists()


def test_putting_again_makes_a_file_young(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put({NAME: b"x"})
    age(shelf.path(NAME), by_s=5000)
    shelf.put({NAME: b"x"})
    assert shelf.sweep(nobody, before=time.time() - 60) == []


def test_a_sweep_and_a_put_wait_for_each_other(tmp_path: Path) -> None:
    """The put comes while the sweep has decided: it waits, and its file stays."""
    shelf = Shelf(tmp_path)
    shelf.put({NAME: b"old"})
    age(shelf.path(NAME), by_s=5000)
    inside, thread = threading.Event(), None

    def asked(_prefix: str) -> set[str]:
        nonlocal thread
        thread = threading.Thread(target=lambda: shelf.put({NAME: b"new"}))
        thread.start()
        inside.wait(0.3)  # long enough for a put that does not wait
        return set()

    assert shelf.sweep(asked, before=time.time() - 60) == [NAME]
    assert thread is not None
    thread.join()
    assert shelf.path(NAME).read_bytes() == b"new"
