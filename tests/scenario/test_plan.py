"""Laws of a plan: same seed, same plan; another seed, another; rounds independent; marks never collide."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.operation import Delete, DeleteSearch, Message, Send, SetTags, messages_of, respelt
from mailrace.scenario import Plan, Scenario, find, load, new_run, scenario_from, shipped

RUN = "mrk3f9x2ab"
FILES = find([str(shipped())])
anyone = st.sampled_from(FILES).map(cache(load))
seeds = st.integers(0, 2**64)
indices = st.integers(0, 99_999)


def made(**keys: Any) -> Scenario:
    return scenario_from({"name": "made", "title": "Made", **keys}, Path("made.race.yaml"))


def sent(plan: Plan, index: int = 41) -> list[Message]:
    return [op.message for op in plan.round(index).operations if isinstance(op, Send)]


@given(anyone, seeds, indices)
def test_same_seed_same_round(scenario: Scenario, seed: int, index: int) -> None:
    assert Plan(scenario, seed, RUN).round(index) == Plan(scenario, seed, RUN).round(index)


@given(anyone, seeds, seeds, indices)
def test_another_seed_another_round(scenario: Scenario, seed: int, other: int, index: int) -> None:
    first, second = (Plan(scenario, s, RUN).round(index) for s in (seed, other))
    assert (first == second) == (seed == other)


@settings(max_examples=30)
@given(anyone, seeds, st.lists(indices, min_size=2, max_size=6, unique=True))
def test_rounds_do_not_depend_on_each_other(scenario: Scenario, seed: int, order: list[int]) -> None:
    plan = Plan(scenario, seed, RUN)
    forth = {index: plan.round(index) for index in order}
    back = {index: plan.round(index) for index in reversed(order)}
    assert forth == back


@settings(max_examples=50)
@given(anyone, seeds, st.lists(indices, min_size=2, max_size=2, unique=True))
def test_no_mark_of_a_round_is_part_of_another_rounds(scenario: Scenario, seed: int, pair: list[int]) -> None:
    plan = Plan(scenario, seed, RUN)
    one, two = (plan.round(index) for index in pair)
    assert one.token not in " ".join(t for m in messages_of(two).values() for t in (*m.recipients, *m.tags))
    for message in messages_of(one).values():
        assert message.key == f"{one.token}{message.key[6:]}"
        assert re.fullmatch(r"r\d{5}[gsl]\d{2}", message.key)
        for address in message.recipients:
            assert address.startswith(f"{one.token}.")
            assert address.endswith(f"@{RUN}.test")
            assert len(address.partition("@")[0]) <= 64


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_run_tokens_are_of_one_form(first: bytes, second: bytes) -> None:
    assert re.fullmatch(r"mr[a-z0-9]{8}", new_run(first))
    assert (new_run(first) == new_run(second)) == (first == second)


@given(st.text("abcXYZ0-", min_size=7, max_size=30).filter(lambda t: sum(map(str.isalpha, t)) >= 6))
def test_spellings_are_equal_without_case_and_differ_with_it(tag: str) -> None:
    spellings = [respelt(tag, number) for number in range(64)]
    assert spellings[0] == tag
    assert len(set(spellings)) == 64
    assert {spelling.lower() for spelling in spellings} == {tag.lower()}


def test_a_round_as_it_is_planned() -> None:
    plan = Plan(
        made(
            given=[{"name": "old", "tags": ["{run}-{round}"], "count": 2}, {}],
            actors=[
                {
                    "send": {
                        "count": 2,
                        "tags": ["t-{round}-{sender}"],
                        "tags_via": "both",
                        "recipients": 2,
                        "bcc": 1,
                    }
                },
                {"delete": {"messages": ["old", "old"], "count": 2}},
                {"delete_search": {"query": "to:{round}.old@{run}.test"}},
                {"set_tags": {"messages": ["old"], "tags": []}},
            ],
        ),
        7,
        RUN,
    )
    planned = plan.round(41)
    assert plan.domain == "mrk3f9x2ab.test"
    assert planned.token == "r00041"
    assert [(m.key, m.to, m.x_tags) for m in planned.given] == [
        ("r00041g01", ("r00041.old@mrk3f9x2ab.test",), ("mrk3f9x2ab-r00041",)),
        ("r00041g02", ("r00041.old@mrk3f9x2ab.test",), ("mrk3f9x2ab-r00041",)),
        ("r00041g03", ("r00041.g03@mrk3f9x2ab.test",), ()),
    ]
    assert [op.key for op in planned.operations] == [
        *("send.1", "send.2", "delete.1", "delete.2", "delete_search.1", "set_tags.1")
    ]
    second = sent(plan)[1]
    assert second.to == (
        "r00041.s02+t-r00041-s02@mrk3f9x2ab.test",
        "r00041.s02.t02@mrk3f9x2ab.test",
    )
    assert second.bcc == ("r00041.s02.b01@mrk3f9x2ab.test",)
    assert second.x_tags == second.plus_tags == ("t-r00041-s02",)
    assert re.fullmatch(r"r00041s02\.[a-z0-9]{8}@mrk3f9x2ab\.test", second.message_id)
    assert planned.operations[2] == Delete(
        key="delete.1", messages=("r00041g01", "r00041g02", "r00041g01", "r00041g02")
    )
    assert planned.operations[4] == DeleteSearch(key="delete_search.1", query="to:r00041.old@mrk3f9x2ab.test")
    assert planned.operations[5] == SetTags(key="set_tags.1", messages=("r00041g01", "r00041g02"), tags=())


@pytest.mark.parametrize(
    ("via", "x_tags", "plus_tags"),
    [("x-tags", ("T",), ()), ("plus", (), ("T",)), ("both", ("T",), ("T",))],
)
def test_tags_go_the_way_that_is_asked_for(
    via: str, x_tags: tuple[str, ...], plus_tags: tuple[str, ...]
) -> None:
    plan = Plan(made(actors=[{"send": {"count": 2, "tags": ["T"], "tags_via": via}}]), 1, RUN)
    for message in sent(plan):
        assert (message.x_tags, message.plus_tags) == (x_tags, plus_tags)
        assert message.to[0].partition("@")[0].endswith("+T") == bool(plus_tags)


def test_a_shared_message_id_is_new_each_round() -> None:
    plan = Plan(made(actors=[{"send": {"count": 3, "message_id": "shared"}}]), 1, RUN)
    (third,), (fourth,) = ({m.message_id for m in sent(plan, index)} for index in (3, 4))
    assert re.fullmatch(r"r00003\.shared\.[a-z0-9]{8}@mrk3f9x2ab\.test", third)
    assert re.fullmatch(r"r00004\.shared\.[a-z0-9]{8}@mrk3f9x2ab\.test", fourth)


def test_a_lead_goes_before_each_senders_message() -> None:
    plan = Plan(made(actors=[{"send": {"count": 2, "lead": "malformed"}}]), 1, RUN)
    leads = [op.lead for op in plan.round(0).operations if isinstance(op, Send)]
    assert [(lead.key, lead.malformed) for lead in leads if lead] == [
        ("r00000l01", True),
        ("r00000l02", True),
    ]


def test_a_message_file_stands_in_the_plan_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(b"Subject: x\n\nbody\n")
    scenario = scenario_from(
        {"name": "own", "title": "Own", "actors": [{"send": {"count": 2, "file": "mail.eml"}}]},
        tmp_path / "own.race.yaml",
    )
    plan = Plan(scenario, 1, RUN)
    digest = sent(plan)[0].file_sha256
    assert digest is not None
    assert plan.contents == {digest: b"Subject: x\n\nbody\n"}


@pytest.mark.parametrize("index", [-1, 100_000])
def test_a_round_without_a_token_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="rounds go from 0 to 99999"):
        Plan(load(FILES[0]), 1, RUN).round(index)


@pytest.mark.parametrize(
    ("actors", "more", "needs"),
    [
        ([{"send": {"count": 2}}], {}, ""),
        ([{"send": {"count": 2, "via": "rest"}}], {}, ">=1.18.0"),
        ([{"send": {}}, {"delete_tag": {"tag": "{run}-{round}"}}], {}, ">=1.19.0"),
        ([{"send": {"count": 2, "via": "rest"}}], {"target": {"tags_disable": ["x-tags"]}}, ">=1.19.0"),
        ([{"send": {}}, {"rename_tag": {"tag": "{run}", "to": "b"}}], {"needs": "==1.27.11"}, "==1.27.11"),
    ],
)
def test_what_is_left_out_of_a_scenario_is_derived(
    actors: list[object], more: dict[str, object], needs: str, tmp_path: Path
) -> None:
    found = scenario_from({"name": "my-own-race", "actors": actors, **more}, tmp_path)
    assert (found.needs, found.title) == (needs, "My own race")
    assert scenario_from(found.as_data(), tmp_path).as_data() == found.as_data()
