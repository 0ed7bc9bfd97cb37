"""Takes raced rounds; gives what became of the mails (doubled, lost, untagged) and the tries spent. Pure.

The checkers ask whether the server kept its promises. This asks what the user is left with. One mail is what
has one Message-ID with `--ignore-duplicate-ids`, and otherwise one sender's message.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from mailrace.check import clean_tag
from mailrace.model.attempt import Outcome, RoundRecord, StoredMessage, Word
from mailrace.model.operation import Message, Send, ServerOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Counts of mails over all rounds that could be looked at.

    refused    first attempts that were not accepted, which the policy had to deal with
    doubled    mails with two or more copies
    lost       mails without a copy that the client was told are accepted
    given_up   mails without a copy that the client knows it did not deliver
    untagged   stored mails of which no copy has all the tags asked for
    extra      attempts after the first; those that `reconcile` did not have to make are not counted
    """

    rounds: int = 0
    mails: int = 0
    refused: int = 0
    doubled: int = 0
    lost: int = 0
    given_up: int = 0
    untagged: int = 0
    extra: int = 0

    @property
    def is_faultless(self) -> bool:
        """Whether every mail is there once, with its tags."""
        return not (self.doubled or self.lost or self.given_up or self.untagged)


def ledger(records: Iterable[RoundRecord], options: ServerOptions) -> Ledger:
    """What became of the raced mails; rounds that were lost or not verified are left out."""
    total: Counter[str] = Counter()
    for record in records:
        if record.stored is None or record.lost or not record.released_ns:
            continue
        total["rounds"] += 1
        for name, count in _of_round(record, options).items():
            total[name] += count
    return Ledger(**total)


def _of_round(record: RoundRecord, options: ServerOptions) -> dict[str, int]:
    mails: dict[str, list[Message]] = defaultdict(list)
    for operation in record.plan.operations:
        if isinstance(operation, Send):
            message = operation.message
            mails[message.message_id if options.ignore_duplicate_ids else message.key].append(message)
    raced = [a for a in record.attempts if a.actor >= 0 and a.message is not None]
    found = {"mails": len(mails), "refused": 0, "doubled": 0, "lost": 0, "given_up": 0, "untagged": 0}
    found["extra"] = sum(a.number > 1 and a.word is not Word.NOT_SENT for a in raced)
    for messages in mails.values():
        keys = {m.key for m in messages}
        own = [a for a in raced if a.message in keys]
        copies = [c for c in (record.stored.messages if record.stored else ()) if c.key in keys]
        found["refused"] += sum(a.number == 1 and a.outcome is not Outcome.OK for a in own)
        found["doubled"] += len(copies) > 1
        if not copies:
            is_promised = any(a.outcome is Outcome.OK for a in own)
            found["lost" if is_promised else "given_up"] += 1
        elif not any(_has_tags(copy, message) for copy in copies for message in messages):
            found["untagged"] += 1
    return found


def _has_tags(copy: StoredMessage, message: Message) -> bool:
    held = {tag.lower() for tag in copy.tags}
    return all(clean_tag(tag).lower() in held for tag in message.tags)
