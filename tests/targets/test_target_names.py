"""Target names: what each form asks for, and a sentence with a next step for each mistake."""

import pytest
from mailrace import targets
from mailrace.model.errors import UsageError
from mailrace.model.external_url import parse_external
from mailrace.targets import parse_target


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("embedded", ("embedded@fixed", "embedded", "fixed", "", "")),
        ("embedded@1.17.0", ("embedded@1.17.0", "embedded", "1.17.0", "", "")),
        (" mailpit@v1.30.5 ", ("mailpit@1.30.5", "mailpit", "1.30.5", "", "")),
        ("mailpit", ("mailpit", "file", "", "mailpit", "")),
        ("mailpit:/a b/c:d", ("mailpit:/a b/c:d", "file", "", "/a b/c:d", "")),
        ("http://h?smtp=h:1", ("http://h?smtp=h:1", "url", "", "", "http://h?smtp=h:1")),
    ],
)
def test_names(name: str, found: tuple[str, ...]) -> None:
    parsed = parse_target(name)
    assert (parsed.text, parsed.kind, parsed.version, parsed.path, parsed.url) == found


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mailpti@1.30.5", r"did you mean mailpit@1\.30\.5\?"),
        ("Embedded", "did you mean embedded"),
        ("embeded@fixed", "did you mean embedded@fixed"),
        ("embedded@1.30.4", r"did you mean embedded@1\.30\.5\?"),
        ("embedded@", "no version ''"),
        ("embedded:1.17.0", "did you mean embedded@1.17.0"),
        ("mailpit@latest", "'latest' is no version; wanted three numbers"),
        ("mailpit@1.30", "wanted three numbers"),
        ("mailpit:", "wanted one of"),
        ("", "wanted one of"),
        (" ", "target ' ': nothing is named; wanted one of"),
        ("mailpit:a\nb", "cannot be printed"),
        ("http://h:8025?colour=red&smtp=u:topsecret@h:1025", "unknown option 'colour'"),
        ("docker:x", "no such kind of target; wanted one of"),
        ("http://h:8025", r"Add \?smtp=h:1025"),
        ("http://h:8025?smpt=h:1025", "did you mean smtp"),
        ("http://h:8025?smtp=h:1025&colour=red", "unknown option 'colour'; wanted"),
        ("http://h:8025?smtp=h", "smtp='h'; wanted HOST:1025"),
        ("http://h:8025?smtp=h:99999", "wanted HOST:1025"),
        ("http://h:8025?smtp=h:1025&smtp=h:1026", "given twice"),
        ("http://h:8025?smtp=h:1025&tls=yes", "wanted starttls or tls"),
        ("http://h:80250?smtp=h:1025", "wanted http://HOST"),
        ("http://:8025?smtp=h:1025", "no host"),
        ("http://h:8025?smtp=h:1025#x", "nothing may stand behind '#'"),
        ("http://u:topsecret@h:8025?smtp=h:1025", "MAILRACE_API_USER"),
        ("http://h:8025?smtp=u:topsecret@h:1025", "wanted HOST:1025|MAILRACE_API_USER"),
        ("http://u:topsecret@h:80250?smtp=h:1025", "Port out of range"),
    ],
)
def test_mistakes(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        parse_target(name)
    assert "topsecret" not in str(caught.value)


def test_addresses_of_a_url() -> None:
    a = parse_external("https://mail.local/box/?smtp=[::1]:2525&tls=starttls")
    assert (a.api, a.smtp_host, a.smtp_port, a.smtp_tls) == (
        "https://mail.local/box",
        "::1",
        2525,
        "starttls",
    )
    assert parse_external("http://[::1]:8025?smtp=h:1").api == "http://[::1]:8025"


def test_every_public_name_can_be_had() -> None:
    assert [name for name in targets.__all__ if not hasattr(targets, name)] == []
    assert set(targets.__all__) == {name for names in targets._HOMES.values() for name in names}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = targets.nothing
