"""Takes a scenario; gives the tags that are new to a server only once, and what is changed in a user's file.

Most races over tags need a tag that the server does not know yet. A tag without `{round}` is such a tag in
the first round only: in the others there is nothing to race for, so they must not count as clean.
"""

from dataclasses import replace

from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.user_mail import user_mail
from mailrace.scenario.scenario import Scenario

SHOWN_MAX = 5


def lasting_tags(scenario: Scenario, *, is_ours: bool) -> tuple[str, ...]:
    """The tags, as written, that a later round finds in the store already, each once.

    is_ours   whether the server is; on another one the store outlives the run, so a tag must hold `{run}` too
    """
    found: list[str] = [tag for given in scenario.given for tag in given.tags]
    of_files: list[str] = []
    for actor in scenario.actors:
        if actor.send is not None:
            found += actor.send.tags
            if actor.send.file is not None and actor.send.keep_tags:
                own = user_mail(scenario.contents[actor.send.file])
                of_files += [*own.x_tags, *(plus.tag for plus in own.plus)]
        if actor.set_tags is not None:
            found += actor.set_tags.tags
        if actor.rename_tag is not None:
            found += [actor.rename_tag.tag, actor.rename_tag.to]
        if actor.delete_tag is not None:
            found.append(actor.delete_tag.tag)
    wanted = ("{round}",) if is_ours else ("{round}", "{run}")
    lasting = [tag for tag in found if not all(part in tag for part in wanted)]
    return tuple(dict.fromkeys([*lasting, *of_files]))


def why_vacuous(scenario: Scenario, *, is_ours: bool) -> str:
    """Why rounds after the first count for nothing, in a sentence without its full stop; "" if they count."""
    tags = lasting_tags(scenario, is_ours=is_ours)
    if not tags:
        return ""
    shown = ", ".join(f'"{tag}"' for tag in tags[:SHOWN_MAX])
    more = f" and {len(tags) - SHOWN_MAX} more" if len(tags) > SHOWN_MAX else ""
    word = "tag" if len(tags) == 1 else "tags"
    return (
        f"the {word} {shown}{more} can be new to the server in one round only, so in the other rounds there "
        "was nothing to race for, and they count for nothing"
    )


def with_what_was_changed(found: ScenarioResult, scenario: Scenario, *, is_ours: bool) -> ScenarioResult:
    """A scenario's result, with what a reader must know about lasting tags and the users' own files."""
    said, why = list(changes(scenario)), why_vacuous(scenario, is_ours=is_ours)
    if why and found.mode == "race" and found.rounds_lost and found.verdict is Verdict.INCONCLUSIVE:
        reason = f"{found.reason.rstrip('.')}: {why}."
        wanted = "write {run}-{round} into each tag"
        if any(actor.send is not None and actor.send.keep_tags for actor in scenario.actors):
            wanted += " and leave out keep_tags"
        found = replace(
            found, reason=reason, advice=f"{wanted}; or start a fresh server each round (--trial cold)."
        )
    return replace(found, not_looked=(*found.not_looked, *said))


def changes(scenario: Scenario) -> tuple[str, ...]:
    """What in each file is not sent as it stands, a sentence for each file."""
    found: dict[str, None] = {}
    for actor in scenario.actors:
        send = actor.send
        if send is None or send.file is None:
            continue
        own = user_mail(scenario.contents[send.file])
        names = ", ".join(name for name in own.replaced if name.lower() != "x-tags")
        said = [f"its {names} are sent as X-Original-…, with mailrace's own in their place"] if names else []
        tags = ", ".join(dict.fromkeys([*own.x_tags, *(plus.tag for plus in own.plus)]))
        if tags and send.keep_tags:
            said.append(f"its tags ({tags}) are kept")
        elif tags:
            said.append(f"its tags ({tags}) are made each round's own (keep_tags: yes leaves them)")
        if said:
            found[f"{send.file} is not sent quite as it stands: {'; '.join(said)}"] = None
    return tuple(found)
