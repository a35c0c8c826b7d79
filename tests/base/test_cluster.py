"""The private cluster: made, found, killed, started again. A real one, in a folder of the test."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from roadchief import cluster, postmaster
from roadchief.errors import Unavailable


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        cluster.down(path)


def silent(_text: str) -> None:
    return None


def test_a_cluster_lives_through_a_second_start_a_kill_and_a_stop(root: Path) -> None:
    first = cluster.up(root, say=silent)
    assert cluster.up(root, say=silent) == first
    with psycopg.connect(first.app_url) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False)
    with psycopg.connect(first.superuser_url.rsplit("/", 1)[0] + "/roadchief") as connection:
        leakproof = connection.execute(
            "SELECT proleakproof FROM pg_proc "
            "WHERE oid = 'geometry_overlaps(geometry,geometry)'::regprocedure"
        ).fetchone()
        assert leakproof == (True,)
    postmaster = int((Path(first.data) / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    (root / "var" / "cluster.json").unlink()
    again = cluster.up(root, say=silent)  # a stale pid file and no address written down
    assert cluster.find(root) == again
    assert cluster.down(root)
    assert cluster.find(root) is None
    assert not cluster.down(root)


def test_secrets_are_private(root: Path) -> None:
    cluster.up(root, say=silent)
    for name in ("cluster.json", "secrets/database.json"):
        assert (root / "var" / name).stat().st_mode & 0o777 == 0o600
    secrets = json.loads((root / "var" / "secrets" / "database.json").read_text())
    assert all(len(password) >= 32 for password in secrets.values())


def test_a_half_made_cluster_is_made_again(root: Path) -> None:
    making = root / "var" / "pg" / "making"
    making.mkdir(parents=True)
    (making / "PG_VERSION").write_text("15")
    assert cluster.up(root, say=silent).port > 0


def test_a_missing_server_is_said_plainly(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_name: str) -> str:
        raise cluster.ClusterTrouble(reason="PostgreSQL 15 with PostGIS is missing")

    monkeypatch.setattr(cluster, "_tool", absent)
    with pytest.raises(Unavailable) as caught:
        cluster.up(root, say=silent)
    assert "PostGIS is missing" in caught.value.say("en")


def test_a_running_server_is_found_by_its_own_note(root: Path) -> None:
    """Killed before the address was written down: nobody's connection is cut for that."""
    first = cluster.up(root, say=silent)
    (root / "var" / "cluster.json").unlink()
    with psycopg.connect(first.superuser_url) as connection:
        assert cluster.up(root, say=silent) == first
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_backends_left_behind_by_a_kill_are_waited_for(root: Path) -> None:
    first = cluster.up(root, say=silent)
    with psycopg.connect(first.superuser_url) as connection:
        noted = postmaster.noted(Path(first.data))
        assert noted is not None
        os.kill(noted.pid, signal.SIGKILL)
        again = cluster.up(root, say=silent)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert cluster.find(root) == again


def test_a_pid_file_with_somebody_elses_number_harms_nobody(root: Path) -> None:
    """After a restart of the machine the number may be another checkout's server."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        other_root = Path(folder)
        other_root.chmod(0o755)
        other = cluster.up(other_root, say=silent)
        noted = postmaster.noted(Path(other.data))
        assert noted is not None
        first = cluster.up(root, say=silent)
        cluster.down(root)
        (Path(first.data) / "postmaster.pid").write_text(f"{noted.pid}\n{first.data}\n1\n1\n")
        assert not cluster.down(root)
        assert cluster.up(root, say=silent).data == first.data
        assert cluster.find(other_root) == other
        cluster.down(other_root)


def test_a_copied_checkout_gets_a_server_of_its_own(root: Path) -> None:
    first = cluster.up(root, say=silent)
    cluster.down(root)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        subprocess.run(["cp", "-a", str(root / "var"), str(copy)], check=True)
        again = cluster.up(root, say=silent)
        assert cluster.find(copy) is None
        second = cluster.up(copy, say=silent)
        assert (second.data, second.port) != (first.data, again.port)
        assert cluster.find(root) == again
        assert cluster.down(copy)


def test_lost_passwords_are_said_plainly(root: Path) -> None:
    cluster.up(root, say=silent)
    (root / "var" / "secrets" / "database.json").unlink()
    with pytest.raises(Unavailable) as caught:
        cluster.up(root, say=silent)
    assert "database.json" in caught.value.say("zh")
