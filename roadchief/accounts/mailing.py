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
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from roadchief.accounts.outcomes import Later, Never, Outcome, Sent, Unsure
from roadchief.accounts.wording import Told
from roadchief.config import Settings

TIMEOUT_S = 15
# Nothing that could end a header or begin another recipient.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")


@dataclass(frozen=True)
class Letter:
    """One mail to one address. The same `id` is the same mail, for whoever gets it twice."""

    id: uuid.UUID
    to: str
    told: Told
    at: datetime


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
    for code, _said in (server.mail(settings.mail_from), server.rcpt(letter.to)):
        if code // 100 != 2:
            return _refused(code)
    code, _said = server.docmd("DATA")
    if code != 354:
        return _refused(code)
    body = compose(letter, settings).as_bytes(policy=SMTP)
    # Until the last dot nothing is sent: a break before it may be tried again.
    server.send(_dots(body))
    try:
        server.send(b".\r\n")
        code, _said = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unsure(type(error).__name__)
    return Sent() if code // 100 == 2 else _refused(code)


def compose(letter: Letter, settings: Settings) -> EmailMessage:
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    user, _, domain = settings.mail_from.partition("@")
    message["From"] = Address("路长制 RoadChief", user, domain)
    message["To"] = letter.to
    message["Subject"] = letter.told.title
    message["Date"] = format_datetime(letter.at)
    host = urlsplit(settings.public_url).hostname or "localhost"
    message["Message-ID"] = f"<{letter.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(letter.told, settings))
    return message


def text_of(told: Told, settings: Settings) -> str:
    link = f"\n\n{settings.public_url.rstrip('/')}{told.path}" if told.path else ""
    return f"{told.text}{link}\n"


def _dots(body: bytes) -> bytes:
    """A line that is a dot would end the mail: such lines get one more."""
    whole = re.sub(rb"(?m)^\.", b"..", body)
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


def _refused(code: int) -> Outcome:
    """4xx is for a while; 5xx for good. A wrong password is ours to mend, so it is tried again."""
    trouble = f"SMTP {code}"
    return Never(trouble) if code // 100 == 5 and code not in {530, 534, 535} else Later(trouble)
