"""Takes a suite; gives why its server's promises cannot be judged: somebody may have acted unseen.

A broken promise is told only where every operation that reached the store was seen. An operation that passed
unread, came by another way or was lost by the recorder may have deleted, doubled or retagged any mail.
"""

from collections.abc import Iterator

from mailrace.model.attempt import Outcome
from mailrace.record.http import WEB_SOCKET_WORDS
from mailrace.record.suite import Suite


def doubts(suite: Suite) -> tuple[str, ...]:
    """The reasons, a sentence each without its full stop; none where all was seen."""
    return tuple(_doubts(suite))


def _doubts(suite: Suite) -> Iterator[str]:
    ended = suite.ended
    if ended is None:
        yield "the recorder was killed, so what the store should hold at the end is not known"
        return
    if ended.failures:
        yield "operations may be missing in the record, such as a deletion or a second sending"
    if not ended.is_store_known:
        yield "the store was not read whole at the end"
    if unread := unread_connections(suite):
        yield (
            f"{unread} connection{'' if unread == 1 else 's'} passed unread, and what was done there "
            "may have deleted, doubled or retagged any mail"
        )
    # The server's own counters show whether others reached it; a server of ours is reached by nobody else.
    if not suite.begun.is_ours and ended.deleted > (explained := _deletions_explained(suite)):
        yield (
            f"the server counts {ended.deleted} deleted messages, and the record explains only {explained}: "
            "somebody deletes by another way, or the server's own limit (--max) does"
        )
    if not suite.begun.is_ours and ended.deleted < 0:
        yield "the server does not say how many messages were deleted, so somebody may do so by another way"
    sent = sum(one.outcome is not Outcome.FAIL for one in suite.operations if one.kind == "send")
    if ended.accepted > sent:
        yield (
            f"the server counts {ended.accepted} accepted mails, and the record has only {sent}: some do not "
            "come through the recorder"
        )


def _deletions_explained(suite: Suite) -> int:
    """Messages that were there before and are gone, and mails that the record's own deletions took."""
    held = {one.id for one in suite.held}
    taken = [m for m in suite.mails if m.deleted or (m.maybe_deleted and m.id not in held)]
    return suite.old_gone + len(taken)


def unread_connections(suite: Suite) -> int:
    """How many connections passed unread from some moment on; without web sockets, which change nothing."""
    return len({note.connection for note in suite.not_seen if note.why != WEB_SOCKET_WORDS})
