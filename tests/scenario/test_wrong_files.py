"""Wrong scenario files: the whole text that each gives, against a table; and files nobody could think of."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.errors import Mistake, ScenarioError, UsageError
from mailrace.scenario import Plan, load, parse, shipped, template
from mailrace.scenario.needs import applies

TABLE = Path(__file__).with_name("wrong_files.txt")
FILE = Path("wrong.race.yaml")
HEAD = "name: wrong\ntitle: Wrong\n"
PAIR = f"{HEAD}actors:\n  - send: {{count: 2}}\n"


def cases() -> list[tuple[str, str, str]]:
    """(name, file, what it gives) for each entry of the table."""
    found = re.split(r"^=== (.*)\n", TABLE.read_text(encoding="utf-8"), flags=re.M)[1:]
    pairs = list(zip(found[0::2], found[1::2], strict=True))
    return [
        (name, body.removesuffix("\n"), said.removesuffix("\n"))
        for (name, body), (_, said) in zip(pairs[0::2], pairs[1::2], strict=True)
    ]


def mistakes(raw: bytes) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse(raw, FILE)
    return str(caught.value)


def test_the_table_is_whole() -> None:
    assert len(cases()) >= 50
    assert len({name for name, _, _ in cases()}) == len(cases())


@pytest.mark.parametrize(("text", "expected"), [pytest.param(t, e, id=n) for n, t, e in cases()])
def test_a_wrong_file_gives_its_whole_text(text: str, expected: str) -> None:
    assert mistakes(text.encode()) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            PAIR.replace("Wrong", "Grüße").encode("latin-1"),
            "wrong.race.yaml:2:10: byte 0xfc is not UTF-8; save the file as UTF-8",
            id="latin-1",
        ),
        pytest.param(PAIR.encode("utf-16"), "wrong.race.yaml: is UTF-16; save it as UTF-8", id="utf-16"),
        pytest.param(
            PAIR.replace("Wrong", "Wro\x07ng").encode(),
            "wrong.race.yaml:2:11: U+0007 is not allowed in YAML; remove it",
            id="a control character",
        ),
        pytest.param(
            PAIR.encode() + b"#" * 300_000,
            "wrong.race.yaml: is over 262144 bytes; give less, and messages as files of their own",
            id="a huge file",
        ),
        pytest.param(
            b"[" * 1_000,
            "wrong.race.yaml: is nested too deep; give at most 20 levels",
            id="nested too deep",
        ),
        pytest.param(
            PAIR.replace("Wrong", '"\\ud800"').encode(),
            "wrong.race.yaml:2:1: title: holds half of a character; write the whole one",
            id="half of a character",
        ),
    ],
)
def test_wrong_bytes_give_their_whole_text(raw: bytes, expected: str) -> None:
    assert mistakes(raw) == expected


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_mistake() -> None:
    assert parse(b"\xef\xbb\xbf" + PAIR.replace("\n", "\r\n").encode(), FILE) == parse(PAIR.encode(), FILE)


def test_columns_count_characters() -> None:
    raw = PAIR.replace("{count: 2}", '{headers: {X-A: "ü🦆"}, count: 0}').encode()
    assert mistakes(raw).splitlines()[1].startswith("wrong.race.yaml:4:34: actors.0.send.count: 0 is out")


def test_words_of_yaml_1_1_stay_text() -> None:
    raw = PAIR.replace("{count: 2}", "{count: 2, tags: [no, on, 1_x, 12:30:45]}").encode()
    send = parse(raw, FILE).actors[0].send
    assert send is not None
    assert send.tags == ("no", "on", "1_x", "12:30:45")


def test_an_alias_is_the_value_again() -> None:
    raw = f"{HEAD}actors:\n  - send: &s {{tags: [a]}}\n  - send: *s\n".encode()
    first, second = parse(raw, FILE).actors
    assert first == second


def test_a_message_file_is_read_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(b"Subject: x\r\n\r\nbody\r\n")
    (tmp_path / "empty.eml").write_bytes(b"\n")
    file = tmp_path / "own.race.yaml"
    file.write_text(PAIR.replace("count: 2", "count: 2, file: mail.eml"))
    assert load(file).contents == {"mail.eml": b"Subject: x\r\n\r\nbody\r\n"}
    file.write_text(PAIR.replace("count: 2", "count: 2, file: empty.eml"))
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert str(caught.value) == (
        f'{file}:4:22: actors.0.send.file: "empty.eml" is empty; give a message with headers and a body'
    )


def test_a_file_that_is_not_there_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"none\.race\.yaml: No such file or directory; give a scenario file"
    ):
        load(tmp_path / "none.race.yaml")


def whole_files() -> list[bytes]:
    return [path.read_bytes() for path in sorted(shipped().glob("*.race.yaml"))] + [template().encode()]


SNIPPETS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"&a ",
        b"*a",
        b"!!int ",
        b'"',
        b"'",
        b"|\n",
        b">\n",
        b"\t",
        b"\r",
    ),
    *(b"\x85", b"\xe2\x80\xa8", b'"\\ud800"', b"<<: ", b"? ", b"%YAML 1.1\n", b"---\n", b"...\n", b"1e999"),
    *(b".nan", b"9" * 5000, b"null", b"~", b"\n", b"  ", b"#", b"!foo ", b"count: ", b"{run}", b"!!null x"),
]


@settings(max_examples=150)
@given(
    raw=st.sampled_from(whole_files()),
    edits=st.lists(
        st.tuples(
            st.integers(0, 1500), st.integers(0, 40), st.sampled_from(SNIPPETS) | st.binary(max_size=3)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_damage_gives_a_plan_or_mistakes_with_a_place_and_a_next_step(
    raw: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, length, put in edits:
        raw = raw[:at] + put + raw[at + length :]
    found: tuple[Mistake, ...] = ()
    try:
        Plan(parse(raw, FILE), 1, "mr12345678").round(7)
    except ScenarioError as error:
        found = error.mistakes
        assert found
    for mistake in found:
        assert "\n" not in str(mistake)
        assert "; " in mistake.text
        str(mistake).encode()


@pytest.mark.parametrize(
    "line",
    [
        'name: "a\\nb"',
        'given: [{name: "o\\nld"}]',
        'actors: [{send: {tags: ["{run}\\n,"]}}, {send: {}}]',
        'needs: ">=1\\n"',
        'controls: [{target: "mailpit:/a\\nb"}]',
    ],
)
def test_a_mistake_that_quotes_a_line_break_stands_on_one_line(line: str) -> None:
    with pytest.raises(ScenarioError) as wrong:
        parse(f"{line}\n".encode(), FILE)
    assert all("\n" not in str(mistake) for mistake in wrong.value.mistakes)


@pytest.mark.parametrize("number", ["0x" + "f" * 5_000, "0o" + "7" * 9_000, "9" * 5_000, "-0x" + "f" * 5_000])
@pytest.mark.parametrize("line", ["rounds: {}", "actors: [{{send: {{count: {}}}}}]", "{}: 1", "title: [{}]"])
def test_a_number_of_thousands_of_digits_is_a_mistake_of_the_file(line: str, number: str) -> None:
    with pytest.raises(ScenarioError) as wrong:
        parse(f"name: x\n{line.format(number)}\n".encode(), FILE)
    assert wrong.value.mistakes[0].line == 2 or "is missing" in wrong.value.mistakes[0].text


@pytest.mark.parametrize("needs", [">={}.1.1", ">=1.{}.1", "<2.0.0, !=1.1.{}"])
def test_a_version_of_thousands_of_digits_is_a_mistake_of_the_file(needs: str) -> None:
    rule = needs.format("9" * 5_000)
    with pytest.raises(ScenarioError, match=r":2:1: needs: "):
        parse(f'name: x\nneeds: "{rule}"\nactors: [{{send: {{count: 2}}}}]\n'.encode(), FILE)


def test_a_server_s_word_of_thousands_of_digits_is_no_version() -> None:
    said = f"{'9' * 5_000}.1.1"
    assert applies(">=1.0.0", said) == applies(">=1.0.0", "dev")
