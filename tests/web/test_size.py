"""Large requests where they are meant, also where the check against forged forms reads first."""

import io
import re

import pyotp
from flask import Flask
from flask.testing import FlaskClient

from roadchief.lib import clock
from tests.cast import PASSWORD, Cast


def token(client: FlaskClient, page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page).text)
    assert found
    return found[1]


def test_a_large_file_reaches_the_import(app: Flask, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client, admin = app.test_client(), cast["admin"]
    assert admin.totp
    code = pyotp.TOTP(admin.totp).at(int(clock.now().timestamp()))
    given = {"login": admin.login, "password": PASSWORD, "code": code}
    client.post("/sign-in", data={"csrf_token": token(client, "/sign-in")} | given)
    large = b"name,lon,lat\n" + (b"x" * 1000 + b",999,999\n") * 3_000
    data = {"what": "storefronts", "file": (io.BytesIO(large), "a.csv")}
    data["csrf_token"] = token(client, "/admin/imports")
    assert client.post("/admin/imports", data=data).status_code in (302, 422)
    data = {"csrf_token": token(client, "/admin/imports"), "login": "x" * 3_000_000}
    assert client.post("/sign-in", data=data).status_code == 413
