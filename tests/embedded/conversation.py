"""A conversation over SMTP, REST and POP3 to hold with any server, and its answers made comparable."""

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

LIMIT_S = 10.0

_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{22}(?![0-9A-Za-z])")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]0000( \([A-Z]+\))?")
_OWN = ("Version", "Database", "DatabaseSize", "Uptime", "Memory", "MessageRelay")
_NOT_SHOWN = (
    "Username",
    "ListUnsubscribe",
    "Checksums",
    "Label",
    "HideDeleteAllButton",
    "Rspamd",
    "LatestVersion",
)
"""What a Mailpit shows and the reference does not have."""
_JSON_ERROR = re.compile(r"(json: |invalid character|unexpected EOF|EOF).*", re.DOTALL)
_EMPTY: tuple[object, ...] = (None, "", [])


@dataclass(frozen=True)
class Smtp:
    """Lines sent one by one on a connection of their own; each waits for its reply. `data` is sent as is."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Http:
    """A request; `{0}` in path or body is the ID of the first message stored, `{-1}` of the last."""

    method: str
    path: str
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.body or ''}".strip()


@dataclass(frozen=True)
class Pop3:
    """Lines sent one by one in a session of their own; after QUIT the server's close is waited for."""

    name: str
    lines: tuple[str, ...]


Step = Smtp | Http | Pop3


@dataclass
class Speaker:
    """One server's side; `ids` are those that its queue replies and its lists named, oldest first."""

    smtp: tuple[str, int]
    api: str
    pop3: tuple[str, int] = ("", 0)
    ids: list[str] = field(default_factory=list)
    _seen: dict[str, str] = field(default_factory=dict)

    def say(self, step: Step) -> object:
        """The answer, made comparable.

        IDs are numbered as they appear, times and sizes of its own are left out, what is empty is as what is
        not there, and the words for a missing page or for JSON that cannot be read are the server's own.
        """
        match step:
            case Smtp():
                return self.comparable(self._smtp(step))
            case Pop3():
                return self.comparable(self._pop3(step))
        return self.comparable(self._http(step))

    def _smtp(self, step: Smtp) -> list[str]:
        replies = []
        with socket.create_connection(self.smtp, LIMIT_S) as link, link.makefile("rb") as reader:
            replies.append(_reply(reader))
            for line in step.lines:
                link.sendall(line.encode("utf-8", "surrogateescape") + b"\r\n")
                replies.append(_reply(reader))
                if match := re.search(r"queued as (\w+)", replies[-1]):
                    self.ids.append(match[1])
        return replies

    def _pop3(self, step: Pop3) -> list[str]:
        replies = []
        with socket.create_connection(self.pop3, LIMIT_S) as link, link.makefile("rb") as reader:
            replies.append(_pop3_reply(reader, ""))
            for line in step.lines:
                link.sendall(line.encode() + b"\r\n")
                replies.append(_pop3_reply(reader, line))
            if step.lines[-1:] == ("QUIT",):
                replies.append(_pop3_reply(reader, ""))
        return replies

    def _http(self, step: Http) -> dict[str, object]:
        with requests.Session() as session:
            session.trust_env = False
            reply = session.request(
                step.method,
                self.api + self._filled(step.path),
                data=self._filled(step.body).encode() if step.body is not None else None,
                headers=dict(step.headers),
                timeout=LIMIT_S,
                allow_redirects=False,
            )
        body: object = reply.text
        if reply.text.startswith(("{", "[")):
            body = json.loads(reply.content)
            if isinstance(body, dict):
                listed = [row["ID"] for row in body.get("messages", [])]
                self.ids += [message for message in reversed(listed) if message not in self.ids]
        elif reply.status_code in (404, 405):
            body = "(no such thing)"
        return {"status": reply.status_code, "body": body}

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(-?\d+)\}", lambda match: self.ids[int(match[1])], text)

    def comparable(self, value: object) -> object:
        """The value without what differs from server to server."""
        if isinstance(value, dict):
            shown = {k: v for k, v in value.items() if k not in _NOT_SHOWN and v not in _EMPTY}
            return {k: "(its own)" if k in _OWN else self.comparable(v) for k, v in shown.items()}
        if isinstance(value, list):
            return [self.comparable(item) for item in value]
        if isinstance(value, str):
            text = _JSON_ERROR.sub("(wrong JSON)", value) if _JSON_ERROR.match(value) else value
            text = _DATE.sub("(date)", _TIME.sub("(time)", text))
            return _ID.sub(lambda m: self._seen.setdefault(m[0], f"(id {len(self._seen)})"), text)
        return value


def _pop3_reply(reader: object, line: str) -> str:
    """A line, and those up to a single dot where the command has them; "" where the server closed."""
    lines = [reader.readline().decode("utf-8", "replace")]  # type: ignore[attr-defined]
    is_long = line in ("CAPA", "LIST", "UIDL") or line.startswith(("RETR", "TOP"))
    while lines[0].startswith("+OK") and is_long and lines[-1] not in (".\r\n", ""):
        lines.append(reader.readline().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return "".join(lines)


def _reply(reader: object) -> str:
    lines = []
    while True:
        line = reader.readline().decode("utf-8", "replace")  # type: ignore[attr-defined]
        lines.append(line)
        if not line or line[3:4] != "-":
            return "".join(lines)
