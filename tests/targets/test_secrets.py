"""A server that sends back whatever it was sent: our logins stand in nothing that is stored or shown."""

import base64
import json
import re
import socketserver
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from mailrace.model.attempt import StoredMessage
from mailrace.model.errors import TargetError
from mailrace.model.secrets import SHOWN, forget_secrets, keep_secret, without_secrets, without_secrets_in
from mailrace.model.target import Credentials

from tests.running import mailrace
from tests.targets.rest_server import RestServer, reply
from tests.targets.session_server import SessionServer

USER, PASSWORD = "ursula-k", 'pä"ss/wo+rd 7%'
API_PASSWORD = "an0ther-one!"
LOGINS = [(USER, PASSWORD), (USER, API_PASSWORD)]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def forms(user: str, password: str) -> dict[str, str]:
    """The forms in which an echo may come, made without the code under test."""
    plain, basic = f"\0{user}\0{password}".encode(), f"{user}:{password}".encode()
    return {
        "plain": password,
        "user": user,
        "AUTH PLAIN": b64(plain),
        "Basic": b64(basic),
        "LOGIN": b64(password.encode()),
        "within a longer base64": b64(b"Authorization: Basic " + b64(basic).encode() + b"\r\n"),
        "within another base64": b64(b"x" + password.encode() + b"yz"),
        "urlsafe": base64.urlsafe_b64encode(plain).decode(),
        "unpadded": b64(plain).rstrip("="),
        "JSON": json.dumps(password)[1:-1],
        "JSON in UTF-8": json.dumps(password, ensure_ascii=False)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(password))[1:-1],
        "URL": quote(password, safe=""),
        "URL in lower case": quote(password, safe="").lower(),
        "form": quote(password, safe="").replace("%20", "+"),
        "hex": password.encode().hex(),
        "hex of the login": plain.hex().upper(),
        "upper case": password.upper(),
        "repr": repr(password.encode())[2:-1],
        "HTML": password.replace("&", "&amp;").replace('"', "&quot;"),
    }


FORMS = [(name, form) for login in LOGINS for name, form in forms(*login).items()]


@pytest.fixture
def known() -> Iterator[None]:
    keep_secret(Credentials(smtp=LOGINS[0], api=LOGINS[1]))
    yield
    forget_secrets()


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[name for name, _ in FORMS])
def test_each_form_is_replaced(name: str, form: str, known: None) -> None:
    left = without_secrets(f"before {form} after")
    assert SHOWN in left
    assert left.startswith("before ")
    assert left.endswith(" after")
    for size in range(len(form), 8, -1):  # nothing longer than a few characters of it is left
        assert all(form[i : i + size] not in left for i in range(len(form) - size + 1))
        if size < len(form) - 12:
            break
    with pytest.raises(TargetError) as caught:
        raise TargetError(f"it says {form}")
    assert form not in str(caught.value)


def test_words_of_our_own_documents_are_no_secrets(known: None) -> None:
    keep_secret(Credentials(smtp=("steer", "RACE"), api=("test", "ok")))
    text = '{"mode": "steer", "verdict": "RACE", "to": "x@mr.test", "outcome": "ok"}'
    assert without_secrets(text) == text
    assert without_secrets(b64(b"\0steer\0RACE")) == SHOWN
    assert without_secrets(f"Basic {b64(b'test:ok')}") == f"Basic {SHOWN}"


def test_values_keep_their_paths_and_types(known: None) -> None:
    row = StoredMessage(
        id="1", message_id=PASSWORD, sender="a@b", to=(USER,), cc=(), bcc=(), reply_to=(), subject="s",
        tags=(b64(PASSWORD.encode()),), read=False, size=1,
    )  # fmt: skip
    clean = without_secrets_in(row)
    assert (clean.message_id, clean.to, clean.tags, clean.sender) == (SHOWN, (SHOWN,), (SHOWN,), "a@b")


class EchoingSmtp(SessionServer):
    """Answers each command with the command, and the final dot with the login in every form."""

    def __init__(self, final: bytes) -> None:
        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 there\r\n")
                in_data = False
                for line in self.rfile:
                    said = line.strip()
                    if in_data:
                        if said == b".":
                            in_data = False
                            every = " ".join(form for _, form in FORMS if form.isprintable())
                            self.wfile.write(final + b" you are " + every.encode() + b"\r\n")
                        continue
                    word = said.split()[0].upper() if said else b""
                    in_data = word == b"DATA"
                    code = {b"DATA": b"354", b"AUTH": b"235", b"QUIT": b"221"}.get(word, b"250")
                    self.wfile.write(code + b" you said " + said + b" " + said.hex().encode() + b"\r\n")

        super().__init__(Session)


def rows(request: BaseHTTPRequestHandler) -> None:
    """A search finds one row of the domain that was asked for, with logins and headers in each text."""
    url = urlsplit(request.path)
    if url.path.endswith("/info"):
        reply(request, json.dumps({"Version": f"dev {PASSWORD} {request.headers['Authorization']}"}).encode())
        return
    if not url.path.endswith("/search"):
        reply(request, f"no: {request.headers} {FORMS}".encode(), 500)
        return
    query = parse_qs(url.query).get("query", [""])[0]
    domain = re.search(r"@([a-z0-9.-]+)", unquote(query))
    address = {"Name": API_PASSWORD, "Address": f"r00000s01@{domain[1] if domain else 'x.test'}"}
    every = " ".join(form for _, form in FORMS)
    row = {
        "ID": "abc", "MessageID": f"x{b64(PASSWORD.encode())}", "From": address, "To": [address], "Cc": [],
        "Bcc": [], "ReplyTo": [address], "Subject": every, "Tags": [f"{PASSWORD}", str(request.headers)],
        "Read": False, "Size": 100, "Snippet": every, "Created": "2026-01-01T00:00:00Z", "Attachments": 0,
        "Username": USER,
    }  # fmt: skip
    looks_only = "looks-only" in query
    found = [] if looks_only else [row]
    page = {"total": 1, "messages_count": len(found), "tags": [every], "messages": found}
    reply(request, json.dumps(page).encode())


@pytest.mark.slow
@pytest.mark.parametrize("final", [b"250 2.0.0 Ok: queued as abc", b"451 4.3.5"])
def test_what_a_server_echoes_is_stored_and_shown_nowhere(final: bytes, tmp_path: Path) -> None:
    rest, smtp = RestServer(), EchoingSmtp(final)
    rest.answer = rows
    secrets = {
        "MAILRACE_SMTP_USER": USER,
        "MAILRACE_SMTP_PASSWORD": PASSWORD,
        "MAILRACE_API_USER": USER,
        "MAILRACE_API_PASSWORD": API_PASSWORD,
    }
    try:
        name = f"{rest.url}?smtp=127.0.0.1:{smtp.port}"
        words = ("run", "shipped", "-k", "shared-new-tag", "--target", name, "--rounds", "3", "-v")
        done = mailrace(*words, "--out", "out", cwd=tmp_path, **secrets)
        bundled = mailrace("bundle", "out", cwd=tmp_path, **secrets)
    finally:
        rest.close()
        smtp.close()
    assert done.returncode in (1, 3), done.stderr
    written = {str(p): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert any(p.endswith("history.jsonl") for p in written)
    shown = {
        "stdout": done.stdout.encode(),
        "stderr": done.stderr.encode(),
        "bundle": bundled.stdout.encode(),
    }
    for place, content in {**written, **shown}.items():
        for what, form in FORMS:
            assert form.encode() not in content, f"{what} in {place}: {form}"
            assert form.encode().lower() not in content.lower(), f"{what} in {place}: {form}"
    assert any(SHOWN.encode() in content for content in written.values())
