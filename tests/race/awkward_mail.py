"""Messages as people have them on disk, that a parser, a server or mailrace itself might stumble over."""

_HEAD = b"From: Ann <ann@team.example>\nTo: Bob <bob@team.example>\nSubject: A report\n"
_DATE = b"Date: Mon, 02 Mar 2026 10:00:00 +0100\n"
_BODY = b"\nHello,\n\nall is well.\n"
_PLAIN = _HEAD + _DATE + _BODY


def _with(*lines: bytes, body: bytes = _BODY) -> bytes:
    return _HEAD + _DATE + b"".join(line + b"\n" for line in lines) + body


def _multipart(body: bytes, kind: bytes = b"multipart/mixed; boundary=b1") -> bytes:
    return _with(b"MIME-Version: 1.0", b"Content-Type: " + kind, body=b"\n" + body)


SHAPES: dict[str, bytes] = {
    "plain": _PLAIN,
    "crlf": _PLAIN.replace(b"\n", b"\r\n"),
    "cr-cr-lf": _PLAIN.replace(b"\n", b"\r\r\n"),
    "mixed-line-ends": _PLAIN.replace(b"\n", b"\r\n", 3) + b"one\r\ntwo\nthree\r\n",
    "bare-cr-in-body": _with(body=b"\none\rtwo\r\rthree\n"),
    "bare-cr-in-a-header": _with(b"X-Note: one\rtwo"),
    "bare-cr-only": _PLAIN.replace(b"\n", b"\r"),
    "nul-in-body": _with(body=b"\na\0b\0\0c\n"),
    "nul-in-a-header": _with(b"X-Note: a\0b"),
    "eight-bit-body": _with(body="\nGrüße, 日本\n".encode()),
    "latin-1-body": _with(
        b"Content-Type: text/plain; charset=iso-8859-1", body="\nGrüße\n".encode("latin-1")
    ),
    "latin-1-header": _with("X-Team: Büro".encode("latin-1")),
    "utf-8-subject": "From: a@b.example\nTo: c@d.example\nSubject: Grüße 日本\n\nbody\n".encode(),
    "utf-8-addresses": "From: jörg@bücher.example\nTo: 山@日本.example\nSubject: x\n\nbody\n".encode(),
    "every-byte": _with(body=b"\n" + bytes(range(256)) * 4 + b"\n"),
    "line-of-5000": _with(body=b"\n" + b"x" * 5000 + b"\n"),
    "header-of-5000": _with(b"X-Long: " + b"y" * 5000),
    "folded-subject": b"Subject: one\n two\n\tthree\nTo: a@b.example\nFrom: c@d.example\n\nbody\n",
    "dots": _with(body=b"\n.\n..\n.hidden\n...\n.\n"),
    "smuggled-dot-lf": _with(body=b"\nbefore\n.\nMAIL FROM:<x@y.example>\nRCPT TO:<z@y.example>\nDATA\n"),
    "smuggled-dot-cr": _with(body=b"\nbefore\r.\rMAIL FROM:<x@y.example>\r\n.\r\n"),
    "ends-in-a-dot": _with(body=b"\nlast\n."),
    "no-date": _HEAD + _BODY,
    "no-subject": b"From: a@b.example\nTo: c@d.example\n" + _DATE + _BODY,
    "no-id-no-from-no-to": b"Subject: alone\n\nbody\n",
    "two-ids": _with(b"Message-ID: <one@team.example>", b"Message-Id: <two@team.example>"),
    "two-subjects": _with(b"Subject: another"),
    "odd-date": _HEAD + b"Date: yesterday, about noon\n" + _BODY,
    "headers-only": _HEAD + _DATE,
    "body-only": b"\njust words\n",
    "one-word": b"hello",
    "no-last-line-end": _with(body=b"\nno end"),
    "leading-space": b" folded: before anything\n" + _PLAIN,
    "space-before-colon": _HEAD + b"X-Odd : value\n" + _BODY,
    "no-colon": _HEAD + b"this line has none\n" + _BODY,
    "byte-order-mark": b"\xef\xbb\xbf" + _PLAIN,
    "mbox-line": b"From ann@team.example Mon Mar  2 10:00:00 2026\n" + _PLAIN,
    "tags": _with(b"X-Tags: billing, Team A"),
    "folded-tags": _with(b"X-Tags: billing,", b"\tTeam A,", b" third"),
    "encoded-tags": _with(b"X-Tags: =?utf-8?q?billing=2C_B=C3=BCro?="),
    "badly-encoded-tags": _with(b"X-Tags: =?x-none?q?a=ZZ?=, =?utf-8?b?%%%?="),
    "two-x-tags": _with(b"X-Tags: one", b"X-Tags: two"),
    "tags-of-101": _with(b"X-Tags: " + b",".join(b"tag %d" % n for n in range(101))),
    "long-tags": _with(b"X-Tags: " + b"long" * 60 + b", " + b"long" * 60 + b"er"),
    "empty-tags": _with(b"X-Tags: , ,,  ,"),
    "tags-of-other-scripts": _with("X-Tags: 日本, Büro, a/b".encode()),
    "plus-address": b"From: a+from@b.example\nTo: Bob <bob+billing@t.example>\nCc: x+cc+two@t.example\n\nb\n",
    "long-plus-address": b"To: b+" + b"x" * 90 + b"@t.example\nFrom: a@b.example\n\nbody\n",
    "to-and-cc-alike": b"From: a@b.example\nTo: bob+team@t.example\nCc: bob+team@t.example\n\nbody\n",
    "group-syntax": b"From: a@b.example\nTo: Team: bob+g@t.example, eve@t.example;, Nobody:;\n\nbody\n",
    "bcc-and-resent": _with(
        b"Bcc: hidden+b@t.example", b"Resent-To: later@t.example", b"Sender: s@t.example"
    ),
    "trace-headers": b"Return-Path: <r@t.example>\nReceived: from x by y; Mon, 02 Mar 2026 10:00:00 +0100\n"
    + _PLAIN,
    "marks-of-another-run": _with(b"X-Mailrace: run=mr00000000.test; message=x; attempt=1"),
    "multipart": _multipart(
        b"--b1\nContent-Type: text/plain\n\ntext\n--b1\nContent-Type: text/html\n\n<b>h</b>\n--b1--\n"
    ),
    "attachment": _multipart(
        b"--b1\n\ntext\n--b1\nContent-Type: application/pdf; name=a.pdf\n"
        b"Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--b1--\n"
    ),
    "no-boundary": _multipart(b"--b1\n\ntext\n--b1--\n", b"multipart/mixed"),
    "unfinished-multipart": _multipart(b"--b1\nContent-Type: text/plain\n\nno end"),
    "bad-base64": _with(b"Content-Transfer-Encoding: base64", body=b"\n!!! no base64 !!!\n"),
    "unknown-charset": _with(b"Content-Type: text/plain; charset=x-nothing"),
    "broken-content-type": _with(b"Content-Type: ;;;=/", b"MIME-Version: one"),
    "nested-message": _multipart(b"--b1\nContent-Type: message/rfc822\n\n" + _PLAIN + b"--b1--\n"),
    "html-only": _with(b"Content-Type: text/html", body=b"\n<p>only &amp; html</p>\n"),
}
"""At least forty shapes, by name."""
