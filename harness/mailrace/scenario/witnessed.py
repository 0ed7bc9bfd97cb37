"""Takes a witness out of anybody's run.json; gives why no run of ours can have recorded it."""

from collections.abc import Iterable
from hashlib import sha256

from mailrace.model.operation import Read, messages_of
from mailrace.model.request import OFFSET_US_MAX
from mailrace.model.result import Witness
from mailrace.scenario.actor import ACTORS_MAX, BODY_BYTES_MAX

DECOYS_MAX = 64
MESSAGES_MAX = 6_000
READS_MAX = 10_000


def why_not_recorded(witness: Witness, mails: Iterable[bytes]) -> str:
    """What in a witness no run of ours can have recorded, in words; "" where there is nothing of the kind.

    A run.json may be a stranger's, and its round is sent to a server, or written into a script. So its
    numbers must be in the ranges of a scenario's, and its texts must hold no line breaks.

    mails   the users' own messages that the run has kept
    """
    record = witness.record
    digests = {sha256(mail).hexdigest() for mail in mails}
    reads = [o for o in record.plan.operations if isinstance(o, Read)]
    messages = messages_of(record.plan).values()
    texts = [t for m in messages for t in (m.key, m.domain, m.message_id, m.subject, *m.recipients, *m.tags)]
    texts += [part for m in messages for header in m.headers for part in header]
    texts += [o.path for o in reads] + [getattr(o, "query", "") for o in record.plan.operations]
    # Each key says in the user's words what is wrong. Only the first one is told.
    wrong = {
        "its offsets": any(abs(one) > OFFSET_US_MAX for one in record.offsets_us),
        "its number of decoys": not 0 <= record.decoys <= DECOYS_MAX,
        "its number of actors": not 1 <= len(record.plan.operations) <= ACTORS_MAX,
        "its number of messages": len(messages) > MESSAGES_MAX,
        "the length of a message": any(not 0 <= m.body_bytes <= BODY_BYTES_MAX for m in messages),
        "the number of reads": any(not 0 <= o.times <= READS_MAX for o in reads),
        "a text with a line break": any(not text.isprintable() for text in texts),
        "a message that the run has not kept": any(
            m.file_sha256 not in digests for m in messages if m.file_sha256 is not None
        ),
    }
    return next((what for what, is_wrong in wrong.items() if is_wrong), "")
