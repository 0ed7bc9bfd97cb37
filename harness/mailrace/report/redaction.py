"""Takes texts of a run; finds what they tell of the reporter's machine, and gives the texts without that.

It looks for addresses of machines, names of users and hosts, and paths. Loopback addresses, the run's own
`.test` domains and version numbers stay. Secrets of AUTH are not looked for, because they never enter a
history.
"""

import getpass
import json
import re
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args

from mailrace.model.errors import UsageError
from mailrace.model.home import home
from mailrace.model.result import RunResult

Kind = Literal["addresses", "hosts", "paths", "users"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GENERIC = frozenset({"root", "user", "admin", "runner", "ubuntu", "debian", "nobody", "localhost", "vagrant"})
"""Names that identify nobody, and that occur in ordinary sentences."""

_IPV4 = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])([0-9a-fA-F:]{3,45})(?![\w:])")
"""Bounded, so that a server's long line costs no time; `_tells` says which of them are addresses."""
_HOME = re.compile(r"(?:/home|/Users|/root|[A-Z]:\\\\?Users)(?:[/\\][^\s\"'\\/:,;)\]}]+)*")
_LOGIN = re.compile(r"(?<=://)[^\s/@\"'\\]{1,200}@")
_URL = re.compile(r"https?://(?:[^\s/@\"'\\]+@)?([A-Za-z0-9_.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?")


@dataclass(frozen=True, slots=True, order=True)
class Redaction:
    """One text that is replaced wherever it stands."""

    kind: Kind
    found: str
    shown: str


def redactions(texts: Iterable[str], result: RunResult, folder: Path) -> tuple[Redaction, ...]:
    """What would be replaced in these texts, sorted; the longest found texts are replaced first."""
    whole = "\n".join(texts)
    found: dict[tuple[Kind, str], None] = {}
    for path in _paths(folder, result):
        if path in whole:
            found["paths", path] = None
    for match in _HOME.finditer(whole):
        if match[0] != "/root":
            found["paths", match[0]] = None
    for name in _users(result):
        if re.search(_word(name), whole):
            found["users", name] = None
    for name in _hosts(result):
        if re.search(_word(name), whole):
            found["hosts", name] = None
    # An address is replaced only if it is one of a machine: loopback and version numbers tell nothing.
    for address in {m[1] for m in _IPV4.finditer(whole)} | {m[1] for m in _IPV6.finditer(whole)}:
        if _tells(address):
            found["addresses", address] = None
    for host in {m[1] for m in _URL.finditer(result.target.name + " " + result.command)}:
        is_number = host[0] == "[" or host.replace(".", "").isdigit()
        if _tells(host) if is_number else host != "localhost" and not host.endswith(".test"):
            found["addresses" if is_number else "hosts", host] = None
    # Everything that would be replaced is known. It is numbered in sorted order, so that the same run always
    # gets the same words.
    counts: dict[Kind, int] = {}
    made = []
    for kind, text in sorted(found):
        counts[kind] = counts.get(kind, 0) + 1
        number = "" if counts[kind] == 1 else str(counts[kind])
        made.append(Redaction(kind, text, f"REDACTED-{kind[:-1].removesuffix('e').upper()}{number}"))
    return tuple(made)


def redacted(text: str, found: Iterable[Redaction], keep: Collection[str]) -> str:
    """The text with each redaction made, except for the kinds to keep; also where it stands escaped in JSON.

    A login within a URL is always replaced.
    """
    unknown = sorted(set(keep) - set(KINDS))
    if unknown:
        raise UsageError(f"--keep: {', '.join(unknown)}: no such kind; there are {', '.join(KINDS)}")
    text = _LOGIN.sub("REDACTED-LOGIN@", text)
    for one in sorted(found, key=lambda r: -len(r.found)):
        if one.kind in keep:
            continue
        for form in dict.fromkeys((one.found, json.dumps(one.found)[1:-1])):
            if one.kind in ("users", "hosts"):
                text = re.sub(_word(form), one.shown, text)
            else:
                text = text.replace(form, one.shown)
    return text


def _paths(folder: Path, result: RunResult) -> list[str]:
    known = [str(one) for one in (folder.resolve(), Path.cwd(), home()) if one is not None]
    known += [v for v in result.environment.values() if v.startswith("/") or v[1:3] == ":\\"]
    if result.target.name.startswith("mailpit:"):
        known.append(result.target.name.removeprefix("mailpit:"))
    return [p for p in dict.fromkeys(known) if len(p) > 1 and p not in ("/root", "/tmp")]


def _users(result: RunResult) -> list[str]:
    own = home()
    names = {result.environment.get("user", ""), own.name if own is not None else ""}
    try:
        names.add(getpass.getuser())
    except (KeyError, OSError):
        pass
    return sorted(n for n in names if len(n) >= 3 and n.lower() not in GENERIC)


def _hosts(result: RunResult) -> list[str]:
    names = {result.environment.get("host", ""), socket.gethostname()}
    names |= {one.machine.partition(", worker ")[0] for one in result.scenarios}
    return sorted(n for n in names if len(n) >= 3 and n.lower() not in GENERIC)


def _tells(address: str) -> bool:
    """Whether an address tells of a machine: no loopback, wildcard, section number or version does."""
    if address.startswith(("127.", "0.0.0.0", "localhost")) or address in ("::1", "[::1]"):
        return False
    parts = address.split(".")
    if len(parts) == 4 and all(p.isdigit() for p in parts):
        return all(int(p) < 256 for p in parts) and any(len(p) > 1 for p in parts)
    try:
        return not ip_address(address.strip("[]")).is_loopback and len(address) > 3
    except ValueError:
        return False


def _word(name: str) -> str:
    return rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])"
