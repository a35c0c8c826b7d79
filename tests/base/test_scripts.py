"""What scripts/run promises of itself: killed at any point, it leaves nobody behind."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from importlib.metadata import distributions
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.specifiers import SpecifierSet

from roadchief.cli import main
from roadchief.config import ROOT

RUN = ROOT / "scripts" / "run"
DEBIAN_12 = "3.11.2"


def is_there(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_worker_and_web_server_end_with_the_script(how: signal.Signals) -> None:
    found = re.search(r"^with_us\(\) \{.*?^\}$", RUN.read_text(encoding="utf-8"), re.M | re.S)
    assert found
    assert RUN.read_text(encoding="utf-8").count("(with_us .venv/bin/roadchief") == 2
    script = f"{found[0]}\n(with_us sleep 60) &\necho $!\ntrap 'kill $!' EXIT\nwait $!"
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        until = time.monotonic() + 20
        while "sleep" not in Path(f"/proc/{child}/comm").read_text() and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(parent.pid, how)
        while is_there(child) and time.monotonic() < until:
            time.sleep(0.05)
        assert not is_there(child)


def children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(one) for one in found.stdout.split()]


def test_workers_of_a_killed_web_server_end_and_free_the_port(
    test_url: str, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    given = {
        "ROADCHIEF_DATABASE_URL": test_url,
        "ROADCHIEF_VAR_DIR": str(tmp_path),
        "ROADCHIEF_SECRET_KEY": "a key for tests alone, of good length",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROADCHIEF_")}
    roadchief = [str(ROOT / ".venv" / "bin" / "roadchief"), "serve", "--port", str(port)]
    with subprocess.Popen(
        roadchief, env=kept | given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        until = time.monotonic() + 120
        while not answers(port) and time.monotonic() < until:
            time.sleep(0.2)
        assert answers(port)
        workers = children(server.pid)
        assert len(workers) >= 2
        server.kill()
        while any(map(is_there, workers)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(map(is_there, workers))
    assert not answers(port)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_scripts_are_sound() -> None:
    for name in ("run", "test", "setup", "assets", "check"):
        subprocess.run(["bash", "-n", str(ROOT / "scripts" / name)], check=True)


def test_run_refuses_odd_arguments_and_ports() -> None:
    done = subprocess.run(
        [str(RUN), "--what"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert (done.returncode, "usage:" in done.stderr) == (2, True)
    done = subprocess.run(
        [str(RUN)], capture_output=True, text=True, check=False, env=os.environ | {"PORT": "70000"}
    )
    assert done.returncode == 2
    assert "PORT must be a number" in done.stderr


def test_what_is_pinned_runs_on_the_python_of_debian_12() -> None:
    """A newer Python here may have chosen what the promised one refuses to install."""
    pinned = dict(
        re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M)
    )
    looked_at = 0
    for one in distributions():
        name = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
        wanted = one.metadata["Requires-Python"]
        if pinned.get(name) == one.version:
            looked_at += 1
            assert not wanted or SpecifierSet(wanted).contains(DEBIAN_12), f"{name}: {wanted}"
    assert looked_at > 50


def test_units_start_the_database_first_and_their_commands_exist() -> None:
    """After a reboot nobody runs scripts/run: the private cluster needs a unit of its own."""
    units = {one.stem: one.read_text(encoding="utf-8") for one in ROOT.glob("deploy/*.service")}
    assert sorted(units) == ["roadchief-database", "roadchief-web", "roadchief-worker"]
    for name in ("roadchief-web", "roadchief-worker"):
        for line in ("After=", "Wants="):
            assert re.search(rf"^{line}.*roadchief-database\.service", units[name], re.M), name
    for name, text in units.items():
        words = re.findall(
            r"^Exec(?:Start|Stop)=/opt/roadchief/\.venv/bin/roadchief (.+)$", text, re.M
        )
        assert words, name
        for command in words:
            done = CliRunner().invoke(main, [*command.split(), "--help"])
            assert done.exit_code == 0, command


def test_without_the_demo_nothing_of_it_is_loaded() -> None:
    """In production its people, with passwords in a file, have no place."""
    text = RUN.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.search(r"roadchief (demo|people-of)", line)]
    assert len(lines) == 2
    assert all(line.startswith("[ $demo = no ] || ") for line in lines)
    odd = subprocess.run([RUN, "--no-such"], capture_output=True, text=True, check=False)
    assert odd.returncode == 2
    assert "--no-demo" in odd.stderr
