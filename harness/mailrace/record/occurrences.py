"""A suite in, each occurrence of a hazard out, with the operations that show it; one hazard a function.

Only what the traffic shows is told; what a process does to its own mail is no hazard between processes.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailrace.check.tags import tag_keys
from mailrace.model.attempt import Outcome
from mailrace.record.recorded import Recorded
from mailrace.record.suite import Mail, Suite

POLLS_MIN = 3
"""So many looks at a count in a row, by one party, are a wait for it."""
PAGE_DEFAULT = 50
"""Rows that a list without a limit shows."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One occurrence: what was seen, in a sentence, and the operations that show it."""

    sentence: str
    operations: tuple[Recorded, ...]


def deleted_unread(suite: Suite) -> Iterator[Evidence]:
    """A deletion that took the mail of another process before any reply had shown it to anybody."""
    for mail in suite.mails.values():
        gone = mail.deleted
        if gone is None or suite.party(gone) == suite.party(mail.sent):
            continue
        if not any(shown.completed_ns <= gone.completed_ns for shown in mail.shown):
            yield Evidence(
                f"{suite.who(gone)} took the mail that {suite.who(mail.sent)} had brought, and nobody had "
                "been shown it yet",
                (mail.sent, gone),
            )


def delete_all_beside_others(suite: Suite) -> Iterator[Evidence]:
    """A deletion of everything by one process, between two operations of another."""
    for gone in suite.of("delete_all"):
        others = [
            one
            for one in suite.of("send", "read_message", "read_raw", "search")
            if suite.party(one) != suite.party(gone)
        ]
        before = [one for one in others if one.completed_ns <= gone.invoked_ns]
        after = [one for one in others if one.invoked_ns >= gone.completed_ns]
        # The other party was at work before and went on afterwards: it was in the middle of something.
        working = {suite.party(one) for one in before} & {suite.party(one) for one in after}
        if working:
            last = max((x for x in before if suite.party(x) in working), key=lambda x: x.completed_ns)
            yield Evidence(
                f"{suite.who(gone)} came after {suite.who(last)}, which was not done", (last, gone)
            )


def read_latest(suite: Suite) -> Iterator[Evidence]:
    """A read of the latest mail while a mail of another process arrived."""
    for read in suite.of("read_latest"):
        if beside := _strangers_beside(suite, read):
            yield Evidence(f"{suite.who(read)}, while {suite.who(beside)} arrived", (read, beside))


def unfiltered_list(suite: Suite) -> Iterator[Evidence]:
    """A list whose rows are mails of several processes."""
    for read in suite.of("list"):
        others = {suite.party(suite.mails[i].sent) for i, _ in read.found if i in suite.mails}
        if others - {suite.party(read)} and len(others) > 1:
            yield Evidence(f"{suite.who(read)} showed the mails of {len(others)} processes", (read,))


def search_too_wide(suite: Suite) -> Iterator[Evidence]:
    """A search by a process that also found a mail that only others wait for."""
    wanted = _wanted_by(suite)
    for read in suite.of("search"):
        party = suite.party(read)
        foreign = [i for i, _ in read.found if wanted.get(i) and party not in wanted[i]]
        if foreign:
            mail = suite.mails[foreign[0]]
            yield Evidence(
                f"{suite.who(read)} also found the mail of {suite.who(mail.sent)}", (read, mail.sent)
            )


def polled_count(suite: Suite) -> Iterator[Evidence]:
    """Looks at a count by one process, until others had changed it."""
    looks: dict[int, list[Recorded]] = defaultdict(list)
    for one in suite.of("list", "info"):
        looks[suite.party(one)].append(one)
    for party, seen in looks.items():
        run = [one for one in seen if one.total >= 0]
        rising = sum(b.total != a.total for a, b in pairwise(run))
        strangers = {suite.party(one) for one in suite.of("send")} - {party}
        if len(run) >= POLLS_MIN and rising and strangers:
            yield Evidence(
                f"{suite.who(run[0])} was asked {len(run)} times, until the count changed", tuple(run[:3])
            )


def same_message_id(suite: Suite) -> Iterator[Evidence]:
    """A mail that has the Message-ID of an earlier one."""
    by_id: dict[str, list[Recorded]] = defaultdict(list)
    for one in suite.of("send"):
        if one.message_id:
            by_id[one.message_id].append(one)
    for sends in by_id.values():
        if len(sends) > 1:
            yield Evidence(
                f"{suite.who(sends[1])} has the Message-ID of {suite.who(sends[0])}", tuple(sends[:2])
            )


def blind_retry(suite: Suite) -> Iterator[Evidence]:
    """A mail sent again after a refusal, by a process that had not asked the store in between."""
    last: dict[tuple[int, str], Recorded] = {}
    for one in suite.operations:
        party = suite.party(one)
        if one.kind in ("search", "list"):
            last = {key: send for key, send in last.items() if key[0] != party}
        elif one.kind == "send" and (one.message_id or one.digest):
            key = party, one.message_id or one.digest
            before = last.get(key)
            if before is not None and before.outcome is not Outcome.OK:
                yield Evidence(
                    f"{suite.who(one)} repeats a mail that was answered {before.code or 'not at all'}, "
                    "and the store was not asked in between",
                    (before, one),
                )
            last[key] = one


def shared_recipient(suite: Suite) -> Iterator[Evidence]:
    """A recipient to whom two processes sent."""
    by_recipient: dict[str, dict[int, Recorded]] = defaultdict(dict)
    for one in suite.of("send"):
        for recipient in one.recipients:
            by_recipient[recipient.lower()].setdefault(suite.party(one), one)
    for recipient, sends in by_recipient.items():
        if len(sends) > 1:
            one, other = list(sends.values())[:2]
            yield Evidence(f"{suite.who(one)} and {suite.who(other)} both went to {recipient}", (one, other))


def shared_tag(suite: Suite) -> Iterator[Evidence]:
    """A tag that two processes used."""
    by_tag: dict[str, dict[int, Recorded]] = defaultdict(dict)
    for one in suite.of("send", "set_tags"):
        for tag in tag_keys(one.tags):
            by_tag[tag].setdefault(suite.party(one), one)
    for tag, users in by_tag.items():
        if len(users) > 1:
            one, other = list(users.values())[:2]
            yield Evidence(f"{suite.who(one)} and {suite.who(other)} use the tag {tag!r}", (one, other))


def deleted_twice(suite: Suite) -> Iterator[Evidence]:
    """A deletion that names a message whose deletion was asked for before, or names one twice."""
    first: dict[str, Recorded] = {}
    for one in suite.of("delete"):
        for server_id in one.ids:
            if server_id in first or one.ids.count(server_id) > 1:
                before = first.get(server_id, one)
                yield Evidence(f"{suite.who(one)} names what {suite.who(before)} named", (before, one))
                break
        first.update({server_id: one for server_id in one.ids if server_id not in first})


def read_gone(suite: Suite) -> Iterator[Evidence]:
    """A read that was told 404, of a mail that another process had deleted."""
    for one in suite.operations:
        if one.kind not in ("read_message", "read_raw") or one.code != 404:
            continue
        mail = suite.mails.get(one.ids[0]) if one.ids else None
        gone = mail.deleted if mail is not None else None
        if gone is not None and suite.party(gone) != suite.party(one):
            yield Evidence(f"{suite.who(one)} was told 404, for {suite.who(gone)} had taken it", (gone, one))


def first_page_only(suite: Suite) -> Iterator[Evidence]:
    """A page of the default length that did not show all that there was."""
    for one in suite.of("list", "search"):
        if one.total > len(one.found) == PAGE_DEFAULT:
            yield Evidence(f"{suite.who(one)} showed {len(one.found)} of {one.total} messages", (one,))


def foreign_tag_edit(suite: Suite) -> Iterator[Evidence]:
    """A tag renamed or deleted by one process that a mail of another carries."""
    for one in suite.of("rename_tag", "delete_tag"):
        tag = tag_keys(one.tags[:1])
        for mail in suite.mails.values():
            if tag & tag_keys(mail.sent.tags) and suite.party(mail.sent) != suite.party(one):
                yield Evidence(f"{suite.who(one)} changed a tag of {suite.who(mail.sent)}", (mail.sent, one))
                break


def _strangers_beside(suite: Suite, read: Recorded) -> Recorded | None:
    """A mail of another party that came shortly before the read or during it."""
    shown = {server_id for server_id, _ in read.found}
    for mail in suite.mails.values():
        near = read.invoked_ns - 2_000_000_000 <= mail.sent.completed_ns <= read.completed_ns
        if near and suite.party(mail.sent) != suite.party(read) and (mail.id not in shown or len(shown) == 1):
            return mail.sent
    return None


def _wanted_by(suite: Suite) -> dict[str, set[int]]:
    """By server ID, the parties that a mail is for: those that sent it or asked for its recipient by name.

    A process that only sends is the application under test: it is no party that waits for mail.
    """
    readers = {suite.party(one) for one in suite.of("search", "list", "read_message", "read_raw")}
    wanted: dict[str, set[int]] = defaultdict(set)
    for mail in suite.mails.values():
        if suite.party(mail.sent) in readers:
            wanted[mail.id].add(suite.party(mail.sent))
    for read in suite.of("search"):
        for mail in _named(suite, read):
            wanted[mail.id].add(suite.party(read))
    return wanted


def _named(suite: Suite, read: Recorded) -> Iterator[Mail]:
    """The mails that a search found by the whole address of one of their recipients."""
    for server_id, _ in read.found:
        mail = suite.mails.get(server_id)
        if mail is not None and any(r and r.lower() in read.query.lower() for r in mail.sent.recipients):
            yield mail
