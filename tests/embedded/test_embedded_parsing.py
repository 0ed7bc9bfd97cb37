"""Mails, headers, tags, searches and composed mails, without a server."""

import pytest
from mailrace.embedded.compose import CannotCompose, compose
from mailrace.embedded.headers import MalformedHeader, is_listed, read_header, with_header
from mailrace.embedded.message import Unparsable, parse
from mailrace.embedded.searching import conditions_of, words
from mailrace.embedded.storing import new_id
from mailrace.embedded.tagging import clean_tag, unique_tags
from mailrace.embedded.versions import VERSIONS

NEW, OLD = VERSIONS["1.30.5"], VERSIONS["1.17.0"]


def test_a_header_is_unfolded_and_its_body_is_the_rest() -> None:
    header, body = read_header(b"To: a@x\r\nX-Long: one\r\n two\r\n\tthree\r\nto: b@x\r\n\r\nbody\r\n")
    assert header.fields == (("To", "a@x"), ("X-Long", "one two three"), ("to", "b@x"))
    assert body == b"body\r\n"
    assert header.canonical() == {"To": ["a@x", "b@x"], "X-Long": ["one two three"]}


def test_a_line_without_a_colon_is_malformed() -> None:
    with pytest.raises(MalformedHeader, match="malformed header line: no colon here"):
        read_header(b"To: a@x\r\nno colon here\r\n\r\n")


def test_a_header_is_replaced_where_it_stands_or_put_first() -> None:
    raw = b"A: 1\r\nBcc: old@x,\r\n more@x\r\nB: 2\r\n\r\nBcc: in the body\r\n"
    assert with_header(raw, "bcc", "new@x") == b"A: 1\r\nbcc: new@x\r\nB: 2\r\n\r\nBcc: in the body\r\n"
    assert with_header(b"A: 1\r\n\r\nx", "Bcc", "new@x") == b"Bcc: new@x\r\nA: 1\r\n\r\nx"


def test_addresses_with_names_and_without() -> None:
    header, _ = read_header(b'To: "Last, First" <a@x>, b@X, =?utf-8?q?J=C3=B6?= <j@x>\r\nCc: nobody\r\n\r\n')
    assert header.addresses("To") == [("Last, First", "a@x"), ("", "b@X"), ("Jö", "j@x")]
    assert header.addresses("Cc") == []
    assert is_listed("B@x", header)
    assert not is_listed("c@x", header)


def test_what_is_seen_of_a_mail() -> None:
    mail = parse(
        b"From: F <f+one+two@x>\r\nSubject: =?utf-8?b?w6Q=?=\r\nX-Tags: a, b\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        b"<title>no</title><p>Hi&amp;</p><p>you <a href='http://x/'>there</a></p>"
    )
    assert mail.plus_tags() == ["one", "two"]
    assert mail.x_tags() == ["a", " b"]
    assert mail.snippet() == "Hi& you there"
    assert mail.search_text() == "f f+one+two@x ä hi& you there"
    assert parse(b"Subject: long\r\n\r\n" + "ä".encode() * 150).snippet() == "ä" * 100 + "..."


@pytest.mark.parametrize(
    ("given", "new", "old"),
    [
        ("plain", "plain", "plain"),
        ("x/y  z", "x y z", "x y z"),
        (" a@b ", "a@b", "a b"),
        ("ö", "", ""),
        ("t" * 120, "t" * 100, "t" * 120),
    ],
)
def test_tags_are_cleaned(given: str, new: str, old: str) -> None:
    assert (clean_tag(given, NEW), clean_tag(given, OLD)) == (new, old)


def test_the_first_spelling_of_a_tag_stands() -> None:
    assert unique_tags(["Foo", "bar", "FOO", "", "b/r"], NEW) == ["Foo", "bar", "b r"]


def test_quotes_keep_words_together() -> None:
    assert words('one "two three" subject:"four five" "six') == [
        "one",
        "two three",
        "subject:four five",
        "six",
    ]


@pytest.mark.parametrize(
    ("query", "conditions"),
    [
        ("to:A@x", [("ToJSON LIKE ?", ("%a@x%",))]),
        ("-from:b", [("FromJSON NOT LIKE ?", ("%b%",))]),
        ("!is:read x", [("Read = 0", ()), ("SearchText LIKE ?", ("%x%",))]),
        ("subject:Ab", [("Subject LIKE ?", ("%Ab%",))]),
        ("larger:1k", [("SearchText LIKE ?", ("%larger:1k%",))]),
        ("tag:", []),
        ("a%b", [("SearchText LIKE ?", ("%a%%b%",))]),
    ],
)
def test_a_query_becomes_conditions(query: str, conditions: list[object]) -> None:
    assert list(conditions_of(query, NEW)) == conditions


def test_newest_searches_take_wildcards_for_themselves_and_json_as_it_is_stored() -> None:
    like = "LIKE ? ESCAPE '\\'"
    assert list(conditions_of('a_b% from:x&"y', VERSIONS["1.33.1"])) == [
        (f"m.SearchText {like}", ("%a\\_b\\%%",)),
        (f"FromJSON {like}", ("%x&y%",)),
    ]


def test_1_17_does_not_know_addressed() -> None:
    assert list(conditions_of("addressed:a", OLD)) == [("SearchText LIKE ?", ("%addressed:a%",))]


def test_ids_are_of_22_letters_and_digits() -> None:
    ids = {new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(i) == 22 and i.isalnum() and i.isascii() for i in ids)


def test_a_composed_mail_reads_back() -> None:
    raw, recipients = compose(
        {
            "from": {"Email": "f@x", "Name": "Fä"},
            "to": [{"Email": "t@x"}],
            "bcc": ["b@x"],
            "subject": "süß",
            "text": "täxt",
            "html": "<b>bold</b>",
            "tags": ["one", "two"],
            "attachments": [{"Filename": "a b.txt", "Content": "aGVsbG8="}],
        }
    )
    mail = parse(raw)
    assert recipients == ["t@x", "b@x"]
    assert (mail.sender(), mail.header.text("Subject")) == (("Fä", "f@x"), "süß")
    assert (mail.text, mail.html) == ("täxt\r\n", "<b>bold</b>\r\n")
    assert [(a.file_name, a.content()) for a in mail.attachments] == [("a b.txt", b"hello")]
    assert mail.x_tags() == ["one", " two"]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"to": [{"Email": "nobody"}]}, "invalid To address: nobody"),
        ({"headers": {"Subject": "x"}}, 'cannot overwrite header: "Subject"'),
        ({"tags": ["x"], "headers": {"X-Tags": "x"}}, 'cannot overwrite header: "X-Tags"'),
    ],
)
def test_what_makes_no_mail(document: dict[str, object], text: str) -> None:
    with pytest.raises(CannotCompose) as caught:
        compose(document)
    assert str(caught.value) == text


@pytest.mark.parametrize("body", ["", "no boundary here\r\n", "--b\r\n--b--\r\n"])
def test_a_multipart_without_a_boundary_is_not_understood(body: str) -> None:
    head = "Content-Type: multipart/mixed"
    with pytest.raises(Unparsable):
        parse(f"{head}\r\n\r\n{body}".encode())
    assert parse(f"{head}; boundary=b\r\n\r\n{body}".encode()).attachments == ()


def test_parts_are_cut_at_lines_of_their_boundary_only() -> None:
    mail = parse(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\nbefore\r\n--b\r\n\r\none --b two\r\n--bb\r\n"
        b"--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n"
        b"Content-Type: text/html\r\n\r\n"
        b"<i>x</i>\r\n--bb--\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\nPNG\r\n--b--\r\nafter"
    )
    assert mail.text == "one --b two\r\n--bb"
    assert mail.html == "<i>x</i>"
    assert [(a.number, a.file_name, a.content()) for a in mail.inline] == [("3", "a.png", b"PNG")]
