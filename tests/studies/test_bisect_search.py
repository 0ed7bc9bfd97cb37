"""The search alone: steps, both directions, versions that give no answer, going on from a file."""

from dataclasses import replace
from math import ceil, log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailrace.cli.bisecting import state_name
from mailrace.model.errors import UsageError
from mailrace.studies.bisect import Answer, Probed, Search, bisect, is_proved, told
from mailrace.studies.bisect_state import resumed, save
from mailrace.studies.versions import between, in_folder, in_order, target_of, targets_of


def probed(answer: Answer) -> Probed:
    return Probed(answer=answer, reason=f"{answer}.")


def asked(search: Search, answers: dict[str, Answer]) -> tuple[Search, list[str]]:
    order: list[str] = []

    def probe(version: str) -> Probed:
        order.append(version)
        return probed(answers[version])

    return bisect(search, probe), order


@given(st.integers(2, 200), st.data())
def test_it_finds_the_pair_in_log2_steps_in_both_directions(count: int, data: st.DataObject) -> None:
    versions = tuple(f"1.{i}.0" for i in range(count))
    change = data.draw(st.integers(1, count - 1))
    first, then = data.draw(st.sampled_from([(Answer.GOOD, Answer.BAD), (Answer.BAD, Answer.GOOD)]))
    answers = {v: first if i < change else then for i, v in enumerate(versions)}
    ends = (versions[0], versions[-1])
    good, bad = ends if first is Answer.GOOD else ends[::-1]
    search, order = asked(Search(versions=versions, good=good, bad=bad), answers)
    assert search.pair == (versions[change - 1], versions[change])
    assert is_proved(search)
    # The two ends are believed; they are probed only where they end up in the pair, for its proof.
    assert len([v for v in order if v not in ends]) <= ceil(log2(count))
    assert len(order) == len(set(order))


@given(st.integers(3, 30), st.data())
def test_versions_without_an_answer_are_passed_over_and_named(count: int, data: st.DataObject) -> None:
    versions = tuple(f"1.{i}.0" for i in range(count))
    change = data.draw(st.integers(1, count - 1))
    silent = data.draw(st.sets(st.sampled_from(versions[1:-1])))
    answers = {
        v: Answer.UNKNOWN if v in silent else Answer.GOOD if i < change else Answer.BAD
        for i, v in enumerate(versions)
    }
    search, _ = asked(Search(versions=versions, good=versions[0], bad=versions[-1]), answers)
    older, newer = (versions.index(v) for v in search.pair)
    assert older < change <= newer
    assert set(search.unknown) == set(versions[older + 1 : newer]) <= silent
    assert is_proved(search) == (newer == older + 1)


def test_an_end_that_is_not_what_was_said_is_told() -> None:
    search, _ = asked(Search(versions=("1", "2"), good="1", bad="2"), {"1": Answer.BAD, "2": Answer.BAD})
    assert not is_proved(search)
    assert told(search) == ("1 was said to be good, and is bad: bad.",)


def test_it_goes_on_from_its_file_and_asks_the_unknown_again(tmp_path: Path) -> None:
    search = Search(
        versions=("1", "2", "3", "4"),
        good="1",
        bad="4",
        answers={"2": probed(Answer.GOOD), "3": probed(Answer.UNKNOWN)},
    )
    save(tmp_path / "state.json", search, {"scenario": "s"})
    fresh = Search(versions=search.versions, good="1", bad="4")
    assert fresh.next() == "2"
    again = resumed(tmp_path / "state.json", fresh, {"scenario": "s"})
    assert dict(again.answers) == {"2": probed(Answer.GOOD)}
    assert again.next() == "3"


def test_a_file_of_another_question_is_refused(tmp_path: Path) -> None:
    search = Search(versions=("1", "2"), good="1", bad="2")
    save(tmp_path / "state.json", search, {"scenario": "s"})
    with pytest.raises(UsageError, match="another question"):
        resumed(tmp_path / "state.json", search, {"scenario": "t"})
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(UsageError, match="holds no bisection"):
        resumed(tmp_path / "state.json", search, {"scenario": "s"})


def test_what_another_question_has_otherwise_is_named(tmp_path: Path) -> None:
    search, asked = Search(versions=("1", "2"), good="1", bad="2"), {"rule": {"theta": 0.3}, "mailrace": "1"}
    save(tmp_path / "state.json", search, asked)
    for changed, said in (
        ({"rule": {"theta": 0.1}}, r"another confidence or number of trials\)"),
        ({"mailrace": "2", "digest": "d"}, r"another mailrace, another scenario\)"),
    ):
        with pytest.raises(UsageError, match=said):
            resumed(tmp_path / "state.json", search, asked | changed)
    with pytest.raises(UsageError, match=r"another range of versions\)"):
        resumed(tmp_path / "state.json", replace(search, versions=("1", "3", "2")), asked)


def test_versions_are_ordered_by_their_numbers() -> None:
    given_ = ["embedded@fixed", "embedded@1.30.5", "embedded@1.17.0", "embedded@1.27.11"]
    assert in_order(given_) == (
        "embedded@1.17.0",
        "embedded@1.27.11",
        "embedded@1.30.5",
        "embedded@fixed",
    )
    assert between("mailpit@1.30.5", "mailpit@1.17.0", ["mailpit@1.9.0", "mailpit@1.20.0"]) == (
        "mailpit@1.17.0",
        "mailpit@1.20.0",
        "mailpit@1.30.5",
    )


def test_words_for_versions() -> None:
    assert target_of("v1.30.5").text == "mailpit@1.30.5"
    found = targets_of("1.27.11, embedded@1.17.0,1.27.11")
    assert [target.text for target in found] == ["mailpit@1.27.11", "embedded@1.17.0"]
    with pytest.raises(UsageError, match="names none"):
        targets_of(" , ")
    with pytest.raises(UsageError, match="are one version"):
        between("mailpit@1.30.5", "mailpit@1.30.5", [])


def test_a_folder_of_binaries(tmp_path: Path) -> None:
    for name in ("mailpit-1.30.5", "mailpit-1.9.0", "mailpit-1.30.5.json", "other"):
        (tmp_path / name).touch()
    assert in_folder(tmp_path) == (f"mailpit:{tmp_path}/mailpit-1.9.0", f"mailpit:{tmp_path}/mailpit-1.30.5")
    with pytest.raises(UsageError, match="holds no file mailpit-VERSION"):
        in_folder(tmp_path / "none")


def test_a_state_file_has_a_short_name_of_its_own() -> None:
    long = "/".join(["a-long-folder-name"] * 20)
    one, other = state_name(f"s-mailpit:/{long}/good-bad"), state_name(f"s-mailpit:/{long}/good-other")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) < 200
    assert state_name("s-1.17.1-1.30.5") == "bisect-s-1.17.1-1.30.5.json"
