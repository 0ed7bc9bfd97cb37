"""The one place where the versions differ: a table from the name after `embedded@` to what that one does.

Numbers in the comments are the releases that brought the change, as far as they are known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum


class TagWriting(Enum):
    """How a tag that may not exist yet comes into being."""

    CHECK_THEN_INSERT = "select, then insert"
    """Issue 283: two of them insert the same name."""
    UNDER_A_MUTEX = "the same under a mutex of the process"
    INSERT_OR_IGNORE = "insert or ignore, then select"


class ReadFlags(Enum):
    """How messages are marked read or unread."""

    LOOK_FIRST = "one by one, after asking whether it is unread"
    ONE_BY_ONE = "one by one"
    TOGETHER = "select those that change, then change them together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What sets a version apart.

    shown                     as `GET /info` names it
    is_atomic                 each operation is one transaction with all its causes and effects
    tags                      how tags are written
    tags_in_one_query         lists fetch the tags of a page at once, and tags are removed at once
    counts_tag_by_query       asks for a tag that is there already in a way that hears the answer
    read_flags                how read flags are changed
    queued_as_id              `250 2.0.0 Ok: queued as ID`
    forgets_failed_envelope   a refused DATA leaves no envelope behind
    is_strict_in_sequence     MAIL wants HELO, and no recipients of an earlier MAIL; sizes are limited
    checks_addresses          a malformed address is refused in MAIL and RCPT
    logs_replies              4yz and 5yz replies are logged
    keeps_header_bcc          recipients without a header are added to an existing Bcc, not put in its place
    compresses                `mailbox_data.Compressed` exists
    lists_username            rows carry Username, and lists of no addresses are null
    limit_zero_is_all         `limit=0` of a list is everything, of a search nothing
    has_read_search           read flags by search, `before=`, `messages_unread`
    has_tag_names             PUT and DELETE of a tag by its name
    has_send                  POST /send
    counts_are_whole          numbers of `GET /info` are whole
    tag_pattern               what a tag may not hold
    tag_length_max            0: any length
    message_id_name           how the header is spelt that is added to a mail without one
    deletion_type             Content-Type of the answer to a deletion by ID
    types_errors              errors of REST have a Content-Type, and 405 is told from 404
    ends_json_in_newline      documents end in one
    names_rqlite_errors       what rqlite found wrong with a statement is told, not only that something was
    checksums                 attachments carry MD5, SHA1 and SHA256
    """

    name: str
    shown: str
    is_atomic: bool
    tags: TagWriting
    tags_in_one_query: bool
    counts_tag_by_query: bool
    read_flags: ReadFlags
    queued_as_id: bool
    forgets_failed_envelope: bool
    is_strict_in_sequence: bool
    checks_addresses: bool
    logs_replies: bool
    keeps_header_bcc: bool
    compresses: bool
    lists_username: bool
    limit_zero_is_all: bool
    has_read_search: bool
    has_tag_names: bool
    has_send: bool
    counts_are_whole: bool
    tag_pattern: re.Pattern[str]
    tag_length_max: int
    message_id_name: str
    deletion_type: str
    types_errors: bool
    ends_json_in_newline: bool
    names_rqlite_errors: bool
    checksums: bool


_1_17_0 = Version(
    name="1.17.0",
    shown="v1.17.0",
    is_atomic=False,
    tags=TagWriting.CHECK_THEN_INSERT,
    tags_in_one_query=False,
    counts_tag_by_query=False,
    read_flags=ReadFlags.LOOK_FIRST,
    queued_as_id=False,
    forgets_failed_envelope=False,
    is_strict_in_sequence=False,
    checks_addresses=False,
    logs_replies=False,
    keeps_header_bcc=True,
    compresses=False,
    lists_username=False,
    limit_zero_is_all=False,
    has_read_search=False,
    has_tag_names=False,
    has_send=False,
    counts_are_whole=False,
    tag_pattern=re.compile(r"[^a-zA-Z0-9\- _.]"),
    tag_length_max=0,
    message_id_name="Message-Id",
    deletion_type="application/plain",
    types_errors=False,
    ends_json_in_newline=False,
    names_rqlite_errors=False,
    checksums=False,
)

_1_17_1 = replace(_1_17_0, name="1.17.1", shown="v1.17.1", tags=TagWriting.UNDER_A_MUTEX)

_1_27_11 = replace(
    _1_17_1,
    name="1.27.11",
    shown="v1.27.11",
    counts_tag_by_query=True,
    read_flags=ReadFlags.ONE_BY_ONE,
    queued_as_id=True,  # 1.18.1
    logs_replies=True,
    keeps_header_bcc=False,
    compresses=True,
    lists_username=True,
    limit_zero_is_all=True,  # 1.22.3
    has_read_search=True,
    has_tag_names=True,  # 1.19.0
    has_send=True,  # 1.18.0
    counts_are_whole=True,
    message_id_name="Message-ID",
    deletion_type="text/plain",
    ends_json_in_newline=True,
    names_rqlite_errors=True,
)

_1_30_5 = replace(
    _1_27_11,
    name="1.30.5",
    shown="v1.30.5",
    tags=TagWriting.INSERT_OR_IGNORE,  # 1.30.0
    tags_in_one_query=True,
    read_flags=ReadFlags.TOGETHER,
    is_strict_in_sequence=True,  # 1.28.4
    checks_addresses=True,
    tag_pattern=re.compile(r"[^a-zA-Z0-9\- _.@]"),
    tag_length_max=100,
    types_errors=True,
    checksums=True,
)

_fixed = replace(
    _1_30_5,
    name="fixed",
    shown="fixed",
    is_atomic=True,
    forgets_failed_envelope=True,
    keeps_header_bcc=True,
)

VERSIONS: Mapping[str, Version] = {v.name: v for v in (_fixed, _1_17_0, _1_17_1, _1_27_11, _1_30_5)}
"""What may stand after `embedded@`."""
