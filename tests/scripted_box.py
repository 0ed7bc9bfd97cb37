"""What a scripted server answers and stores: its replies, its hangs, its rows."""

import email
import email.policy
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """Bytes to send, and whether the connection is closed behind them."""

    data: bytes
    closes: bool = False


HANG = Answer(b"")
MEET_S = 0.1
"""How long a final dot waits for another one; two that are released together come within milliseconds."""
GOOD = {
    "greeting": b"220 scripted ESMTP\r\n",
    "EHLO": b"250-scripted\r\n250 8BITMIME\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 Start mail input\r\n",
    "dot": b"250 2.0.0 Ok: queued\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}
Script = Mapping[str, "bytes | Answer"]
Rest = Callable[[str], "tuple[int, bytes] | None"]


def cut(data: bytes) -> Answer:
    """These bytes, then the end of the connection."""
    return Answer(data, closes=True)


@dataclass
class Box:
    """What is stored, as rows of Mailpit's list."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=dict)
    """What was sent, by row ID; a search looks at all of it."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def store(self, recipients: list[str], content: bytes, *, keeps_tags: bool = True) -> None:
        read = email.message_from_bytes(content, policy=email.policy.SMTP)
        to = [{"Name": "", "Address": a.addr_spec} for a in read["To"].addresses]
        inside = {entry["Address"] for entry in to}
        tags = [t.strip() for t in str(read["X-Tags"] or "").split(",") if t.strip()] if keeps_tags else []
        with self.lock:
            row_id = f"id{len(self.rows):020d}"
            self.sources[row_id] = content
            self.rows.insert(
                0,
                {
                    "ID": row_id,
                    "MessageID": str(read["Message-ID"]).strip("<>"),
                    "From": {"Name": "", "Address": read["From"].addresses[0].addr_spec},
                    "To": to,
                    "Cc": [],
                    "Bcc": [{"Name": "", "Address": a} for a in recipients if a not in inside],
                    "ReplyTo": [{"Name": "", "Address": a.addr_spec} for a in read["Reply-To"].addresses],
                    "Subject": str(read["Subject"]),
                    "Tags": tags,
                    "Read": False,
                    "Size": len(content),
                },
            )

    def page(self, query: str, start: int, limit: int) -> dict[str, Any]:
        """A search for `to:WORD`, `bcc:WORD` or `"some words"`, each of which must match."""
        terms = re.findall(r'"[^"]*"|\S+', query)
        with self.lock:
            found = [row for row in self.rows if all(self._matches(row, term) for term in terms)]
            tags = sorted({tag for row in self.rows for tag in row["Tags"]})
            return {
                "total": len(self.rows),
                "messages_count": len(found),
                "messages": found[start : start + limit],
                "tags": tags,
            }

    def _matches(self, row: Mapping[str, Any], term: str) -> bool:
        if term.startswith('"'):
            text = " ".join(self.sources[row["ID"]].decode().lower().split())
            return term.strip('"') in text
        name, _, wanted = term.partition(":")
        return any(wanted in entry["Address"] for entry in row[name.capitalize()])
