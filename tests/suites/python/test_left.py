"""One of two files that run at the same time and do what makes a suite flaky; the other is test_right.py."""

import smtplib

import pytest
from mail_suite import SMTP, address, api, meet, search, send

SHARED = "shared@suite.test"


def test_shares_a_recipient_a_tag_and_a_message_id() -> None:
    send(SHARED, tags="shared-tag", message_id="<same@suite.test>")
    meet("shared-sent", is_first=True)
    meet("shared-sent-too", is_first=True)
    assert api("GET", "/message/latest").status_code == 200
    assert api("GET", "/messages").json()["total"] >= 2
    assert len(search("subject:hello")) >= 2


def test_reads_only_the_first_page() -> None:
    to = address("many")
    for _ in range(52):
        send(to)
    page = api("GET", "/messages").json()
    assert len(page["messages"]) < page["total"]


def test_waits_for_the_number_of_messages() -> None:
    before = api("GET", "/info").json()["Messages"]
    meet("counted", is_first=True)
    meet("one-more", is_first=True)
    assert api("GET", "/info").json()["Messages"] > before
    assert api("GET", "/info").json()["Messages"] > before


def test_deletes_everything_while_the_other_works() -> None:
    meet("unread-sent", is_first=True)
    api("DELETE", "/messages")
    meet("emptied", is_first=True)


def test_deletes_what_the_other_is_about_to_read() -> None:
    to = address("taken")
    send(to)
    (row,) = search(f'to:"{to}"')
    meet("found", is_first=True)
    meet("found-too", is_first=True)
    api("DELETE", "/messages", json={"IDs": [row["ID"]]})
    meet("gone", is_first=True)


def test_edits_a_tag_of_the_other() -> None:
    meet("tagged", is_first=True)
    assert api("DELETE", "/tags/of-the-right").status_code == 200
    meet("untagged", is_first=True)


def test_tries_again_without_asking_the_store() -> None:
    mail = b"Message-ID: <retried@suite.test>\r\nno colon here\r\n\r\ntext\r\n"
    for _ in range(2):
        with smtplib.SMTP(*SMTP, timeout=20) as client, pytest.raises(smtplib.SMTPDataError):
            client.sendmail("app@suite.test", [SHARED], mail)
