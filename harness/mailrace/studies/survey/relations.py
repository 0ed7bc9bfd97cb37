"""Takes the table of operations; gives every pair in every relation, each as a scenario that can be kept."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations_with_replacement
from typing import NotRequired, TypedDict

from mailrace.model.operation import OPERATIONS, Effect
from mailrace.model.survey import PairVerdict, SurveyedPair
from mailrace.studies.survey.operations import DELETE, POP3_TWO, SAME_ID, TABLE, Subject, Surveyed

TAG = "{run}-{round}"
_NEW, _OTHER_NEW, _SECOND = f"{TAG}-n", f"{TAG}-m", f"{TAG}-u"


class GivenMessage(TypedDict):
    """A message that the store holds before, as a scenario file has it."""

    name: str
    tags: NotRequired[list[str]]


Given = tuple[GivenMessage, ...]
_ONE_HOLDER: Given = ({"name": "one", "tags": [TAG]}, {"name": "two"})
_TWO_HOLDERS: Given = ({"name": "one", "tags": [TAG]}, {"name": "two", "tags": [TAG]})
_TWO_TAGS: Given = ({"name": "one", "tags": [TAG]}, {"name": "two", "tags": [_SECOND]})


def _on(message: str, tag: str, known: str) -> Subject:
    besides = "two" if message == "one" else "one"
    return Subject(message, besides, tag, known, _SECOND if known == TAG else TAG)


MEETINGS: tuple[tuple[Given, Subject, Subject], ...] = (
    (_ONE_HOLDER, _on("one", _NEW, TAG), _on("one", _NEW, TAG)),
    (_ONE_HOLDER, _on("one", _NEW, TAG), _on("one", _OTHER_NEW, TAG)),
    (_ONE_HOLDER, _on("one", _NEW, TAG), _on("two", _NEW, TAG)),
    (_ONE_HOLDER, _on("two", TAG, TAG), _on("two", TAG, TAG)),
    (_ONE_HOLDER, _on("one", _NEW, TAG), _on("two", TAG, TAG)),
    (_TWO_HOLDERS, _on("one", _NEW, TAG), _on("two", TAG, TAG)),
    (_TWO_TAGS, _on("one", _NEW, TAG), _on("two", _OTHER_NEW, _SECOND)),
)
"""What is given, and what each side acts on. A pair has one scenario for each different relation of these."""

ALONE: tuple[Given, Subject, Subject] = (_ONE_HOLDER[:1], *MEETINGS[0][1:])
"""The store holds one message, on which both sides act."""

NAME_MAX = 64
"""Characters in the name of a scenario."""

_A_TAG = re.compile(r"\{run\}-\{round\}(?:-\w+)?")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two operations in one relation. `scenario`: the data of a scenario file that holds just this.

    setting   a further option that the server is started with, `ignore_duplicate_ids`; or ""
    """

    a: Surveyed
    b: Surveyed
    relation: str
    scenario: dict[str, object]
    setting: str = ""

    @property
    def refused_by_right(self) -> frozenset[str]:
        """See `refused_by_right`."""
        return refused_by_right((self.a, self.b))

    @property
    def name(self) -> str:
        """`send ∥ delete, the tag's last holder`: how reports and the state of a survey name it."""
        return self.undecided("").name

    def undecided(self, why: str) -> SurveyedPair:
        """Its line in the survey where it was not decided, or is not yet, with the reason."""
        return SurveyedPair(
            a=self.a.name,
            b=self.b.name,
            kinds=(self.a.kind, self.b.kind),
            relation=self.relation,
            verdict=PairVerdict.INCONCLUSIVE,
            why=why,
        )


def pairs() -> Iterator[Pair]:
    """Every pair of the operations that a scenario can hold, each in every relation of its own."""
    known = [one for one in TABLE if one.is_known]
    for a, b in combinations_with_replacement(known, 2):
        if not a.only_reads or not b.only_reads:
            yield from _in_all_relations(a, b)
    given, first, second = MEETINGS[2]
    yield _pair(SAME_ID, SAME_ID, "same Message-ID", given, [first, second], setting="ignore_duplicate_ids")
    given, first, second = MEETINGS[0]
    yield _pair(DELETE, POP3_TWO, "the same message", given, [first, second])


def _in_all_relations(a: Surveyed, b: Surveyed) -> Iterator[Pair]:
    found: dict[str, str] = {}
    for given, first, second in MEETINGS:
        for sides in ([first, second], [second, first]):
            actors = [one.form(side) for one, side in zip((a, b), sides, strict=True)]
            relation = relation_of(given, actors[0], actors[1])
            if _is_of_newest((a, b), given, actors):
                relation = "the newest message"
            asked = json.dumps([given, actors])
            if a is not b and found.get(relation, asked) != asked and relation == LAST_HOLDER:
                # Either side may be the one who acts on the message that the other's tag is about.
                relation = f"{relation}, the other way round"
            if relation not in found and asked not in found.values():
                found[relation] = asked
                yield _pair(a, b, relation, given, sides)
    # Where a search acts on several messages, each message is judged by itself. With one message the outcome
    # is judged as a whole, which sees more.
    given, first, second = ALONE
    actors = [one.form(side) for one, side in zip((a, b), (first, second), strict=True)]
    if any("query" in form for form in actors) and any(_names_only_one(form) for form in actors):
        yield _pair(a, b, "the only message", given, [first, second])


def _names_only_one(form: object) -> bool:
    """Whether the request names the message `one` and no other."""
    return set(re.findall(r'"(one|two)"', json.dumps(form))) == {"one"}


def _is_of_newest(both: tuple[Surveyed, Surveyed], given: Given, actors: Sequence[object]) -> bool:
    """Whether one asks for the newest message, whichever that is, and the other acts on that message."""
    newest = f'"{given[-1]["name"]}"'
    return any(
        one.kind == "view_latest" and newest in json.dumps(its)
        for one, its in zip(both, reversed(actors), strict=True)
    )


LAST_HOLDER = "the tag's last holder"


def relation_of(given: Given, mine: object, its: object) -> str:
    """What two requests have in common, in words, by the messages and tags that their text mentions."""
    holders = {tag: [g["name"] for g in given if tag in g.get("tags", ())] for tag in (TAG, _SECOND)}
    messages = [set(re.findall(r'"(one|two)"', json.dumps(each))) for each in (mine, its)]
    tags = [set(_A_TAG.findall(json.dumps(each))) for each in (mine, its)]
    if not (messages[0] or tags[0]) or not (messages[1] or tags[1]):
        return "everything"
    both = sorted(tags[0] & tags[1])
    shared = ["the same known tag" if holders.get(tag) else "the same new tag" for tag in both]
    if messages[0] & messages[1]:
        return ", ".join(["the same message", *shared[:1]])
    for one, other in ((0, 1), (1, 0)):
        held = [holders[tag] for tag in tags[other] if holders.get(tag)]
        if any(messages[one] & set(names) for names in held):
            is_last = any(set(names) <= messages[one] for names in held)
            return LAST_HOLDER if is_last else "one of the tag's holders"
    return shared[0] if shared else "nothing in common"


def _pair(
    a: Surveyed, b: Surveyed, relation: str, given: Given, sides: Sequence[Subject], setting: str = ""
) -> Pair:
    title = f"{a.name} beside {b.name}: {relation}"
    scenario = scenario_data((a, b), relation, title, given, sides)
    # A deletion of what another one deleted may hang a server (S4), whether at once or in turn.
    fresh = ["fresh"] if all(OPERATIONS[one.kind].effect & Effect.DELETES for one in (a, b)) else []
    if asked := [*fresh, *([setting] if setting else [])]:
        scenario["target"] = dict.fromkeys(asked, True)
    return Pair(a, b, relation, scenario, setting)


def refused_by_right(operations: Sequence[Surveyed]) -> frozenset[str]:
    """Kinds of operations that a server may rightly refuse in every order, so they promise nothing."""
    return frozenset(one.kind for one in operations if one.name == "rename to known")


def scenario_data(
    operations: Sequence[Surveyed], relation: str, title: str, given: Given, sides: Sequence[Subject]
) -> dict[str, object]:
    """The data of a scenario file that holds these operations, each acting on its side."""
    said = f"{' and '.join(one.name for one in operations)} {relation}".lower()
    name = re.sub(r"[^a-z0-9]+", "-", said).strip("-")
    if len(name) > NAME_MAX:
        name = f"{name[: NAME_MAX - 7]}-{sha256(name.encode()).hexdigest()[:6]}"
    return {
        "name": name,
        "title": title,
        "source": "written by mailrace survey",
        "given": list(given),
        "actors": [{one.kind: one.form(side)} for one, side in zip(operations, sides, strict=True)],
    }


def chosen(all_pairs: Iterable[Pair], only: Sequence[str]) -> list[Pair]:
    """The pairs in which both operations are among `only`; all of them where that is empty."""
    return [p for p in all_pairs if not only or (p.a.name in only and p.b.name in only)]
