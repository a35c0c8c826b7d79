"""The private cluster: made, found, killed, started again. A real one, in a folder of the test."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from roadchief import cluster
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
