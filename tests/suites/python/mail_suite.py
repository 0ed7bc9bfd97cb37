"""How the suites of this folder send and read mail: smtplib and requests, where they are told."""

import os
import smtplib
import uuid
from email.message import EmailMessage

import requests

URL = os.environ["MAILPIT_URL"]
SMTP = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])
LIMIT_S = 20.0


def address(name: str) -> str:
    """An address that nobody else uses."""
    return f"{name}-{uuid.uuid4().hex[:12]}@suite.test"


def send(to: str, subject: str = "hello", *, tags: str = "", message_id: str = "") -> str:
    """Send one mail; its Message-ID."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "app@suite.test", to, subject
    mail["Message-ID"] = message_id or f"<{uuid.uuid4()}@suite.test>"
    if tags:
        mail["X-Tags"] = tags
    mail.set_content("text")
    with smtplib.SMTP(*SMTP, timeout=LIMIT_S) as client:
        client.send_message(mail)
    return str(mail["Message-ID"])


def api(method: str, path: str, **more: object) -> requests.Response:
    """A call of the API."""
    return requests.request(method, f"{URL}/api/v1{path}", timeout=LIMIT_S, **more)  # type: ignore[arg-type]


def search(query: str) -> list[dict[str, str]]:
    """The rows that match."""
    rows: list[dict[str, str]] = api("GET", "/search", params={"query": query}).json()["messages"]
    return rows


def meet(place: str, *, is_first: bool) -> None:
    """Wait until the other process is here as well: opening a FIFO blocks until both of its ends are open."""
    with open(f"{os.environ['MEETING_PLACE']}/{place}", "wb" if is_first else "rb"):
        pass
