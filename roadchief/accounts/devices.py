"""A browser's long name of itself in plain words: 微信 · Android. *Pure.*"""

# Most telling first: nearly all of them call themselves Mozilla, Safari and Chrome as well.
BROWSERS = (
    ("MicroMessenger", ("微信", "WeChat")),
    ("DingTalk", ("钉钉", "DingTalk")),
    ("AlipayClient", ("支付宝", "Alipay")),
    ("HuaweiBrowser", ("华为浏览器", "Huawei Browser")),
    ("MiuiBrowser", ("小米浏览器", "Mi Browser")),
    ("UCBrowser", ("UC浏览器", "UC Browser")),
    ("QQBrowser", ("QQ浏览器", "QQ Browser")),
    ("Edg", ("Edge", "Edge")),
    ("OPR/", ("Opera", "Opera")),
    ("Firefox", ("Firefox", "Firefox")),
    ("Chrome", ("Chrome", "Chrome")),
    ("CriOS", ("Chrome", "Chrome")),
    ("Safari", ("Safari", "Safari")),
)
SYSTEMS = (
    ("OpenHarmony", ("鸿蒙", "HarmonyOS")),
    ("HarmonyOS", ("鸿蒙", "HarmonyOS")),
    ("Android", ("Android", "Android")),
    ("iPhone", ("iPhone", "iPhone")),
    ("iPad", ("iPad", "iPad")),
    ("Windows", ("Windows", "Windows")),
    ("Mac OS X", ("macOS", "macOS")),
    ("CrOS", ("ChromeOS", "ChromeOS")),
    ("Linux", ("Linux", "Linux")),
)


def plain_name(said: str, language: str) -> str:
    """Browser and system; what we do not know, as it says itself, cut short."""
    at = 0 if language == "zh" else 1
    found = [
        next((words[at] for sign, words in table if sign in said), "")
        for table in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or said[:60]
