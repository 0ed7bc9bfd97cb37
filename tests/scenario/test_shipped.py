"""The shipped scenarios, the schema for editors, the template, version rules, and how files are found."""

import json
from pathlib import Path

import jsonschema
import pytest
from mailrace.model.errors import UsageError
from mailrace.model.operation import ServerOptions
from mailrace.scenario import (
    Plan,
    applies,
    find,
    load,
    name_of,
    parse,
    resolve,
    scenario_from,
    schema_text,
    server_options,
    shipped,
    template,
)
from mailrace.scenario.schema import SCHEMA_FILE, schema
from ruamel.yaml import YAML

FILES = find([str(shipped())])
NAMES = {
    *("shared-new-tag", "shared-new-tag-8", "plus-address-tag", "tag-case-variants", "shared-known-tag"),
    *("distinct-tags", "same-message-id-small", "same-message-id-large", "no-rset-after-failure"),
    *("send-delete-last-holder", "send-delete-unrelated", "send-delete-search", "send-delete-all"),
    *("send-retag-unrelated", "send-retag-last-holder", "send-rename-tag", "send-delete-tag", "two-tag-sets"),
    *("overlapping-deletions", "send-by-rest", "send-and-reader", "two-instances-shared-new-tag"),
    *("pop3-delete-beside-delete", "latest-delete-newest", "read-delete-unread", "read-delete-image"),
}


def test_all_are_there() -> None:
    assert {name_of(path) for path in FILES} == NAMES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_shipped_file_says_what_it_is(path: Path) -> None:
    scenario = load(path)
    assert scenario.name == name_of(path)
    assert scenario.source
    assert scenario.what.endswith(".")
    assert scenario.controls
    assert "at: last-byte" in path.read_text()
    assert path.read_text().startswith(
        "# yaml-language-server: $schema=../harness/mailrace/schema/scenario.schema.json\n"
    )
    assert Plan(scenario, 1, "mr12345678").round(0).operations
    for control in scenario.controls:
        assert control.scenario is None or resolve(control.scenario, path) is not None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_shipped_file_keeps_to_the_schema(path: Path) -> None:
    jsonschema.Draft7Validator(schema()).validate(YAML(typ="safe", pure=True).load(path))


def test_the_schema_is_draft_7_and_current() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    assert "discriminator" not in schema_text()
    assert "$defs" not in schema_text()


@pytest.mark.parametrize(
    "actors",
    [[], [{}], [{"sned": {}}], [{"send": {"count": "2"}}], [{"send": {}, "read": {}}], [{"delete": {}}]],
    ids=json.dumps,
)
def test_the_schema_refuses(actors: list[object]) -> None:
    file = {"name": "x", "title": "X", "actors": actors}
    assert not jsonschema.Draft7Validator(schema()).is_valid(file)


def test_the_template_loads() -> None:
    scenario = parse(template().encode(), Path("my-race.race.yaml"))
    assert scenario.actor_count == 2
    jsonschema.Draft7Validator(schema()).validate(YAML(typ="safe", pure=True).load(template()))


def test_every_commented_line_of_the_template_loads_too() -> None:
    lines = template().replace("# given", "given").replace("#   - {name", "  - {name").splitlines()
    text = "\n".join(line.replace("  # - ", "  - ").replace("# target:", "target:") for line in lines)
    text = text.replace("- send: {count: 2, file: mail.eml}", "- delete_all:")
    scenario = parse(text.replace("# needs:", "needs:").encode(), Path("my-race.race.yaml"))
    assert [actor.kind for actor in scenario.actors] == [
        *("send", "send", "send", "delete_all", "delete", "delete_search", "set_tags", "read")
    ]
    assert server_options(scenario) == ServerOptions(ignore_duplicate_ids=True)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_scenario_is_made_again_from_its_data(path: Path) -> None:
    scenario = load(path)
    assert scenario_from(json.loads(json.dumps(scenario.as_data())), path) == scenario


def test_a_text_that_is_folded_over_lines_is_one_line() -> None:
    actors = "\nactors: [{send: {count: 2}}]\n"
    for folded in ("what: >-\n  one\n  two\n  three", 'what: "one\n  two\n  three"'):
        found = parse(f"name: x\n{folded}{actors}".encode(), Path("x.race.yaml"))
        assert found.what == "one two three"


def test_free_ignores_the_other_release_keys() -> None:
    text = (shipped() / "shared-new-tag.race.yaml").read_text()
    for release in ("{at: free, profile: rate, offsets_us: auto}", "{at: free, offsets_us: [9, -9]}"):
        baseline = text.replace("{at: last-byte, profile: rate, offsets_us: auto}", release)
        assert parse(baseline.encode(), Path("shared-new-tag.race.yaml")).release.at == "free"


def test_a_server_is_started_with_what_its_scenario_asks_for() -> None:
    options = {name: server_options(load(shipped() / f"{name}.race.yaml")) for name in NAMES}
    assert options["shared-new-tag"] == ServerOptions()
    assert options["same-message-id-small"] == ServerOptions(ignore_duplicate_ids=True)
    assert options["two-instances-shared-new-tag"] == ServerOptions(instances=2)


@pytest.mark.parametrize(
    ("needs", "version", "expected"),
    [
        ("", "1.17.0", True),
        (">=1.19.0", "1.18.7", False),
        (">=1.19.0", "1.19.0", True),
        (">=1.9.0", "1.19.0", True),
        (">=1.19.0, <1.30.0", "1.30.0", False),
        (">=1.19.0", "fixed", True),
        ("<1.30.0", "fixed", False),
        (">=1.19.0", "unknown", True),
        ("==1.30.5", "v1.30.5", True),
        ("!=1.30.5", "1.30.5", False),
        (">1.30.5", "1.30.5", False),
        ("<=1.30.5", "1.30.6", False),
    ],
)
def test_a_version_rule(needs: str, version: str, expected: bool) -> None:
    assert applies(needs, version) is expected


def test_files_and_folders_are_found_once_each_in_order(tmp_path: Path) -> None:
    for name in ("b", "e", "a", "d", "c"):
        (tmp_path / f"{name}.race.yaml").touch()
    (tmp_path / "other.yaml").touch()
    b = str(tmp_path / "b.race.yaml")
    assert [p.name for p in find([b, str(tmp_path)])] == [
        *("b.race.yaml", "a.race.yaml", "c.race.yaml", "d.race.yaml", "e.race.yaml")
    ]
    assert [p.name for p in find([str(tmp_path)], "a")] == ["a.race.yaml"]
    assert [name_of(p) for p in find(["distinct-tags"])] == ["distinct-tags"]
    assert {name_of(p) for p in find([], "same-*")} == {"same-message-id-small", "same-message-id-large"}


def test_what_is_not_found_is_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"distnct-tags: no such file.*; did you mean distinct-tags\?"):
        find(["distnct-tags"])
    with pytest.raises(UsageError, match=r"no \*\.race\.yaml in this folder; `mailrace init`"):
        find([str(tmp_path)])
    with pytest.raises(UsageError, match=r"-k nope: no scenario's name holds it; there are: distinct-tags, "):
        find([], "nope")


def test_a_name_is_looked_for_beside_the_file_first(tmp_path: Path) -> None:
    own = tmp_path / "distinct-tags.race.yaml"
    own.touch()
    assert resolve("distinct-tags", tmp_path / "x.race.yaml") == own
    assert resolve("shared-new-tag", tmp_path) == shipped() / "shared-new-tag.race.yaml"
    assert resolve("no-such", tmp_path) is None
    assert resolve("../shared-new-tag", shipped()) is None
