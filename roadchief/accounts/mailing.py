"""Notices by mail, through the office's own server."""

import re
import smtplib
import ssl
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from urllib.parse import urlsplit

from roadchief.accounts.envelopes import Envelope
from roadchief.accounts.outcomes import Later, Never, Outcome, Sent, Unsure
from roadchief.accounts.wording import Told
from roadchief.config import Settings

TIMEOUT_S = 15
# Nothing that could end a header or begin another recipient.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")

WHOLE = {"List-Unsubscribe", "References", "In-Reply-To"}
LONGEST_LINE = 990  # RFC 5322 allows 998
ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")
GONE = {b"5.1.0", b"5.1.1", b"5.1.2", b"5.1.3", b"5.1.6", b"5.1.10", b"5.2.1"}


@dataclass(frozen=True)
class Letter:
    """One mail to one address. The same `id` is the same mail, for whoever gets it twice."""

    id: uuid.UUID
    to: str
    told: Told
    at: datetime
    envelope: Envelope | None = None


def send(letter: Letter, settings: Settings) -> Outcome:
    """Hand a letter to the mail server, once."""
    if not ADDRESS.fullmatch(letter.to):
        return Never("address")
    try:
        server = _open(settings)
        try:
            outcome = _hand_over(server, letter, settings)
            # Saying goodbye may fail as it likes: what was taken stays taken.
            if isinstance(outcome, Sent):
                with suppress(OSError, smtplib.SMTPException):
                    server.docmd("QUIT")
            return outcome
        finally:
            server.close()
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code)
    except (OSError, smtplib.SMTPException) as error:
        return Later(type(error).__name__)


def _open(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security == "tls":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _hand_over(server: smtplib.SMTP, letter: Letter, settings: Settings) -> Outcome:
    """Step by step, to know whether the server may have taken it when the line breaks."""
    server.ehlo_or_helo_if_needed()
    code, _said = server.mail(settings.mail_from)
    if code // 100 != 2:
        return _refused(code)
    code, said = server.rcpt(letter.to)
    if code // 100 != 2:
        return _no_such_box(code, said) or _refused(code)
    code, _said = server.docmd("DATA")
    if code != 354:
        return _refused(code)
    body = compose(letter, settings).as_bytes()
    # Until the last dot nothing is sent: a break before it may be tried again.
    server.send(_dots(body))
    try:
        server.send(b".\r\n")
        code, _said = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unsure(type(error).__name__)
    return Sent() if code // 100 == 2 else _refused(code)


def compose(letter: Letter, settings: Settings) -> EmailMessage:
    message = EmailMessage(policy=Unbroken(cte_type="7bit", linesep="\r\n"))
    user, _, domain = settings.mail_from.partition("@")
    message["From"] = Address("路长制 RoadChief", user, domain)
    message["To"] = letter.to
    message["Subject"] = letter.told.title
    message["Date"] = format_datetime(letter.at)
    host = urlsplit(settings.public_url).hostname or "localhost"
    envelope = letter.envelope
    root = f"<{envelope.thread}@{host}>" if envelope else None
    message["Message-ID"] = root if envelope and envelope.first else f"<{letter.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if envelope and not envelope.first:
        message["In-Reply-To"] = message["References"] = root
    if envelope:
        message["List-Unsubscribe"] = f"<{_address(settings, envelope.stop_path)}>"
        if settings.secure:  # RFC 8058: by https alone
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text_of(letter.told, settings, envelope))
    return message


class Unbroken(EmailPolicy):
    """A link in a header stays one word on one line: encoded, no mail program would know it."""

    def fold(self, name: str, value: str) -> str:
        return self._whole(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        whole = self._whole(name, value)
        return whole.encode("ascii") if whole else super().fold_binary(name, value)

    def _whole(self, name: str, value: str) -> str | None:
        single = name in WHOLE and str(value).isascii() and len(value) < LONGEST_LINE - len(name)
        return f"{name}: {value}{self.linesep}" if single else None


def text_of(told: Told, settings: Settings, envelope: Envelope | None = None) -> str:
    path = envelope.path if envelope else told.path
    link = f"\n\n{_address(settings, path)}" if path else ""
    stop = ""
    if envelope:
        stop = f"\n\n-- \n{envelope.stop_words}\n{_address(settings, envelope.stop_path)}"
    return f"{told.text}{link}{stop}\n"


def _address(settings: Settings, path: str) -> str:
    return settings.public_url.rstrip("/") + path


def _no_such_box(code: int, said: bytes) -> Never | None:
    """Is this box gone for good? A full one, or one that does not like us, is not.

    By the enhanced code where the server gives one (RFC 3463: 5.1.x, 5.2.1), else by the plain one.
    """
    enhanced = ENHANCED.match(said)
    gone = code in {550, 551, 553} if enhanced is None else enhanced[0] in GONE
    return Never(f"SMTP {code}", bounced=True) if code // 100 == 5 and gone else None


def _dots(body: bytes) -> bytes:
    """A line that is a dot would end the mail: such lines get one more."""
    whole = re.sub(rb"(?m)^\.", b"..", body)
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


def _refused(code: int) -> Outcome:
    """4xx is for a while; 5xx for good. A wrong password is ours to mend, so it is tried again."""
    trouble = f"SMTP {code}"
    return Never(trouble) if code // 100 == 5 and code not in {530, 534, 535} else Later(trouble)
