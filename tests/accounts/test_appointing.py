"""Appointing by the page: nobody becomes an administrator by one careless touch."""

import re

from flask import Flask

from tests.cast import Cast, sign_in


def test_a_post_is_chosen_and_never_given_by_default(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    sign_in(client, cast["admin"])
    found = re.findall(r'href="(/admin/people/[0-9a-f-]{36})"', client.get("/admin/people").text)
    page = client.get(found[0]).text
    first = re.search(r'<select name="role" required><option value="">', page)
    assert first
    answer = client.post(f"{found[0]}/posts", data={"role": "", "capacity": "cadre"})
    assert answer.status_code == 422
