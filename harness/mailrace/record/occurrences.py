"""Takes a suite; gives each hazardous deletion, mail and tag, with what shows it: a function for each hazard.

Only what the traffic shows is told. What a tester does to its own mail is no hazard, and neither is anything
that is done while no other tester is at work.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

from mailrace.check.tags import tag_keys
from mailrace.model.attempt import Outcome
from mailrace.record.evidence import Evidence
from mailrace.record.recorded import Recorded
from mailrace.record.searches import search_of
from mailrace.record.suite import Suite

HANG_MENDED = (1, 30, 7)
"""From this version on no deletion hangs the server, even if its IDs were named before."""


def deleted_unread(suite: Suite) -> Iterator[Evidence]:
    """A deletion that took a mail of other testers before any reply had shown it to anybody."""
    for mail in suite.mails:
        gone = mail.deleted
        if gone is None or not suite.is_of_others(mail.sent, gone):
            continue
        if not suite.may_have_been_shown(mail, gone.completed_ns):
            yield Evidence(
                f"{suite.who(gone)} took the mail that {suite.who(mail.sent)} had brought, and nobody had "
                "been shown it yet",
                (mail.sent, gone),
            )


def delete_all_beside_others(suite: Suite) -> Iterator[Evidence]:
    """A deletion of everything by one tester while another was in the middle of something."""
    for gone in suite.of("delete_all"):
        for party in sorted(suite.others_at_work(gone))[:1]:
            last = suite.before(party, gone.invoked_ns)
            yield Evidence(
                f"{suite.who(gone)} came after {suite.who(last)}, whose process went on afterwards",
                (last, gone),
            )


def same_message_id(suite: Suite) -> Iterator[Evidence]:
    """A mail with the Message-ID of an earlier mail that certainly was not deleted before."""
    by_message_id: dict[str, list[Recorded]] = defaultdict(list)
    for mail in suite.mails:
        if mail.sent.message_id:
            by_message_id[mail.sent.message_id].append(mail.sent)
    lives = {mail.sent.number: mail for mail in suite.mails}
    for sends in by_message_id.values():
        for one, other in pairwise(sends):
            life = lives[one.number]
            is_gone = any(
                gone is not None and gone.completed_ns <= other.invoked_ns
                for gone in (life.deleted, life.maybe_deleted)
            )
            # One mail that goes to several recipients, each in a transaction of its own, is one mail.
            is_a_copy = one.digest == other.digest and suite.party(one) == suite.party(other)
            if not is_gone and not is_a_copy:
                yield Evidence(f"{suite.who(other)} has the Message-ID of {suite.who(one)}", (one, other))
                break


def blind_retry(suite: Suite) -> Iterator[Evidence]:
    """A mail that may be stored and was sent again by a process that had not asked the store in between."""
    last: dict[tuple[int, str], Recorded] = {}
    for one in suite.operations:
        party = suite.party(one)
        if one.kind in ("search", "list"):
            last = {key: send for key, send in last.items() if key[0] != party}
        elif one.kind == "send" and (one.message_id or one.digest):
            key = party, one.message_id or one.digest
            before = last.pop(key, None)
            if before is not None:
                yield Evidence(
                    f"{suite.who(one)} repeats a mail that was answered {before.code or 'not at all'}, "
                    "and the store was not asked in between",
                    (before, one),
                )
            # Refused before its content was sent, or cut off before the final dot, it cannot be stored.
            if one.outcome is Outcome.UNKNOWN or (one.code >= 400 and one.digest):
                last[key] = one


def shared_recipient(suite: Suite) -> Iterator[Evidence]:
    """A recipient that two testers used, to send or to ask for its mails, and that somebody searched."""
    sent_to: dict[str, dict[int, Recorded]] = defaultdict(dict)
    for one in suite.of("send"):
        if suite.party(one) in suite.testers:
            for recipient in one.recipients:
                sent_to[recipient.lower()].setdefault(suite.party(one), one)
    for recipient in sorted({*sent_to, *suite.asked_for}):
        asked = suite.users(recipient)
        users = {**asked, **sent_to.get(recipient, {})}
        if asked and (two := _beside(suite, users)):
            yield Evidence(f"{suite.who(two[0])} and {suite.who(two[1])} are both of {recipient}", two)


def shared_tag(suite: Suite) -> Iterator[Evidence]:
    """A tag that two testers used: sent, set or searched for, or on a mail that is for them."""
    by_tag: dict[str, dict[int, Recorded]] = defaultdict(dict)
    for one in suite.of("send", "set_tags", "search", "delete_search"):
        own = {suite.party(one)} & suite.testers.keys()
        users = own or (suite.owners(one) if one.kind == "send" else set())
        tags = tag_keys(one.tags) if one.tags else search_of(one.query).tags() if one.query else ()
        for tag in tags:
            for user in users:
                by_tag[tag].setdefault(user, one)
    for tag, used in by_tag.items():
        if two := _beside(suite, used):
            yield Evidence(f"{suite.who(two[0])} and {suite.who(two[1])} use the tag {tag!r}", two)


def _beside(suite: Suite, users: Mapping[int, Recorded]) -> tuple[Recorded, ...]:
    """The operations of the first two users that were at work at the same time; none where there are none."""
    pairs = (
        (users[one], users[other]) for one, other in combinations(users, 2) if suite.are_beside(one, other)
    )
    return next((pair for pair in pairs if pair[0] is not pair[1]), ())


def deleted_twice(suite: Suite) -> Iterator[Evidence]:
    """A deletion that names a message whose deletion was asked for before, or names one twice.

    Where only one process is involved, it does harm only on a version that hangs then.
    """
    first: dict[str, Recorded] = {}
    for one in suite.of("delete"):
        for server_id in one.ids:
            before = first.get(server_id, one)
            is_again = server_id in first or one.ids.count(server_id) > 1
            if is_again and (_may_hang(suite.begun.version) or suite.party(before) != suite.party(one)):
                yield Evidence(f"{suite.who(one)} names what {suite.who(before)} named", (before, one))
                break
        first.update({server_id: one for server_id in one.ids if server_id not in first})


def _may_hang(version: str) -> bool:
    """Whether that version hangs then, or is not known."""
    parts = version.removeprefix("v").split(".")
    return (
        not all(part.isdecimal() and len(part) < 10 for part in parts) or tuple(map(int, parts)) < HANG_MENDED
    )


def foreign_tag_edit(suite: Suite) -> Iterator[Evidence]:
    """A tag renamed or deleted by one tester that a mail of another carries."""
    by_tag: dict[str, list[Recorded]] = defaultdict(list)
    for mail in suite.mails:
        for tag in tag_keys(mail.sent.tags):
            by_tag[tag].append(mail.sent)
    for one in suite.of("rename_tag", "delete_tag"):
        carriers = (sent for tag in tag_keys(one.tags[:1]) for sent in by_tag[tag])
        sent = next((sent for sent in carriers if suite.is_of_others(sent, one)), None)
        if sent is not None:
            yield Evidence(f"{suite.who(one)} changed a tag of {suite.who(sent)}", (sent, one))
