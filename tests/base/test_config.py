"""Settings that refuse to guess."""

from pathlib import Path

import pytest

from roadchief import config
from roadchief.config import BadSetting


def test_defaults_serve_this_machine_alone() -> None:
    settings = config.load({})
    assert settings.public_url.startswith("http://127.0.0.1")
    assert not settings.secure


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"ROADCHIEF_PUBLIC_ULR": "x"}, "PUBLIC_ULR"),
        ({"ROADCHIEF_SMTP_HOST": "mail.example"}, "MAIL_FROM"),
        (
            {
                "ROADCHIEF_SMTP_HOST": "mail.example",
                "ROADCHIEF_MAIL_FROM": "lz@example.cn",
                "ROADCHIEF_SMTP_SECURITY": "none",
            },
            "SMTP_SECURITY",
        ),
        ({"ROADCHIEF_WEBHOOK_URL": "http://gateway.example/"}, "WEBHOOK_URL"),
        ({"ROADCHIEF_WEBHOOK_URL": "https://gateway.example/"}, "WEBHOOK_SECRET"),
        ({"ROADCHIEF_POOL_SIZE": "many"}, "POOL_SIZE"),
        ({"ROADCHIEF_POOL_SIZE": "0"}, "POOL_SIZE"),
        ({"ROADCHIEF_LOG_JSON": "perhaps"}, "LOG_JSON"),
        ({"ROADCHIEF_PUBLIC_URL": "lz.example.cn"}, "PUBLIC_URL"),
        ({"ROADCHIEF_PUBLIC_URL": "http://lz.example.cn"}, "https"),
        ({"ROADCHIEF_LANGUAGE": "de"}, "LANGUAGE"),
        ({"ROADCHIEF_SECRET_KEY": "short"}, "32 characters"),
        ({"ROADCHIEF_SECRET_KEY": "x" * 40, "ROADCHIEF_SECRET_KEY_FILE": "/x"}, "both set"),
        ({"ROADCHIEF_SECRET_KEY_FILE": "/nowhere/at/all"}, "cannot read"),
    ],
)
def test_an_odd_setting_stops_the_start(environ: dict[str, str], word: str) -> None:
    with pytest.raises(BadSetting, match=word):
        config.load(environ)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 40 + "\n")
    assert config.load({"ROADCHIEF_SECRET_KEY_FILE": str(path)}).secret_key == "k" * 40


def test_the_cookie_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = config.with_private_parts(config.load({}, var_dir=tmp_path))
    again = config.with_private_parts(config.load({}, var_dir=tmp_path))
    assert first.secret_key == again.secret_key
    assert (tmp_path / "secrets" / "cookie-key").stat().st_mode & 0o777 == 0o600
