"""Takes a scenario whose values are each valid; gives the contradictions between them.

A rule yields (path, what is wrong; what is wanted). Each rule is one function in `RULES`, so that a file's
contradictions are all found in one go.
"""

import re
from collections.abc import Callable, Iterator

from mailrace.model.errors import TargetNameError
from mailrace.model.hints import did_you_mean
from mailrace.model.target_name import parse_target
from mailrace.scenario.actor import ACTORS_MAX, Actor, SendActor
from mailrace.scenario.explain import shown
from mailrace.scenario.needs import applies, demands
from mailrace.scenario.read import Fault, Path
from mailrace.scenario.scenario import Scenario, server_options
from mailrace.scenario.templates import LONGEST, expand
from mailrace.scenario.texts import LOCAL_PART_MAX

GIVEN_MAX = 99

Findings = Iterator[tuple[Path, str]]


def _one_key(scenario: Scenario) -> Findings:
    for index, actor in enumerate(scenario.actors):
        if len(actor.kinds) > 1:
            yield ("actors", index), f"{' and '.join(actor.kinds)} in one entry; write one entry for each"
        elif not actor.kinds:
            yield ("actors", index), f"does nothing; give one of {', '.join(Actor.model_fields)}"


def _enough_actors(scenario: Scenario) -> Findings:
    if any(len(actor.kinds) != 1 for actor in scenario.actors):
        return
    count = scenario.actor_count
    if count > ACTORS_MAX:
        yield ("actors",), f"{count} actors in all; give at most {ACTORS_MAX}"
    elif count == 1:
        kind = scenario.actors[0].kind
        who = "sender" if kind == "send" else "actor"
        yield ("actors", 0, kind, "count"), f"1 {who} cannot race; give 2 to {ACTORS_MAX}"
    elif all(actor.kind == "read" for actor in scenario.actors):
        yield ("actors",), "readers alone cannot race; add an actor that changes something, such as send"


def _given(scenario: Scenario) -> Findings:
    seen: set[str] = set()
    for index, given in enumerate(scenario.given):
        if given.name in seen:
            yield ("given", index, "name"), f'"{given.name}" names an entry above too; give each its own'
        if given.name is not None:
            seen.add(given.name)
    if (total := sum(given.count for given in scenario.given)) > GIVEN_MAX:
        yield ("given",), f"{total} messages in all; give at most {GIVEN_MAX}"


def _references(scenario: Scenario) -> Findings:
    counts = {given.name: given.count for given in scenario.given if given.name is not None}
    names = list(counts)
    for index, actor in enumerate(scenario.actors):
        for path, name in _names_in(("actors", index), actor):
            if name not in names:
                known = f"give one of {', '.join(names)}" if names else "add it to given, with this name"
                yield path, f'"{name}" is no given message{did_you_mean(name, names, known)}'
            elif path[-1] == "message" and (many := counts[name]) > 1:
                yield path, f'"{name}" stands for {many} messages; name one that has no count'


def _names_in(path: Path, actor: Actor) -> Findings:
    """Where an actor names a given message, and the name."""
    for kind in actor.kinds:
        spec = getattr(actor, kind)
        if (name := getattr(spec, "message", None)) is not None:
            yield (*path, kind, "message"), name
        for place, name in enumerate(getattr(spec, "messages", ())):
            yield (*path, kind, "messages", place), name


def _set_read(scenario: Scenario) -> Findings:
    for index, actor in enumerate(scenario.actors):
        if actor.set_read is not None and actor.set_read.messages and actor.set_read.query is not None:
            yield ("actors", index, "set_read", "query"), "is refused beside messages; give one of them"


def _senders(scenario: Scenario) -> Iterator[tuple[Path, SendActor]]:
    for index, actor in enumerate(scenario.actors):
        if actor.send is not None:
            yield ("actors", index, "send"), actor.send


def _message(scenario: Scenario) -> Findings:
    for path, send in _senders(scenario):
        if send.file is not None and "body_bytes" in send.model_fields_set:
            yield (*path, "body_bytes"), "the body is that of file; leave out body_bytes or file"
        if send.file is None and send.keep_tags:
            yield (*path, "keep_tags"), "is about the tags of a file; give file, or leave it out"
        lower = [name.lower() for name in send.headers]
        for name in send.headers:
            if lower.count(name.lower()) > 1:
                yield (*path, "headers", name), "differs from another header only in case; keep one"


def _shared_id(scenario: Scenario) -> Findings:
    shared = [(path, send) for path, send in _senders(scenario) if send.message_id == "shared"]
    if len(shared) == 1 and shared[0][1].count == 1:
        yield (*shared[0][0], "message_id"), "shared with no other sender; give count 2 or more, or own"


def _tags(scenario: Scenario) -> Findings:
    for path, send in _senders(scenario):
        if not send.tags and send.tags_via != "x-tags":
            yield (*path, "tags_via"), f"{send.tags_via} without tags; give tags"
        if send.tag_case == "vary" and (not send.tags or send.count == 1):
            yield (*path, "tag_case"), "vary needs tags and 2 or more senders; give them, or as-written"
        if send.tags_via == "x-tags":
            continue
        fits = True
        for place, tag in enumerate(send.tags):
            if not re.fullmatch(r"[A-Za-z0-9._-]+", expand(tag, LONGEST)):
                fits = False
                yield (*path, "tags", place), f'"{tag}" cannot stand in an address; give A-Z a-z 0-9 . _ -'
        length = len("+".join(["r00000.s00", *(expand(tag, LONGEST) for tag in send.tags)]))
        if fits and length > LOCAL_PART_MAX:
            limit = f"give at most {LOCAL_PART_MAX} (RFC 5321), with fewer or shorter tags"
            yield (*path, "tags"), f"{length} characters before the @ of the plus-address; {limit}"


def _rest(scenario: Scenario) -> Findings:
    for path, send in _senders(scenario):
        if send.via == "rest":
            for key in ("file", "lead", "ignore_mail_reply", "bcc"):
                if getattr(send, key):
                    yield (*path, key), "is of SMTP and cannot go by rest; leave it out, or give via: smtp"


def _session(scenario: Scenario) -> Findings:
    for path, send in _senders(scenario):
        if send.ignore_mail_reply and scenario.after_failure != "nothing":
            yield (
                (*path, "ignore_mail_reply"),
                f"after_failure: {scenario.after_failure} leaves no refused MAIL to ignore;"
                " give after_failure: nothing",
            )


def _versions(scenario: Scenario) -> Findings:
    """A version rule in the file must not allow a release that lacks what the scenario asks for."""
    for path, since in demands(scenario) if scenario.needs else ():
        major, minor, _ = since.split(".")
        if applies(scenario.needs, f"{major}.{int(minor) - 1}.999"):
            yield path, f'exists from {since} on; give needs: ">={since}", or leave needs out'


def _release(scenario: Scenario) -> Findings:
    offsets = scenario.release.offsets_us
    if scenario.release.at == "free" and server_options(scenario).pop3:
        yield ("release", "at"), "free speaks SMTP and HTTP, and an actor wants POP3; give last-byte"
    if scenario.release.at == "free" or isinstance(offsets, str):
        return
    low, high = offsets
    path = ("release", "offsets_us")
    if low > high:
        yield path, f"the low end {low:g} is above the high end {high:g}; give [low, high]"
    elif max(abs(low), abs(high)) > 1_000_000:
        yield path, f"[{low:g}, {high:g}] reaches over a second; give -1000000 to 1000000 µs"


def _retry(scenario: Scenario) -> Findings:
    retry = scenario.retry
    if retry.policy == "none" and "attempts" in retry.model_fields_set and retry.attempts > 1:
        yield ("retry", "attempts"), f"policy none makes 1 attempt, not {retry.attempts}; give a policy, or 1"
    if retry.policy != "none" and retry.attempts == 1:
        yield ("retry", "attempts"), f"policy {retry.policy} never tries again with 1; give 2 to 10"


def _controls(scenario: Scenario) -> Findings:
    for index, control in enumerate(scenario.controls):
        if control.target is None and control.scenario is None:
            yield ("controls", index), "names neither; give target, scenario or both"
        elif control.target is None and control.scenario == scenario.name:
            yield ("controls", index, "scenario"), "is this very run; name another scenario, or a target"
        if control.target is not None:
            try:
                parse_target(control.target)
            except TargetNameError as error:
                yield ("controls", index, "target"), f"{shown(error.shown)} is no target; {error.wrong}"


RULES: tuple[tuple[Callable[[Scenario], Findings], frozenset[str]], ...] = (
    (_one_key, frozenset()),
    (_enough_actors, frozenset({"actors"})),
    (_given, frozenset()),
    (_references, frozenset({"given"})),
    (_set_read, frozenset()),
    (_message, frozenset()),
    (_shared_id, frozenset({"actors"})),
    (_tags, frozenset()),
    (_rest, frozenset()),
    (_session, frozenset({"after_failure"})),
    (_versions, frozenset({"needs"})),
    (_release, frozenset({"actors"})),
    (_retry, frozenset()),
    (_controls, frozenset({"name"})),
)
"""Each rule, with the keys that must have no other mistakes for it to be asked."""


def contradictions(scenario: Scenario, wrong: frozenset[Path]) -> list[Fault]:
    """What does not fit together; `wrong` are paths that were already found faulty and left out."""
    roots = {str(path[0]) for path in wrong if path}
    found = []
    for rule, reads in RULES:
        if roots & reads:
            continue
        for path, text in rule(scenario):
            if not any(path[: len(bad)] == bad or bad[: len(path)] == path for bad in wrong):
                found.append(Fault(path, text))
    return found
