"""Takes a kind of overlap; gives the smallest scenario file that makes it.

The scenario keeps only what matters in the traffic: the two operations, and what they have in common. It
takes none of the suite's mails, addresses or tags.
"""

from mailrace.record.overlaps import Shape

TAG = "{run}-{round}"
ACTORS = frozenset(
    [
        *("send", "delete", "delete_search", "delete_all", "set_tags", "rename_tag", "delete_tag"),
        *("read_message", "read_latest", "set_read", "retrieve", "release"),
    ]
)
"""The kinds of recorded operations that an actor of a scenario can do."""


def as_scenario(shape: Shape) -> str:
    """The text of a scenario file; "" where no actor can do what one of the two operations did."""
    kinds = (shape.first, shape.second)
    if not ACTORS.issuperset(kinds):
        return ""
    if kinds == ("send", "send"):
        given, actors = "", [_two_sends(shape.relation)]
    else:
        # One given message is enough where both operations act on it, or where one of them brings its own.
        is_one = shape.relation in ("the same message", "the same tag", "everything") or "send" in kinds
        given = _given("old", _tag_of_old(shape))
        given += "" if is_one else _given("other", f"{TAG}-o" if shape.is_tagged else "")
        messages = ("old", "old" if is_one else "other")
        actors = [
            _actor(shape, kind, message, number)
            for number, (kind, message) in enumerate(zip(kinds, messages, strict=True))
        ]
    # Only with a control can a native run PASS; this one races from 1.6.6 on (S6).
    head = f"name: {name_of(shape)}\ntitle: {shape.first} beside {shape.second}, {shape.relation}\n"
    lines = "".join(f"  - {actor}\n" for actor in actors)
    return f"{head}{f'given:{chr(10)}{given}' if given else ''}actors:\n{lines}controls:\n" + (
        "  - {scenario: same-message-id-small}\n"
    )


def name_of(shape: Shape) -> str:
    """The scenario's name, which is the file's too."""
    relation = shape.relation.replace(", ", "-").replace(" ", "-").lower()
    return f"{shape.first}-{shape.second}-{relation}".replace("_", "-")


def _two_sends(relation: str) -> str:
    about = {
        "the same Message-ID": "count: 2, message_id: shared",
        "the same tag": f'count: 2, tags: ["{TAG}"]',
        "other messages, tagged": f'count: 2, tags: ["{TAG}-{{sender}}"]',
    }.get(relation, "count: 2")
    return f"send: {{{about}}}"


def _tag_of_old(shape: Shape) -> str:
    if "rename_tag" in (shape.first, shape.second) or "delete_tag" in (shape.first, shape.second):
        return TAG
    if not shape.is_tagged:
        return ""
    return f"{TAG}-a" if shape.relation == "other messages, tagged" else TAG


def _given(name: str, tag: str) -> str:
    tags = f', tags: ["{tag}"]' if tag else ""
    return f"  - {{name: {name}{tags}}}\n"


def _actor(shape: Shape, kind: str, message: str, number: int) -> str:
    return {
        "send": f'send: {{tags: ["{TAG}"]}}' if shape.is_tagged else "send: {}",
        "delete": f"delete: {{messages: [{message}]}}",
        "delete_search": f'delete_search: {{query: "to:{{round}}.{message}@{{run}}.test"}}',
        "delete_all": "delete_all: {}",
        "set_tags": f'set_tags: {{messages: [{message}], tags: ["{TAG}-{number}"]}}',
        "rename_tag": f'rename_tag: {{tag: "{TAG}", to: "{TAG}-{number}"}}',
        "delete_tag": f'delete_tag: {{tag: "{TAG}"}}',
        "read_message": f"read_message: {{message: {message}}}",
        "read_latest": "view_latest: {via: api}",
        "retrieve": f"pop3_retrieve: {{message: {message}}}",
        "release": f"release: {{message: {message}}}",
        "set_read": f"set_read: {{read: true, messages: [{message}]}}",
    }[kind]
