"""Takes a started target; gives its settings as it tells them, and which one may explain a broken promise."""

from collections.abc import Mapping
from dataclasses import dataclass

from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.errors import TargetError
from mailrace.model.operation import PlannedRound, messages_of
from mailrace.model.target import Target
from mailrace.targets import Api, ExternalTarget, ManagedTarget


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a server that change what its replies promise; `said`: a sentence for each."""

    ignores_duplicates: bool = False
    said: tuple[str, ...] = ()


def settings_of(target: Target) -> Settings:
    """What `/api/v1/webui` and `/api/v1/chaos` tell; a server that tells nothing counts as having none."""
    if not isinstance(target, ExternalTarget | ManagedTarget):
        return Settings()
    told = _read(target.api, "/api/v1/webui")
    said = []
    ignores = told.get("DuplicatesIgnored") is True
    if ignores and not target.is_ours:
        said.append(
            "this server stores no second mail with a Message-ID that it holds (--ignore-duplicate-ids): its "
            "replies are judged by that"
        )
    relay = told.get("MessageRelay")
    if isinstance(relay, dict) and relay.get("Enabled") is True and not target.is_ours:
        said.append(
            "this server has a relay: where it relays each mail (--smtp-relay-all), its replies wait for that"
        )
    if told.get("ChaosEnabled") is True and (triggers := _triggers(_read(target.api, "/api/v1/chaos"))):
        said.append(
            f"this server refuses at random, as it was told to (--enable-chaos: {triggers}): such refusals "
            "are no race; turn the triggers off"
        )
    return Settings(ignores, tuple(said))


def hint(anomaly: Anomaly, planned: PlannedRound) -> str:
    """A question that names the setting which may explain a promise broken without a race; "" if none may."""
    message = messages_of(planned).get(anomaly.message or "")
    if anomaly.name is AnomalyName.TAG_LOST and message is not None:
        lost = {tag.lower() for tag in anomaly.tags}
        from_header = any(tag.lower() in lost for tag in message.x_tags) or not message.plus_tags
        kind, word = ("X-Tags", "x-tags") if from_header else ("plus-addresses", "plus-addresses")
        return f"this server gives no tags from {kind}: was it started with --tags-disable {word}?"
    if anomaly.name is AnomalyName.ACCEPTED_BUT_MISSING:
        return (
            "does it accept mail and discard it: for a recipient that it does not allow "
            "(--smtp-ignore-rejected-recipients), for a Message-ID that it holds (--ignore-duplicate-ids), "
            "for a header that its parser cannot read (silently before 1.33.1)?"
        )
    if anomaly.name in (AnomalyName.HANG, AnomalyName.CRASH):
        return "see the server's log: one client alone does that to it"
    return ""


def _read(api: Api, path: str) -> Mapping[str, object]:
    try:
        return api.settings(path)
    except TargetError:
        return {}


def _triggers(told: Mapping[str, object]) -> str:
    """`Sender 451 in 20 %` for each trigger that is on."""
    found = []
    for name, trigger in told.items():
        chance = trigger.get("Probability") if isinstance(trigger, dict) else None
        # A number above 100 is no percentage, and a whole number in JSON may be too large for a float.
        if isinstance(trigger, dict) and isinstance(chance, int | float) and 0 < chance <= 100:
            found.append(f"{name} {trigger.get('ErrorCode', '')} in {chance:g} %")
    return ", ".join(found)
