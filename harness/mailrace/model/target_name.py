"""Takes a target's name as a person writes it; gives what it asks for, or why it means nothing.

It stands in `model` because command lines, servers and the controls of scenario files share its grammar.
"""

import re
from dataclasses import dataclass
from typing import Literal

from mailrace.model.errors import TargetNameError
from mailrace.model.external_url import SCHEMES, parse_external
from mailrace.model.hints import nearest

EMBEDDED_VERSIONS = ("fixed", "1.17.0", "1.17.1", "1.27.11", "1.30.5", "1.33.1")
FORMS = "embedded[@VERSION], mailpit@VERSION, mailpit:PATH, http://HOST:8025?smtp=HOST:1025"

Kind = Literal["embedded", "mailpit", "file", "url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetName:
    """A parsed name: `text` as written, its `kind`, and the `version`, the file's `path` or the `url`."""

    text: str
    kind: Kind
    version: str = ""
    path: str = ""
    url: str = ""

    def __str__(self) -> str:
        return self.text


def is_by_version(name: str) -> bool:
    """Whether a target is named by its version alone, so that a stranger may name it.

    It is then neither a program, which would be run, nor an address, which would be reached. True also for a
    name that means nothing, which `parse_target` refuses.
    """
    try:
        return parse_target(name).kind in ("embedded", "mailpit")
    except TargetNameError:
        return True


def parse_target(name: str | TargetName) -> TargetName:
    """What a target's name asks for; one that is parsed already is given back. Touches nothing.

    Raises TargetNameError with the next step.
    """
    if isinstance(name, TargetName):
        return name
    text = name.strip()
    if not text:
        raise TargetNameError(name, f"nothing is named; wanted one of {FORMS}")
    if not text.isprintable():
        raise TargetNameError(name, f"holds what cannot be printed; wanted one of {FORMS}")
    # A URL holds both marks, `:` and `@`, so it is told apart before a name is split at them.
    if text.startswith(SCHEMES):
        parse_external(text)
        return TargetName(text=text, kind="url", url=text)
    if text in ("embedded", "mailpit"):
        if text == "embedded":
            return TargetName(text="embedded@fixed", kind="embedded", version="fixed")
        return TargetName(text=text, kind="file", path="mailpit")
    # What is left is KIND@VERSION or KIND:PATH, or nothing that we know.
    scheme, mark, rest = _split(text)
    if scheme == "embedded" and mark == "@":
        version = rest.removeprefix("v")
        if version in EMBEDDED_VERSIONS:
            return TargetName(text=f"embedded@{version}", kind="embedded", version=version)
        raise TargetNameError(name, _unknown(rest))
    if scheme == "mailpit" and mark == ":" and rest:
        return TargetName(text=text, kind="file", path=rest)
    if scheme == "mailpit" and mark == "@":
        version = rest.removeprefix("v")
        if re.fullmatch(r"\d{1,9}(\.\d{1,9}){2}", version):
            return TargetName(text=f"mailpit@{version}", kind="mailpit", version=version)
        raise TargetNameError(name, f"{rest!r} is no version; wanted three numbers, as in mailpit@1.30.5")
    raise TargetNameError(name, _unknown_scheme(name, scheme, mark, rest))


def _split(text: str) -> tuple[str, str, str]:
    found = re.match(r"([^@:]*)([@:]?)(.*)", text, re.DOTALL)
    assert found is not None
    return found[1], found[2], found[3]


def _unknown(version: str) -> str:
    near = nearest(version, EMBEDDED_VERSIONS, 0.5)
    hint = f"; did you mean embedded@{near}?" if near else ""
    return f"no version {version!r}; there are {', '.join(EMBEDDED_VERSIONS)}{hint}"


def _unknown_scheme(name: str, scheme: str, mark: str, rest: str) -> str:
    near = nearest(scheme.lower(), ("embedded", "mailpit", "http", "https"))
    guess = ""
    if near:
        versioned = near == "embedded" or (near == "mailpit" and mark != ":")
        guess = near + ("@" if versioned and rest else mark) + rest
    if guess in ("", name.strip()):
        return f"no such kind of target; wanted one of {FORMS}"
    return f"did you mean {guess}? Wanted one of {FORMS}"
