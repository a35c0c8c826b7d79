"""The shell: small, whole, its own policy, and the same for everybody."""

import gzip
import hashlib
import json
import re
import struct
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright._impl._driver import compute_driver_executable

from roadchief.config import ROOT
from roadchief.pwa import shell
from tests.cast import Cast, sign_in

WASM = ROOT / "static" / "vendor" / "barcode" / "zxing_reader.wasm"


def test_the_shell_weighs_less_than_900_kb_with_its_reader(client: FlaskClient) -> None:
    weight = sum(len(gzip.compress(client.get(path).get_data(), 6)) for path in shell.addresses())
    assert WASM in shell.files()
    assert 450_000 < weight <= 900_000


def test_every_file_that_a_module_imports_is_kept_offline() -> None:
    kept = set(shell.addresses())
    for path in sorted((ROOT / "static" / "patrol").rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'(?:from|import)\s*\(?\s*"(\.[^"]+)"', text):
            found = (path.parent / name).resolve().relative_to(ROOT).as_posix()
            assert f"/{found}" in kept, f"{path.name} imports {name}"


def test_the_page_allows_wasm_and_nothing_foreign(client: FlaskClient) -> None:
    page = client.get("/patrol/")
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    for word in ("unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"):
        assert word not in policy
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    assert "<script>" not in page.get_data(as_text=True)
    # Elsewhere the camera stays shut, and wasm with it.
    other = client.get("/")
    assert "camera=()" in other.headers["Permissions-Policy"]
    assert "wasm" not in other.headers["Content-Security-Policy"]


def test_the_shell_holds_nothing_of_a_person(client: FlaskClient, cast: Cast) -> None:
    before = client.get("/patrol/").get_data()
    sign_in(client, cast["patroller"])
    assert client.get("/patrol/").get_data() == before


def test_the_worker_comes_from_the_root_and_is_asked_for_anew(client: FlaskClient) -> None:
    worker = client.get("/worker.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Service-Worker-Allowed"] == "/"
    assert worker.headers["Cache-Control"] == "no-cache"
    text = worker.get_data(as_text=True)
    assert json.loads(re.search(r"SHELL = (.*);", text)[1]) == shell.addresses()  # type: ignore[index]
    for path in shell.addresses():
        assert client.get(path).status_code == 200, path


def test_the_manifest_names_pictures_that_are_there(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")
    facts = json.loads(answer.get_data())
    assert answer.mimetype == "application/manifest+json"
    assert facts["start_url"] == "/patrol/"
    assert facts["display"] == "standalone"
    assert {icon.get("purpose", "any") for icon in facts["icons"]} == {"any", "maskable"}
    for icon in facts["icons"]:
        picture = client.get(icon["src"]).get_data()
        wide, high = struct.unpack(">II", picture[16:24])
        assert f"{wide}x{high}" == icon["sizes"]


def test_the_reader_is_the_one_the_scanner_was_built_with() -> None:
    node = Path(compute_driver_executable()[0])
    ask = "import(process.argv[1]).then((m) => process.stdout.write(m.ZXING_WASM_SHA256))"
    script = (WASM.parent / "ponyfill.js").as_uri()
    wanted = subprocess.run(
        [node, "-e", ask, script], capture_output=True, text=True, check=True
    ).stdout
    assert hashlib.sha256(WASM.read_bytes()).hexdigest() == wanted


def test_who_and_what_time(client: FlaskClient, cast: Cast) -> None:
    stranger = client.get("/api/v1/me")
    assert stranger.get_json()["person"] is None
    assert stranger.headers["X-RoadChief"] == "1"
    assert client.get("/api/v1/time").get_json()["server_time"].endswith("+00:00")
    sign_in(client, cast["patroller"])
    person = client.get("/api/v1/me").get_json()["person"]
    assert person["id"] == str(cast["patroller"].person.id)
    assert person["allowed"] is True


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_posts_that_do_not_walk_are_told_so(client: FlaskClient, cast: Cast, role: str) -> None:
    sign_in(client, cast[role])
    person = client.get("/api/v1/me").get_json()["person"]
    assert (person["allowed"], person["reason"]) == (False, "role")
