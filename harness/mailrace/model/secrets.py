"""Keeps the logins that this process was given; takes them out of any text or value, in every coding.

A server may show what it was sent: in a reply, a header, a row, an error. So what comes from a server and is
stored or shown goes through `without_secrets` first: lines of the history, results, errors' sentences.
"""

import base64
import dataclasses
import html
import json
import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from mailrace.model.target import Credentials

SHOWN = "[secret]"
LENGTH_MIN = 4
"""A shorter user or password also stands in other words by chance, so only its encoded forms are replaced."""
ENCODED_MIN = 6
"""The least length of a part of base64 that is taken for a secret."""
SCHEMA_FILE = Path(__file__).parent.parent / "schema" / "run.schema.json"
OURS = frozenset({"command", "environment", "file", "name", "replay", "seed", "target"})
"""Fields that hold no text of a server; they keep their paths and names, which a reader has to find again."""
OTHER_WORDS = frozenset(
    {
        *("begin", "judged", "lane", "realisation", "result", "run", "schedule", "study", "witness"),
        *("gate", "matrix", "merge", "race", "steer"),
        *("embedded", "localhost", "mailpit", "mailrace", "target", "test"),
    }
)
"""Words of our own in the history or in addresses, beside those of the documents' schema."""

_T = TypeVar("_T")
_known: dict[str, None] = {}
"""Every form of every secret of this process, the longest first."""
_pattern: re.Pattern[str] | None = None


def keep_secret(credentials: "Credentials") -> None:
    """From now on these logins are replaced wherever they come back."""
    global _pattern
    for login in (credentials.smtp, credentials.api):
        if login is not None:
            _known.update(dict.fromkeys(_forms(*login)))
    if _known:
        longest_first = sorted(_known, key=lambda form: (-len(form), form))
        # Longer forms come first, so that no part of an encoded login stays behind.
        _pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def has_secrets() -> bool:
    """Whether there is any secret to replace."""
    return _pattern is not None


def without_secrets(text: str) -> str:
    """The text with each secret replaced, also in pieces of base64 that hold one."""
    return text if _pattern is None else _pattern.sub(SHOWN, text)


def without_secrets_in(value: _T) -> _T:
    """The same value, of whatever type of the model, with each secret in its texts replaced."""
    return value if _pattern is None else cast(_T, _clean(value))


def _clean(value: object) -> object:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return without_secrets(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f.name for f in dataclasses.fields(value) if f.init and f.name not in OURS]
        return dataclasses.replace(value, **{name: _clean(getattr(value, name)) for name in fields})
    if isinstance(value, Mapping):
        return {_clean(key): _clean(held) for key, held in value.items()}
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    return value


@cache
def _own_words() -> frozenset[str]:
    """The keys and fixed values of our documents, in lower case.

    A password that is such a word cannot be told from the document's own, and gives nothing away there. The
    encoded logins that hold it are replaced all the same.
    """
    found = set(OTHER_WORDS)

    def look(node: object) -> None:
        if isinstance(node, dict):
            found.update(str(key).lower() for key in node.get("properties", ()))
            found.update(str(word).lower() for word in (*node.get("enum", ()), node.get("const", "")))
            for held in node.values():
                look(held)
        elif isinstance(node, list):
            for held in node:
                look(held)

    look(json.loads(SCHEMA_FILE.read_bytes()))
    return frozenset(found)


def forget_secrets() -> None:
    """Forget all of them: for tests, many of which share a process."""
    global _pattern
    _known.clear()
    _pattern = None


def _forms(user: str, password: str) -> list[str]:
    """The forms in which a login may come back: words, lines of SMTP and HTTP, each in every coding."""
    found: list[str] = []
    for login in (f"{user}:{password}", f"\0{user}\0{password}", f"{user}\0{user}\0{password}"):
        coded = base64.b64encode(login.encode()).decode()
        # A server that encodes the whole header or command encodes the encoded login once more.
        found += [*_in_base64(login.encode()), *_in_base64(coded.encode()), coded.encode().hex()]
        found += [quote(coded, safe=""), login.encode().hex(), *_escaped(login)]
    for word in (user, password):
        if len(word) < LENGTH_MIN or word.lower() in _own_words():
            continue
        found += [word, word.encode().hex(), *_escaped(word), *_in_base64(word.encode())]
    return [form for form in found if len(form) >= LENGTH_MIN]


def _escaped(text: str) -> list[str]:
    """Escapes of JSON (once and twice), URLs, HTML, Python and quoted-printable."""
    in_json = json.dumps(text)[1:-1]
    latin = text.encode("utf-8", "replace").decode("latin-1")
    return [
        text,
        in_json,
        json.dumps(in_json)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        in_json.replace("/", "\\/"),
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
        html.escape(text),
        html.escape(text, quote=False),
        repr(text)[1:-1],
        repr(text.encode())[2:-1],
        latin,
        "".join(f"={byte:02X}" for byte in text.encode()),
        "".join(f"%{byte:02X}" for byte in text.encode()),
        text[::-1],
    ]


def _in_base64(raw: bytes) -> list[str]:
    """The characters that `raw` always gives in base64, for each of its three places in a group of three."""
    found: list[str] = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode()
        # The first characters depend on what stands before, the last ones on what comes after.
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        sure = coded[first:last]
        whole = base64.b64encode(raw).decode() if before == 0 else ""
        for form in (whole, whole.rstrip("="), sure):
            found += [form, form.replace("+", "-").replace("/", "_")]
    return [form for form in found if len(form) >= ENCODED_MIN]
