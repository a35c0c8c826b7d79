"""Settings from the environment. An unknown or odd setting stops the start: we do not guess.

Every setting is an environment variable `ROADCHIEF_<NAME>`. A secret may come from a file
instead: `ROADCHIEF_<NAME>_FILE` names it.
"""

import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "ROADCHIEF_"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
TILE_HOST = re.compile(
    r"(?P<scheme>https?)://(?P<name>(?:[a-z0-9-]|\{s\})+(?:\.(?:[a-z0-9-]|\{s\})+)*)(?::\d+)?/"
)


class BadSetting(Exception):
    """A setting that we refuse to start with; the text says which and why."""


@dataclass(frozen=True)
class Settings:
    database_url: str = ""  # app role; empty: the private cluster under var/
    owner_database_url: str = ""  # owner role for migrations; empty: as database_url or private
    secret_key: str = ""  # signs cookies; empty: made once under var/secrets
    former_secret_key: str = ""  # the key before this one: what it sealed stays readable
    public_url: str = "http://127.0.0.1:8000"  # the address people use; https outside this machine
    trusted_proxies: int = 0  # hops whose X-Forwarded-For we believe
    var_dir: Path = ROOT / "var"  # everything we write
    log_level: str = "INFO"
    log_json: bool = True
    language: str = "zh"  # first language of pages
    office_phone: str = "021-12345"  # shown on every public page
    icp_number: str = ""  # ICP 备案
    police_number: str = ""  # 公安备案
    site_code: str = ""  # 政府网站标识码
    map_review_number: str = ""  # 审图号
    map_attribution: str = "路长制自绘底图 © RoadChief contributors, CC0"
    tianditu_key: str = field(default="", repr=False)  # 天地图's key for browsers; empty: off
    tianditu_review_number: str = ""  # the 审图号 that stands on 天地图
    tiles_url: str = field(default="", repr=False)  # another tile service: {x} {y} {z}, {s}
    tiles_subdomains: str = ""  # what {s} stands for, a sign each: 1234
    tiles_datum: str = "gcj02"  # of that service: gcj02 or wgs84
    tiles_label: str = "高德地图"  # what people choose it by
    tiles_attribution: str = ""  # whose it is; empty: as the label
    tiles_review_number: str = ""  # the 审图号 that stands on it
    session_idle_s: int = 30 * 60
    session_absolute_s: int = 12 * 3600
    sign_in_attempts: int = 5  # wrong passwords in the window before the login rests
    sign_in_window_s: int = 15 * 60
    password_min_length: int = 12
    access_key_days: int = 90  # a key for one's own programs (QGIS) ends after that
    argon2_memory_kib: int = 65536
    oidc_issuer: str = ""  # identity provider (OpenID Connect); empty: off
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_label: str = "统一身份认证登录"  # on the button
    oidc_claim: str = "preferred_username"  # the claim that holds our login
    oidc_second_factor: str = "mfa"  # values of acr or amr that count as the second factor
    oidc_subdistricts: str = ""  # codes whose people may come this way; empty: all
    upload_limit_bytes: int = 200 * 1024 * 1024
    upload_keep_days: int = 30  # import files on the disk; those of unfinished imports stay
    request_limit_bytes: int = 2 * 1024 * 1024
    photo_limit_bytes: int = 12 * 1024 * 1024
    photo_day_quota_bytes: int = 200 * 1024 * 1024  # by one person
    photo_link_s: int = 300  # an address of a photo opens it for one to two times this long
    photo_orphan_hours: int = 168  # files that no row names are kept this long
    case_keep_years: int = 5  # closed cases, after their last end
    case_keep_cancelled_years: int = 1  # rejected and withdrawn ones
    case_retention: bool = False  # delete older ones at night; `issues forget` shows which
    print_tokens_days: int = 30  # sealed tokens of a print batch are destroyed after that
    tile_store_mb: int = 128  # kept map tiles of one sub-district
    smtp_host: str = ""  # the mail server that sends for us; empty: no mail
    smtp_port: int = 587
    smtp_security: str = "starttls"  # starttls, tls, or none (this machine alone)
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""  # the address that our mail comes from
    mail_proofs_per_hour: int = 3  # to one address that somebody typed, before it is proven
    mail_proofs_per_day: int = 6
    webhook_url: str = ""  # a gateway (WeCom, SMS) that is told of every notice; empty: none
    webhook_secret: str = ""  # signs what we send there
    webhook_private: bool = False  # the gateway stands in an inner network (10.0.0.0/8 …)
    pool_size: int = 8
    statement_timeout_s: int = 30
    rate_limit: str = "600 per minute"  # per address, all pages
    metrics_token: str = ""  # bearer token for /metrics; empty: loopback only
    rollup_subdistricts: str = ""  # codes that see each other's sums; empty: each its own alone
    testing: bool = field(default=False, metadata={"internal": True})

    @property
    def secure(self) -> bool:
        """True when people reach us by https, so cookies may carry `__Host-` and Secure."""
        return self.public_url.startswith("https://")


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Settings from `environ`; raises BadSetting with one plain line."""
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    values: dict[str, Any] = {}
    for spec in fields(Settings):
        if not spec.metadata.get("internal"):
            text = _take(given, PREFIX + spec.name.upper())
            if text is not None:
                values[spec.name] = _read(spec.name, text, type(spec.default))
    given.pop("ROADCHIEF_TEST_DATABASE_URL", None)  # read by the tests alone
    if given:
        raise BadSetting(f"unknown setting {', '.join(sorted(given))}: see the table in README.md")
    values.update(overrides)
    settings = Settings(**values)
    _check(settings)
    return settings


def with_private_parts(settings: Settings) -> Settings:
    """Fill what was left empty from var/: the private cluster's addresses and the secret key."""
    values = {spec.name: getattr(settings, spec.name) for spec in fields(Settings)}
    private = _private_cluster(settings.var_dir)
    values["database_url"] = settings.database_url or private.get("app_url", "")
    values["owner_database_url"] = (
        settings.owner_database_url or settings.database_url or private.get("owner_url", "")
    )
    values["secret_key"] = settings.secret_key or _kept_secret(settings.var_dir / "secrets")
    return Settings(**values)


def _take(given: dict[str, str], name: str) -> str | None:
    text, path = given.pop(name, None), given.pop(name + "_FILE", None)
    if text is not None and path is not None:
        raise BadSetting(f"{name} and {name}_FILE are both set: keep one")
    if path is None:
        return text
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{name}_FILE: cannot read {path}: {error}") from error


def _read(name: str, text: str, kind: type) -> Any:
    readers: dict[type, Callable[[str], Any]] = {bool: _read_bool, int: int}
    try:
        return readers.get(kind, Path if issubclass(kind, Path) else str)(text)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{name.upper()}: {text!r} is not a {kind.__name__}") from error


def _read_bool(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(text)


def _check(settings: Settings) -> None:
    parts = urlsplit(settings.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSetting("ROADCHIEF_PUBLIC_URL: an address such as https://lz.example.gov.cn")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadSetting("ROADCHIEF_PUBLIC_URL: plain http is for this machine alone, use https")
    if settings.language not in {"zh", "en"}:
        raise BadSetting("ROADCHIEF_LANGUAGE: zh or en")
    for name in (
        "session_idle_s",
        "session_absolute_s",
        "sign_in_attempts",
        "access_key_days",
        "pool_size",
        "upload_keep_days",
        "case_keep_years",
        "case_keep_cancelled_years",
        "mail_proofs_per_hour",
        "mail_proofs_per_day",
    ):
        if getattr(settings, name) <= 0:
            raise BadSetting(f"{PREFIX}{name.upper()}: must be above 0")
    _check_codes("ROADCHIEF_ROLLUP_SUBDISTRICTS", settings.rollup_subdistricts)
    if settings.secret_key and len(settings.secret_key) < 32:
        raise BadSetting("ROADCHIEF_SECRET_KEY: at least 32 characters")
    if settings.oidc_issuer:
        _check_oidc(settings)
    _check_backgrounds(settings)
    _check_senders(settings)


def _check_backgrounds(settings: Settings) -> None:
    """Neither key nor address is told in what is said: they may hold a secret."""
    if settings.tianditu_key and not re.fullmatch(r"[\w-]{8,64}", settings.tianditu_key, re.ASCII):
        raise BadSetting("ROADCHIEF_TIANDITU_KEY: letters and digits, as 天地图 gave it")
    if settings.tianditu_key and not settings.tianditu_review_number:
        raise BadSetting("ROADCHIEF_TIANDITU_REVIEW_NUMBER: the 审图号 that 天地图 shows")
    if not settings.tiles_url:
        return
    if settings.tiles_datum not in {"gcj02", "wgs84"}:
        raise BadSetting("ROADCHIEF_TILES_DATUM: gcj02 or wgs84")
    if not settings.tiles_review_number:
        raise BadSetting("ROADCHIEF_TILES_REVIEW_NUMBER: the 审图号 that the tiles' owner shows")
    if not re.fullmatch(r"[a-z0-9]{0,16}", settings.tiles_subdomains):
        raise BadSetting("ROADCHIEF_TILES_SUBDOMAINS: small letters and digits, one sign each")
    if any(one not in settings.tiles_url for one in ("{x}", "{y}", "{z}")):
        raise BadSetting("ROADCHIEF_TILES_URL: an address with {x}, {y} and {z}")
    host = TILE_HOST.match(settings.tiles_url)
    if host is None or (host["scheme"] == "http" and host["name"] not in LOOPBACK):
        raise BadSetting("ROADCHIEF_TILES_URL: https://host/…, beyond this machine")
    if ("{s}" in settings.tiles_url) != bool(settings.tiles_subdomains):
        raise BadSetting("ROADCHIEF_TILES_SUBDOMAINS: belongs to {s} in ROADCHIEF_TILES_URL")


def _check_senders(settings: Settings) -> None:
    if settings.smtp_security not in {"starttls", "tls", "none"}:
        raise BadSetting("ROADCHIEF_SMTP_SECURITY: starttls, tls or none")
    if settings.smtp_host and "@" not in settings.mail_from:
        raise BadSetting("ROADCHIEF_MAIL_FROM: the address that our mail comes from")
    if settings.smtp_host not in {"", *LOOPBACK} and settings.smtp_security == "none":
        raise BadSetting("ROADCHIEF_SMTP_SECURITY: none is for this machine alone")
    hook = urlsplit(settings.webhook_url)
    local = hook.scheme == "http" and hook.hostname in LOOPBACK
    if settings.webhook_url and not (hook.scheme == "https" or local):
        raise BadSetting("ROADCHIEF_WEBHOOK_URL: https, beyond this machine")
    if settings.webhook_url and len(settings.webhook_secret) < 24:
        raise BadSetting("ROADCHIEF_WEBHOOK_SECRET: at least 24 characters")


def _check_oidc(settings: Settings) -> None:
    parts = urlsplit(settings.oidc_issuer)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise BadSetting("ROADCHIEF_OIDC_ISSUER: an https address, as the provider writes it")
    if not settings.oidc_client_id:
        raise BadSetting("ROADCHIEF_OIDC_CLIENT_ID: needed with ROADCHIEF_OIDC_ISSUER")
    if not settings.oidc_claim:
        raise BadSetting("ROADCHIEF_OIDC_CLAIM: which claim holds our login?")
    _check_codes("ROADCHIEF_OIDC_SUBDISTRICTS", settings.oidc_subdistricts)


def _check_codes(name: str, given: str) -> None:
    """9-digit codes with spaces between, or none."""
    for code in given.split():
        if not (len(code) == 9 and code.isascii() and code.isdigit()):
            raise BadSetting(f"{name}: 9-digit codes with spaces between")


def _private_cluster(var_dir: Path) -> dict[str, str]:
    try:
        found = json.loads((var_dir / "cluster.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _kept_secret(folder: Path) -> str:
    """The cookie key of this installation: made once, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "cookie-key"
    try:
        with open(path, "x", encoding="ascii", opener=_private_opener) as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
