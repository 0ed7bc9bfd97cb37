"""Takes a suite; gives each hazardous read, with the operations that show it: a function for each hazard.

Only what the traffic shows is told, and only where another tester was at work at that time.
"""

from collections.abc import Iterator
from itertools import pairwise

from mailrace.model.attempt import Outcome
from mailrace.record.evidence import Evidence
from mailrace.record.recorded import Recorded
from mailrace.record.suite import Suite

POLLS_MIN = 3
"""This many looks at a count in a row, by one party, are a wait for it."""
PAGE_DEFAULT = 50
"""Rows that a list without a limit shows."""
NEAR_NS = 2_000_000_000
"""A mail that came this shortly before a read of the latest one may be what was meant, or what was read."""


def read_latest(suite: Suite) -> Iterator[Evidence]:
    """A read of the latest mail, without a search, shortly after a mail that was not the reader's own."""
    for read in suite.of("read_latest"):
        if read.query or not suite.others_at_work(read):
            continue
        near = suite.sent_between(read.invoked_ns - NEAR_NS, read.completed_ns)
        sent = next((one for one in near if suite.party(read) not in suite.owners(one)), None)
        if sent is not None:
            yield Evidence(f"{suite.who(read)}, while {suite.who(sent)} arrived", (read, sent))


def unfiltered_list(suite: Suite) -> Iterator[Evidence]:
    """A list that showed mails of other testers, or of unknown ones to several recipients."""
    for read in suite.of("list"):
        if not suite.others_at_work(read):
            continue
        shown = [suite.by_id[i].sent for i, _ in read.found if i in suite.by_id]
        foreign = next((sent for sent in shown if suite.is_of_others(sent, read)), None)
        if foreign is not None:
            yield Evidence(f"{suite.who(read)} showed what {suite.who(foreign)} brought", (read, foreign))
            continue
        nobody = {sent.recipients: sent for sent in shown if not suite.owners(sent)}
        if len(nobody) > 1:
            yield Evidence(
                f"{suite.who(read)} showed mails to {len(nobody)} different recipients, while other "
                "processes read mails too",
                (read, *[*nobody.values()][:2]),
            )


def search_too_wide(suite: Suite) -> Iterator[Evidence]:
    """A search that found a mail which is only for other testers."""
    for read in suite.of("search"):
        for server_id, _ in read.found:
            mail = suite.by_id.get(server_id)
            if mail is not None and suite.is_of_others(mail.sent, read):
                yield Evidence(
                    f"{suite.who(read)} also found the mail of {suite.who(mail.sent)}", (read, mail.sent)
                )
                break


def polled_count(suite: Suite) -> Iterator[Evidence]:
    """Looks at a count by a tester, one after the other until it changed, while others were at work."""
    for operations in suite.by_party.values():
        for run in _runs(operations):
            has_changed = any(a.total != b.total for a, b in pairwise(run))
            if len(run) >= POLLS_MIN and has_changed and suite.others_at_work(run[0]):
                yield Evidence(
                    f"{suite.who(run[0])} was asked {len(run)} times in a row, until the count changed",
                    tuple(run[:3]),
                )


def _runs(operations: tuple[Recorded, ...]) -> Iterator[list[Recorded]]:
    """The looks at a count of one party with nothing else between them."""
    run: list[Recorded] = []
    for one in operations:
        is_look = one.kind in ("list", "info") and one.total >= 0 and one.outcome is Outcome.OK
        if run and not (is_look and one.kind == run[0].kind):
            yield run
            run = []
        if is_look:
            run.append(one)
    yield run


def read_gone(suite: Suite) -> Iterator[Evidence]:
    """A read that was told 404, of a mail that another tester had deleted."""
    for one in suite.operations:
        if one.kind not in ("read_message", "read_raw") or one.code != 404:
            continue
        mail = suite.by_id.get(one.ids[0]) if one.ids else None
        gone = mail.deleted if mail is not None else None
        if gone is not None and suite.are_beside(suite.party(gone), suite.party(one)):
            yield Evidence(
                f"{suite.who(one)} was told 404, because {suite.who(gone)} had taken it", (gone, one)
            )


def first_page_only(suite: Suite) -> Iterator[Evidence]:
    """A first page of the default length that did not show everything, where no further page was read."""
    read_on = {(suite.party(one), one.query) for one in suite.of("list", "search") if one.start}
    for one in suite.of("list", "search"):
        is_first = one.limit == 0 and one.start == 0 and one.total > len(one.found) == PAGE_DEFAULT
        if is_first and (suite.party(one), one.query) not in read_on and suite.others_at_work(one):
            yield Evidence(f"{suite.who(one)} showed {len(one.found)} of {one.total} messages", (one,))
