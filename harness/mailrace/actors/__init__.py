"""What a round can hold: each operation as a script of commands and replies, without IO.

`script_of` turns an operation into its script; `Conversation` drives it over a parser that belongs to the
connection (`ReplyParser` for SMTP, `ResponseParser` for HTTP, `Pop3Parser`) and holds back its last byte.
"""

from collections.abc import Mapping

from mailrace.actors.conversation import Conversation, Parser
from mailrace.actors.http import ResponseParser, exchange
from mailrace.actors.link import Link
from mailrace.actors.loop import Loop
from mailrace.actors.mail import relayed_of, render
from mailrace.actors.pop3 import Pop3Parser, session
from mailrace.actors.release import all_idle, all_prepared, release_together
from mailrace.actors.script import Ending, Script
from mailrace.actors.smtp import opening, reset, transaction
from mailrace.model.errors import InternalError
from mailrace.model.operation import Operation, Pop3Delete, Pop3Retrieve, Send, protocol_of

__all__ = [
    "Conversation",
    "Ending",
    "Link",
    "Loop",
    "ResponseParser",
    "Script",
    "all_idle",
    "all_prepared",
    "is_smtp",
    "opening",
    "relayed_of",
    "release_together",
    "render",
    "reset",
    "script_of",
    "transaction",
]


def is_smtp(operation: Operation) -> bool:
    """Whether the operation goes over an SMTP connection."""
    return protocol_of(operation) == "smtp"


def script_of(
    operation: Operation,
    attempt: int,
    ids: Mapping[str, str],
    contents: Mapping[str, bytes],
    parser: Parser,
    *,
    api: str,
    auth: tuple[str, str] | None = None,
    together: bool = False,
) -> Script:
    """The script of one attempt of `operation` on a connection whose parser is given.

    ids        server IDs of the round's given messages, by key
    contents   the users' own message files, by SHA-256
    api        the target's REST root, for operations over HTTP
    auth       its credentials for the protocol of the operation
    together   write the commands before the content at once (`transaction`)
    """
    if isinstance(operation, Send) and operation.via == "smtp":
        content = render(operation.message, attempt, contents)
        return transaction(
            operation.message, content, ignore_mail_reply=operation.ignore_mail_reply, together=together
        )
    if isinstance(operation, Pop3Retrieve | Pop3Delete) and isinstance(parser, Pop3Parser) and auth:
        return session(operation, ids, parser, auth)
    # All else is one HTTP request, so one exchange serves every other operation.
    if protocol_of(operation) != "http" or not isinstance(parser, ResponseParser):
        word = protocol_of(operation).upper()
        raise InternalError(f"{operation.key} goes over {word} and was given a connection of another kind")
    return exchange(operation, attempt, ids, contents, parser, api=api, auth=auth)
