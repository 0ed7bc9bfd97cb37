"""The page of a record, the lines for a terminal, and the table of hazards in docs/record.md."""

from dataclasses import replace
from pathlib import Path

from mailrace.record.findings import findings_of
from mailrace.record.hazards import HAZARDS
from mailrace.report.recorded import headline, lines_of, record_page

from tests.record.traffic import BEGUN, ENDED, op, send, suite

DOCS = Path(__file__).parents[2] / "docs" / "record.md"
HOSTILE = "</script><script>alert(1)</script>\x1b[31m"


def test_the_table_of_hazards_in_the_docs_is_the_one_in_the_code() -> None:
    rows = [f"| `{one.name}` | {one.seen} | {one.why} | {one.remedy} |" for one in HAZARDS]
    table = ["| hazard | what is seen | why it matters | what to do |", "|---|---|---|---|", *rows, ""]
    assert DOCS.read_text(encoding="utf-8").endswith("\n".join(table))


def test_a_page_shows_what_happened_first_and_escapes_what_clients_sent() -> None:
    refused = send(1, "a", code=451, recipients=(HOSTILE,))
    begun = replace(BEGUN, command=f"mailrace record {HOSTILE}")
    found = findings_of(
        suite([refused, op("delete_all", 1.5, connection=2, code=200)], held=["a"], begun=begun)
    )
    page = record_page(found)
    assert page.index("rejected_but_stored") < page.index("What the suite does to itself")
    assert "<script>alert(1)" not in page
    assert "\x1b" not in page
    assert headline(found).startswith("The server broke a promise 1 time (rejected_but_stored)")


def test_without_the_store_at_the_end_nothing_is_said_of_it() -> None:
    found = findings_of(suite([send(1, "a")], ended=replace(ENDED, is_store_known=False)))
    assert (found.happened, found.judged, found.not_judged) == ((), 0, 1)
    assert "Whether the server kept its promises is not known" in record_page(found)
    assert found.status(counts_hazards=False) == 3


def test_where_nothing_was_recorded_it_is_said_how_the_suite_is_told_where_to_connect() -> None:
    found = findings_of(suite([]))
    assert headline(found).startswith("Nothing was recorded")
    assert "MAILPIT_URL" in "\n".join(lines_of(found))


def test_of_mails_that_cannot_be_told_apart_nothing_is_called_clean_and_it_is_said_what_helps() -> None:
    found = findings_of(suite([send(1, "a", message_id="", queued_as=""), send(9, "b")], held=["a", "b"]))
    assert headline(found).startswith("Nothing was found in what was seen, and not all could be looked at")
    text = "\n".join(lines_of(found))
    assert "1 mail could not be told from others in the store; give each mail a Message-ID" in text
    assert "may have deleted" not in text
    assert found.status(counts_hazards=False) == 3


def test_a_terminal_is_told_each_hazard_with_its_remedy_and_its_evidence() -> None:
    at_work = [op("search", t, query="subject:x", total=0, code=200) for t in (0, 9)]
    found = findings_of(
        suite([send(1, "a"), op("delete", 5, connection=2, ids=("ID-a",), code=200), *at_work])
    )
    text = "\n".join(lines_of(found))
    assert "deleted_unread, 1 time" in text
    assert "by process 2 (p2)" in text
    assert "what to do: " in text
