"""Devices by the names that people use."""

import pytest

from roadchief.accounts.devices import plain_name

ANDROID = "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) "
APPLE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        (
            f"{ANDROID}Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0",
            "微信 · Android",
            "WeChat · Android",
        ),
        (f"{APPLE}Version/17.5 Mobile/15E148 Safari/604.1", "Safari · iPhone", "Safari · iPhone"),
        (f"{APPLE}CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome · iPhone", "Chrome · iPhone"),
        (f"{DESK}Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows", "Edge · Windows"),
        (f"{DESK}Chrome/126.0 Safari/537.36", "Chrome · Windows", "Chrome · Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox · Linux",
            "Firefox · Linux",
        ),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb/4.1 Chrome/114 Mobile HuaweiBrowser/5",
            "华为浏览器 · 鸿蒙",
            "Huawei Browser · HarmonyOS",
        ),
        ("curl/8.5", "curl/8.5", "curl/8.5"),
        ("?", "?", "?"),
        ("x" * 500, "x" * 60, "x" * 60),
    ],
)
def test_a_device_has_a_plain_name(said: str, zh: str, en: str) -> None:
    assert (plain_name(said, "zh"), plain_name(said, "en")) == (zh, en)
