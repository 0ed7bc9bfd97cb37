"""Text types of a scenario file: tag, header, name, version rule; each refuses with what is wrong and wanted.

The errors are `ValueError`s whose text stands in the mistake as it is ("…; what is wanted").
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mailrace.scenario.needs import fault as needs_fault
from mailrace.scenario.templates import LONGEST, expand
from mailrace.scenario.templates import fault as template_fault

TAG_LENGTH_MAX = 100
"""Newer Mailpits cut a tag there."""

LOCAL_PART_MAX = 64
"""The longest part before the @ of an address (RFC 5321 4.5.3.1.1)."""

MARKS = ("From", "To", "Cc", "Bcc", "Reply-To", "Message-ID", "X-Mailrace", "X-Tags")
"""Headers that tell runs, messages and attempts apart, or that add recipients or tags."""

GENERATED = ("Subject", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
"""Headers that every generated message has; with a second one it would be open which counts."""

_NAME = "[a-z0-9][a-z0-9-]{0,63}"
_GIVEN_NAME = "[a-z][a-z0-9-]{0,15}"
_PRINTABLE = re.compile(r"[ -~]*")


def _tag(text: str, known: tuple[str, ...] = tuple(LONGEST)) -> str:
    if wrong := template_fault(text, known):
        raise ValueError(wrong)
    if "," in text:
        raise ValueError(f'"{text}" holds a comma, which separates tags in X-Tags; write two tags')
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"{text!r} is not printable ASCII; give A-Z a-z 0-9 . _ - or space")
    full = expand(text, LONGEST)
    if not re.search(r"[A-Za-z0-9._-]", full):
        raise ValueError(
            f'"{text}" is empty once Mailpit has cleaned it; give at least one of A-Z a-z 0-9 . _ -'
        )
    if len(full) > TAG_LENGTH_MAX:
        raise ValueError(
            f"{len(full)} characters with templates filled in; Mailpit cuts at {TAG_LENGTH_MAX}, give fewer"
        )
    return text


def _shared_tag(text: str) -> str:
    return _tag(text, ("run", "round"))


def _own_tag(text: str) -> str:
    if "{run}" not in _shared_tag(text):
        raise ValueError(f'"{text}" may be a tag of messages that are not of this run; give one with {{run}}')
    return text


def _query(text: str) -> str:
    if wrong := template_fault(text, ("run", "round")):
        raise ValueError(wrong)
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"{text!r} is not printable ASCII; give a search as in Mailpit")
    if not any("{run}" in word and word[0] not in "-!" for word in re.findall(r'[^\s"]*"[^"]*"|\S+', text)):
        raise ValueError(
            f'"{text}" may match messages that are not of this run; give a term with {{run}},'
            " such as to:{round}.old@{run}.test"
        )
    return text


def _path(text: str) -> str:
    if wrong := template_fault(text, ("run", "round")):
        raise ValueError(wrong)
    if not re.fullmatch(r"/[!-~]*", text):
        raise ValueError(f'"{text}" is no path of the REST API; give one such as /api/v1/tags')
    return text


def _header_name(text: str) -> str:
    if not re.fullmatch(r"[!-9;-~]+", text):
        raise ValueError(
            f"{text!r} is no header name; give printable ASCII without spaces, colons or line breaks"
        )
    if text.lower() in {mark.lower() for mark in MARKS}:
        raise ValueError(f'"{text}" is set by mailrace itself, to tell messages apart; give another header')
    if text.lower() in {generated.lower() for generated in GENERATED}:
        raise ValueError(f'"{text}" is written by mailrace; give a message of your own with file')
    return text


def _header_value(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise ValueError(f"{text!r} holds a line break, which would begin another header; give one line")
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"{text!r} is not printable ASCII; give an encoded word (RFC 2047)")
    if len(text) > 900:
        raise ValueError(f"{len(text)} characters; give at most 900, as a line ends at 998 (RFC 5322 2.1.1)")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise ValueError(f'"{text}" is no name; give 1 to 64 of a-z, 0-9 and -, such as shared-new-tag')
    return text


def _given_name(text: str) -> str:
    if not re.fullmatch(_GIVEN_NAME, text):
        raise ValueError(f'"{text}" is no name; give 1 to 16 of a-z, 0-9 and -, a letter first, such as old')
    if re.fullmatch(r"[slg]\d+", text):
        raise ValueError(f'"{text}" is how mailrace numbers messages; give another name, such as old')
    return text


def _prose(text: str) -> str:
    return _one_line(text.replace("\n", " ")) and text.strip()


def _one_line(text: str) -> str:
    for character in text:
        if not character.isprintable():
            raise ValueError(f"holds U+{ord(character):04X}, which is not printable; remove it")
    return text


def _needs(text: str) -> str:
    if wrong := needs_fault(text):
        raise ValueError(wrong)
    return text


Tag = Annotated[str, AfterValidator(_tag)]
"""A tag of a sent message; {run}, {round} and {sender} are filled in."""
SharedTag = Annotated[str, AfterValidator(_shared_tag)]
"""A tag where there is no sender: {run} and {round} only."""
OwnTag = Annotated[str, AfterValidator(_own_tag)]
"""A tag that is renamed or deleted everywhere, so it must be the run's own."""
Query = Annotated[str, AfterValidator(_query)]
ApiPath = Annotated[str, AfterValidator(_path)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
GivenName = Annotated[
    str, AfterValidator(_given_name), Field(json_schema_extra={"pattern": f"^{_GIVEN_NAME}$"})
]
VersionRule = Annotated[str, AfterValidator(_needs)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Sentence = Annotated[str, Field(max_length=1000), AfterValidator(_prose)]
