"""Views of one store that differ: each way that they can, typed in, and views that agree."""

from dataclasses import replace
from typing import Any

import pytest
from mailrace.check import check_round
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Disagreement, Stored, StoredMessage
from mailrace.model.errors import StoreChanged
from mailrace.model.operation import ReadMessage
from mailrace.targets.rows import Page
from mailrace.targets.views import disagreements

from tests.check.rounds import DOMAIN, PLAIN, copy, executed, mail

ONE, TWO = mail("g01", "T"), mail("g02", "U")
ROWS = (copy(ONE, "T", server_id="a", read=True), copy(TWO, "U", server_id="b"))
LISTED = Stored(messages=ROWS, tags=("T", "U"))


class FakeApi:
    """Shows the same everywhere, but for what a test changes: rows by query, numbers, pages."""

    def __init__(self) -> None:
        self.found = {f"to:@{DOMAIN}": ROWS, 'tag:"t"': ROWS[:1], 'tag:"u"': ROWS[1:]}
        self.found |= {f'subject:"{row.subject}"': (row,) for row in ROWS}
        self.numbers: dict[str, Any] = {"Messages": 2, "Unread": 1, "Tags": {"T": 1, "U": 1}}
        self.shown: dict[str, dict[str, object]] = {"a": {"Tags": ["T"]}, "b": {"Tags": ["U"]}}
        self.marked: list[str] = []
        self.listed = ROWS
        self.base_url = "http://here"

    def pages(self, query: str = "") -> tuple[Page, ...]:
        rows = self.found[query] if query else self.listed
        return (Page(total=2, matching=len(rows), messages=rows, tags=()),)

    def info(self) -> dict[str, Any]:
        return self.numbers

    def page_of_message(self, row_id: str) -> dict[str, object] | None:
        self.marked.append(row_id)
        return self.shown.get(row_id)


def looked(api: FakeApi, gone: dict[str, str] | None = None) -> tuple[Disagreement, ...]:
    return disagreements(api, LISTED, DOMAIN, gone or {})  # type: ignore[arg-type]


def test_views_that_agree_are_none_and_no_unread_message_is_marked() -> None:
    api = FakeApi()
    assert looked(api, {"z": "r00041g09"}) == ()
    assert api.marked == ["z", "a"], "what is gone is asked for, and what is read already"


def test_the_page_of_each_message_that_is_gone_is_asked_for() -> None:
    api = FakeApi()
    gone = {f"z{n}": f"r{n:05}g01" for n in range(60)}
    api.shown["z0"] = {}
    (two,) = looked(api, gone)
    assert two.key == "r00000g01"
    assert api.marked == [*gone, "a"]


def other(row: StoredMessage, *tags: str, read: bool) -> tuple[StoredMessage, ...]:
    return (copy(TWO, *tags, server_id=row.id, read=read),)


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (lambda api: api.found.update({f"to:@{DOMAIN}": ROWS[:1]}), TWO.key, "does not find it"),
        (lambda api: api.found.update({'tag:"u"': ()}), TWO.key, "does not find it"),
        (lambda api: api.found.update({'tag:"t"': ROWS}), TWO.key, "finds it"),
        (lambda api: api.found.update({f'subject:"{ROWS[1].subject}"': ()}), TWO.key, "subject:"),
        (lambda api: api.found.update({f'subject:"{ROWS[0].subject}"': ROWS}), TWO.key, "finds it"),
        (lambda api: api.found.update({'tag:"u"': other(ROWS[1], "U", read=True)}), TWO.key, "shows it read"),
        (lambda api: api.found.update({'tag:"u"': other(ROWS[1], read=False)}), TWO.key, "with tags []"),
        (lambda api: api.numbers.update({"Messages": 3}), "", "says 3"),
        (lambda api: api.numbers.update({"Unread": 0}), "", "says none"),
        (lambda api: api.numbers.update({"Tags": {"T": 2, "U": 1}}), "", "says 2"),
        (lambda api: api.numbers.update({"Tags": {"T": 1}}), "", "says none"),
        (lambda api: api.shown.update({"z": {}}), "r00041g09", "/z shows it"),
        (lambda api: api.shown.pop("a"), ONE.key, "answers that there is none"),
        (lambda api: api.shown.update({"a": {"Tags": []}}), ONE.key, "with tags []"),
    ],
)
def test_each_way_that_two_views_differ(change: Any, key: str, says: str) -> None:
    api = FakeApi()
    change(api)
    (two,) = looked(api, {"z": "r00041g09"})
    assert two.key == key
    assert says in two.other
    operations = (ReadMessage(key="read_message.1", message=ONE.key),)
    record = executed(operations, (), ROWS, given=(ONE, TWO))
    record = replace(record, stored=replace(LISTED, disagreeing=(two,)))
    (found,) = check_round(record, PLAIN)
    assert found.name is AnomalyName.VIEWS_DISAGREE
    assert two.one in found.proof
    assert two.other in found.proof


MANY = tuple(
    copy(mail(f"g{n:02d}", f"T{n}"), f"T{n}", server_id=f"m{n}", read=True) for n in reversed(range(12))
)


class HidingApi:
    """A mailbox of many, newest first, of which one view hides a message: searches are answered truly."""

    def __init__(self, hidden: str, view: str) -> None:
        self.hidden, self.view = hidden, view
        self.asked: list[str] = []

    def pages(self, query: str = "") -> tuple[Page, ...]:
        if not query:
            return (Page(total=len(MANY), matching=len(MANY), messages=MANY, tags=()),)
        self.asked.append(query)
        field, _, words = query.replace('"', "").partition(":")
        rows = tuple(
            row
            for row in MANY
            if {
                "to": words in row.to[0],
                "tag": words == row.tags[0].lower(),
                "subject": words in row.subject,
            }[field]
            and (row.id, field) != (self.hidden, self.view)
        )
        return (Page(total=len(MANY), matching=len(rows), messages=rows, tags=()),)

    def info(self) -> dict[str, Any]:
        return {"Tags": {row.tags[0]: 1 for row in MANY}}

    def page_of_message(self, row_id: str) -> dict[str, object] | None:
        self.asked.append(row_id)
        tags = next(row.tags for row in MANY if row.id == row_id)
        return None if (row_id, "page") == (self.hidden, self.view) else {"Tags": list(tags)}


@pytest.mark.parametrize("view", ["to", "tag", "subject", "page"])
@pytest.mark.parametrize("row", MANY, ids=lambda row: row.id)
def test_each_message_of_many_is_looked_for_in_each_view(row: StoredMessage, view: str) -> None:
    api = HidingApi(row.id, view)
    found = disagreements(api, Stored(messages=MANY, tags=()), DOMAIN, {})  # type: ignore[arg-type]
    assert {two.key for two in found} == {row.key}


def test_what_an_earlier_look_asked_for_is_not_asked_for_again() -> None:
    api = HidingApi("", "")
    known = {row.id for row in MANY[1:]}
    assert disagreements(api, Stored(messages=MANY, tags=()), DOMAIN, {}, known) == ()  # type: ignore[arg-type]
    assert [query for query in api.asked if not query.startswith("to:")] == [
        MANY[0].id,
        f'tag:"{MANY[0].tags[0].lower()}"',
        f'subject:"{MANY[0].subject}"',
    ]


@pytest.mark.parametrize("later", [ROWS[:1], (*ROWS, copy(mail("g03"), server_id="c"))])
def test_a_list_that_changes_meanwhile_is_no_second_view(later: tuple[StoredMessage, ...]) -> None:
    api = FakeApi()
    api.listed = later
    assert looked(api) == ()
    api.numbers["Messages"] = len(later)
    with pytest.raises(StoreChanged, match="its list changed while it was looked at"):
        looked(api)


@pytest.mark.parametrize("tags", [{}, {"T": 1, "U": 1, "V": 1}])
def test_tags_that_are_counted_nowhere_or_for_nobody_are_told(tags: dict[str, int]) -> None:
    api = FakeApi()
    api.numbers["Tags"] = tags
    assert {two.other for two in looked(api)} == (
        {"GET /api/v1/info says 1"} if tags else {"GET /api/v1/info says none"}
    )


def test_a_server_that_names_no_numbers_is_compared_by_what_it_shows() -> None:
    api = FakeApi()
    api.numbers = {"Version": "v1"}
    assert looked(api) == ()
