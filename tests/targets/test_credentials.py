"""Secrets: where they come from, and that they stand nowhere else."""

from pathlib import Path

import pytest
from mailrace.model.errors import UsageError
from mailrace.model.target import Addresses, Credentials
from mailrace.targets import credentials_for, tls_context

HERE = Addresses(smtp_host="mail.local", smtp_port=1025, api="http://mail.local:8025")


@pytest.fixture(autouse=True)
def netrc_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("API_USER", "API_PASSWORD", "SMTP_USER", "SMTP_PASSWORD", "TLS_CA", "TLS_VERIFY"):
        monkeypatch.delenv(f"MAILRACE_{name}", raising=False)
    file = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(file))
    return file


def test_none() -> None:
    assert credentials_for(HERE) == Credentials(smtp=None, api=None)


def test_the_environment_comes_first(netrc_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc_file.write_text("machine mail.local login other password other\n")
    monkeypatch.setenv("MAILRACE_API_USER", "u")
    monkeypatch.setenv("MAILRACE_API_PASSWORD", "topsecret")
    monkeypatch.setenv("MAILRACE_SMTP_USER", "s")
    monkeypatch.setenv("MAILRACE_SMTP_PASSWORD", "")
    found = credentials_for(HERE)
    assert found.api == ("u", "topsecret")
    assert found.smtp == ("s", "")
    assert "topsecret" not in repr(found)


def test_netrc_by_host_for_the_api_and_by_port_for_both(netrc_file: Path) -> None:
    netrc_file.write_text("machine mail.local login h password hp\n")
    assert credentials_for(HERE) == Credentials(api=("h", "hp"))
    netrc_file.write_text(
        "machine mail.local login h password hp\n"
        "machine mail.local:1025 login s password sp\n"
        "machine mail.local:8025 login a password ap\n"
    )
    assert credentials_for(HERE) == Credentials(api=("a", "ap"), smtp=("s", "sp"))


def test_half_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILRACE_API_PASSWORD", "topsecret")
    with pytest.raises(UsageError, match="only one of them is set") as caught:
        credentials_for(HERE)
    assert "topsecret" not in str(caught.value)


def test_a_broken_netrc_is_not_quoted(netrc_file: Path) -> None:
    netrc_file.write_text("machine mail.local login h password hp\ntopsecret\n")
    with pytest.raises(UsageError, match="not a readable netrc file") as caught:
        credentials_for(HERE)
    assert "topsecret" not in str(caught.value)


def test_tls_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tls_context().check_hostname is True
    monkeypatch.setenv("MAILRACE_TLS_VERIFY", "no")
    assert tls_context().check_hostname is False
    monkeypatch.setenv("MAILRACE_TLS_VERIFY", "")
    monkeypatch.setenv("MAILRACE_TLS_CA", str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="no file of certificates"):
        tls_context()
