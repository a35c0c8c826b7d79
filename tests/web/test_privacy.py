"""The notice of what is kept of people says what is configured, to everybody."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from roadchief import privacy
from roadchief.config import Settings
from tests import makers


def test_everybody_finds_the_notice_in_both_languages(
    client: FlaskClient, session: Session
) -> None:
    makers.make_subdistrict(session)
    session.commit()
    page = client.get("/privacy")
    assert page.status_code == 200
    for said in ("行走轨迹的点", "30 天", "到访的位置", "2 年", "结案 180 天后隐去", "您的权利"):
        assert said in page.text
    english = client.get("/privacy?lang=en").text
    assert "Hidden 180 days after closing" in english
    assert 'href="/privacy"' in client.get("/").text
    assert 'href="/privacy"' in client.get("/report?s=310115004&lang=zh").text


@pytest.mark.parametrize(
    ("days", "said"), [(30, "30 天"), (365, "1 年"), (730, "2 年"), (400, "400 天")]
)
def test_a_term_reads_as_people_say_it(app: Flask, days: int, said: str) -> None:
    with app.test_request_context("/"):
        assert privacy.for_days(days) == said


def test_the_term_of_cases_is_the_configured_one(app: Flask, settings: Settings) -> None:
    with app.test_request_context("/"):
        kept = privacy.kinds(replace(settings, case_retention=True, case_keep_years=7))
        assert ("案件", "结案 7 年后删除") in kept[0].terms
        kept = privacy.kinds(replace(settings, case_retention=False))
        assert ("案件", "按档案规定保存") in kept[0].terms
