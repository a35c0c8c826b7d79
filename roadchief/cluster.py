"""The private PostgreSQL cluster of this checkout: made, started, found again, stopped.

PostgreSQL refuses to run as root, so as root it runs as the `postgres` account of the Debian
package. Where that account cannot enter the checkout, the data lie under /var/lib/roadchief.
What was decided is written to var/cluster.json, which config.py reads.
"""

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from roadchief import postmaster
from roadchief.errors import Unavailable

ACCOUNT = "postgres"
ELSEWHERE = Path("/var/lib/roadchief")
EXTENSIONS = ("postgis", "pg_trgm", "btree_gist")
SOCKET_PATH_LIMIT = 100  # bytes; the system's limit is 107 with the socket's own name
START_WAIT_S = 30
Say = Callable[[str], None]


class ClusterTrouble(Unavailable):
    zh = "数据库无法启动：{reason}"
    en = "The database cannot be started: {reason}"


class StrangePasswords(ClusterTrouble):
    zh = "{secrets} 里的密码不是数据库 {data} 的：请放回原来的文件，或把数据移走后重新建立"
    en = (
        "the passwords in {secrets} are not those of the database in {data}: "
        "put the former file back, or move the data away to begin anew"
    )


@dataclass(frozen=True)
class Cluster:
    """Where a running cluster is, and the addresses of its three roles."""

    data: str
    port: int
    superuser_url: str
    owner_url: str
    app_url: str


def up(root: Path, say: Say) -> Cluster:
    """Start the cluster of this checkout, making it first; a running one is found and kept."""
    var = root / "var"
    var.mkdir(exist_ok=True)
    with _one_at_a_time(var):
        data = _home(var) / "data"
        passwords = _passwords(var / "secrets")
        if not (data / "PG_VERSION").exists():
            say("making the database cluster")
            _make(data, passwords["postgres"])
        try:
            cluster = _running(data, passwords)
            if cluster is None:
                say("starting the database")
                cluster = _start(data, passwords)
            if cluster != _known(var):
                _write_private(var / "cluster.json", json.dumps(asdict(cluster), indent=1))
            _furnish(cluster, passwords)
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            raise StrangePasswords(secrets=var / "secrets" / "database.json", data=data) from error
        return cluster


def down(root: Path) -> bool:
    """Stop the cluster; False when none was running."""
    data = _home(root / "var") / "data"
    if not postmaster.runs(data):
        return False
    done = _run_as_account([_tool("pg_ctl"), "-D", str(data), "-m", "fast", "-w", "stop"])
    return done.returncode == 0


def find(root: Path) -> Cluster | None:
    """The running cluster of this checkout, if there is one."""
    cluster = _known(root / "var")
    # A checkout that was copied brings the address of the former one's database along.
    ours = cluster is not None and cluster.data == str(_home(root / "var") / "data")
    return cluster if cluster and ours and _answers(cluster) else None


def mark_leakproof(url: str) -> None:
    """Let spatial indexes work under row-level security (DESIGN §2). Lost by upgrades."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF")


@contextmanager
def _one_at_a_time(var: Path) -> Iterator[None]:
    with (var / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _known(var: Path) -> Cluster | None:
    try:
        return Cluster(**json.loads((var / "cluster.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _running(data: Path, passwords: dict[str, str]) -> Cluster | None:
    """The server that works in `data`, by its own note; on a busy machine it answers late."""
    until = time.monotonic() + START_WAIT_S
    while postmaster.runs(data) and time.monotonic() < until:
        noted = postmaster.noted(data)
        if noted is not None and noted.port:
            cluster = _at(data, noted.port, passwords)
            try:
                with psycopg.connect(cluster.superuser_url, connect_timeout=5):
                    return cluster
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise
        time.sleep(0.2)
    return None


def _answers(cluster: Cluster) -> bool:
    try:
        with psycopg.connect(cluster.superuser_url, connect_timeout=3) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            return row is not None and bool(row[0] == cluster.data)
    except psycopg.Error:
        return False


def _home(var: Path) -> Path:
    """Under var/, or elsewhere when the database account cannot enter there."""
    inside = var / "pg"
    if os.geteuid() != 0 or _may_enter(var):
        return inside
    name = hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:16]
    return ELSEWHERE / name


def _may_enter(folder: Path) -> bool:
    done = _run_as_account(["test", "-x", str(folder.resolve())])
    return done.returncode == 0


def _make(data: Path, password: str) -> None:
    """initdb beside the final place, then a rename: a killed attempt leaves nothing half made."""
    making = data.with_name("making")
    shutil.rmtree(making, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    _give(data.parent)
    password_file = data.parent / "password"
    _write_private(password_file, password)
    _give(password_file)
    done = _run_as_account(
        [
            *(_tool("initdb"), "-D", str(making), "-U", "postgres", "--encoding=UTF8"),
            # Texts sort by their bytes, which is the same order and much cheaper to keep.
            *("--locale=C.UTF-8", "--lc-collate=C"),
            *("--data-checksums", "--auth=scram-sha-256"),
            f"--pwfile={password_file}",
        ]
    )
    password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ClusterTrouble(reason=_last_line(done.stdout))
    with (making / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(_configuration())
    making.rename(data)


def _configuration() -> str:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return (
        f"shared_buffers = {max(64, min(1024, memory_mb // 8))}MB\n"
        f"effective_cache_size = {max(256, memory_mb // 2)}MB\n"
        "listen_addresses = '127.0.0.1'\nmax_connections = 100\nwork_mem = 16MB\n"
        "maintenance_work_mem = 256MB\nwal_compression = on\nmax_wal_size = 2GB\njit = off\n"
        "log_min_duration_statement = 2000\nlc_messages = 'C'\ntimezone = 'UTC'\n"
    )


def _start(data: Path, passwords: dict[str, str]) -> Cluster:
    _clear_the_way(data)
    port = _free_port()
    sockets = (
        data.parent if len(str(data.parent)) < SOCKET_PATH_LIMIT else Path(tempfile.gettempdir())
    )
    options = f"-p {port} -k {sockets}"
    log = data.parent / "log"
    command = [_tool("pg_ctl"), "-D", str(data), "-l", str(log), "-o", options]
    done = _run_as_account([*command, "-w", "-t", str(START_WAIT_S), "start"])
    if done.returncode != 0:
        raise ClusterTrouble(
            reason=f"{postmaster.complaint(log) or _last_line(done.stdout)} ({log})"
        )

    return _at(data, port, passwords)


def _at(data: Path, port: int, passwords: dict[str, str]) -> Cluster:
    def address(role: str, database: str) -> str:
        return f"postgresql://{role}:{passwords[role]}@127.0.0.1:{port}/{database}"

    return Cluster(
        data=str(data),
        port=port,
        superuser_url=address("postgres", "postgres"),
        owner_url=address("roadchief", "roadchief"),
        app_url=address("roadchief_app", "roadchief"),
    )


def _clear_the_way(data: Path) -> None:
    """After a kill: a server whose address is not known is stopped, what it left behind waited for.

    A pid file of a crash is PostgreSQL's own business. But where its number is by now another
    process's (after a restart of the machine, or in a copied checkout, another checkout's server)
    PostgreSQL would believe it, and `pg_ctl stop` would stop that one.
    """
    noted, until = postmaster.noted(data), time.monotonic() + START_WAIT_S
    while there := postmaster.working_in(data):
        if noted and noted.pid in there:
            _run_as_account([_tool("pg_ctl"), "-D", str(data), "-m", "fast", "-w", "stop"])
            noted = None
        elif time.monotonic() > until:
            listed = " ".join(map(str, sorted(there)))
            raise ClusterTrouble(reason=f"processes of a former server still run: {listed}")
        else:
            time.sleep(0.1)
    if noted and Path(f"/proc/{noted.pid}").exists():
        (data / "postmaster.pid").unlink(missing_ok=True)


def _furnish(cluster: Cluster, passwords: dict[str, str]) -> None:
    """Roles, database, extensions: made when missing, so a killed first start is repaired."""
    with psycopg.connect(cluster.superuser_url, autocommit=True) as connection:
        for role in ("roadchief", "roadchief_app"):
            known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            if not connection.execute(known, [role]).fetchone():
                connection.execute(f"CREATE ROLE {role} NOSUPERUSER NOBYPASSRLS".encode())
            connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{passwords[role]}'".encode())
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname='roadchief'").fetchone():
            connection.execute("CREATE DATABASE roadchief OWNER roadchief")
    inside = cluster.superuser_url.rsplit("/", 1)[0] + "/roadchief"
    with psycopg.connect(inside, autocommit=True) as connection:
        for extension in EXTENSIONS:
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}".encode())
    mark_leakproof(inside)


def _passwords(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "database.json"
    if not path.exists():
        made = {role: secrets.token_hex(24) for role in ("postgres", "roadchief", "roadchief_app")}
        _write_private(path, json.dumps(made))
    found = json.loads(path.read_text(encoding="utf-8"))
    return {str(role): str(password) for role, password in found.items()}


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and readable by its owner alone."""
    making = path.with_name(path.name + ".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    making.rename(path)


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        account = _account()
        os.chown(path, account.pw_uid, account.pw_gid)


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError as error:
        raise ClusterTrouble(
            reason=f"as root the account {ACCOUNT} is needed; apt-get install postgresql-15"
        ) from error


def _tool(name: str) -> str:
    """The newest PostgreSQL of 15 or later that Debian's layout or PATH offers."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4])
    )
    usable = [path for path in found if int(path.parts[4]) >= 15]
    path = str(usable[-1]) if usable else shutil.which(name)
    if not path:
        raise ClusterTrouble(
            reason="PostgreSQL 15 with PostGIS is missing; "
            "apt-get install postgresql-15 postgresql-15-postgis-3"
        )
    return path


def _run_as_account(command: list[str]) -> subprocess.CompletedProcess[str]:
    """As the database account. Output goes to a file: the server would hold a pipe open."""
    prefix = ["runuser", "-u", _account().pw_name, "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            check=False,
        )
        said.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, said.read(), "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"
