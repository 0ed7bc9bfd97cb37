"""The mails of the differential test as they are sent over SMTP, whole and damaged, in order."""

from tests.embedded.conversation import Smtp, Step

HELLO = "EHLO client.test"


def mail(
    name: str,
    header: str,
    body: str = "Hello there,\r\n.. a dot\r\n",
    to: str = "t@x.test",
    sender: str = "f@x.test",
) -> Smtp:
    lines = [HELLO, f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{a}>" for a in to.split()), "DATA"]
    return Smtp(name, (*lines, f"{header}\r\n\r\n{body}.", "QUIT"))


BASE = "From: Fay <f@x.test>\r\nTo: Tom <t@x.test>\r\nDate: Tue, 03 Mar 2026 10:00:00 +0200\r\n"
ALTERNATIVE = (
    "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain text\r\n"
    "--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>rich <b>text</b></p><p>two</p>\r\n--b1--\r\n"
)
MIXED = (
    "--b2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsee the file\r\n"
    "--b2\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n--b2--\r\n"
)
IMAGE_HEAD = (
    "Subject: image\r\nMessage-ID: <image@x.test>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b2"
)
IMAGE = MIXED.replace("text/csv", "image/png").replace("a.csv", "a.png")

SMTP_STEPS: tuple[Step, ...] = (
    mail(
        "plain, tagged by X-Tags",
        BASE + "Subject: one\r\nMessage-ID: <one@x.test>\r\nX-Tags: Red, blue/green",
    ),
    mail(
        "tagged by plus-address",
        BASE.replace("<t@", "<t+Plus+red@") + "Subject: two\r\nMessage-ID: <two@x.test>",
    ),
    mail(
        "no Message-ID, no Date, a recipient of the envelope only",
        "From: f@x.test\r\nTo: t@x.test\r\nCc: c@x.test\r\nReply-To: r@x.test\r\nSubject: three",
        to="t@x.test c@x.test hidden@x.test",
    ),
    mail(
        "encoded words and a folded header",
        BASE
        + "Subject: =?utf-8?q?caf=C3=A9?=\r\n au lait\r\nMessage-ID: <four@x.test>\r\nX-Long: a\r\n b\r\n\tc",
    ),
    mail(
        "alternative",
        BASE + "Subject: five\r\nMessage-ID: <five@x.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/alternative; boundary=b1",
        ALTERNATIVE,
    ),
    mail(
        "attachment",
        BASE + "Subject: six\r\nMessage-ID: <six@x.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b2",
        MIXED,
    ),
    mail("an empty sender", BASE + "Subject: seven\r\nMessage-ID: <seven@x.test>", sender=""),
    mail("no body", BASE + "Subject: eight\r\nMessage-ID: <eight@x.test>", ""),
    mail(
        "a Bcc header beside a hidden recipient",
        BASE + "Bcc: b@x.test\r\nSubject: nine",
        to="t@x.test h@x.test",
    ),
    mail("a long line", BASE + "Subject: ten\r\nMessage-ID: <ten@x.test>", "x" * 3000 + " end\r\n"),
    mail("a multipart without a boundary", BASE + "Subject: dropped\r\nContent-Type: multipart/mixed"),
    mail("a header line without a colon", BASE + "this is no header\r\nSubject: refused"),
    Smtp(
        "after a refused DATA the envelope stays",
        (
            HELLO,
            "MAIL FROM:<f@x.test>",
            "RCPT TO:<old@x.test>",
            "DATA",
            "no header\r\n\r\nbody\r\n.",
            "MAIL FROM:<g@x.test>",
            "RCPT TO:<t@x.test>",
            "DATA",
            BASE + "Subject: eleven\r\nMessage-ID: <eleven@x.test>\r\n\r\nbody\r\n.",
            "MAIL FROM:<g@x.test>",
            "QUIT",
        ),
    ),
    Smtp(
        "letters beyond ASCII, and bytes that are no UTF-8",
        (
            HELLO,
            "MAIL FROM:<jö@x.test> SMTPUTF8",
            "RCPT TO:<tö@x.test>",
            "DATA",
            "From: jö@x.test\r\nSubject: \udcff café\r\nX-Tags: \udce9a\r\n\r\nbody\r\n.",
        ),
    ),
    Smtp("commands out of order", ("MAIL FROM:<f@x.test>", HELLO, "RCPT TO:<t@x.test>", "DATA", "QUIT")),
    Smtp(
        "bad arguments",
        (
            "HELO client.test",
            "MAIL",
            "MAIL FROM:f@x.test",
            "MAIL FROM:<no address>",
            "MAIL FROM:<noaddress>",
            "MAIL FROM:<f@x.test> SIZE=x",
            "MAIL FROM:<f@x.test> SIZE=99999999999",
            "MAIL FROM:<f@x.test> BODY=8BITMIME",
            "RCPT TO:",
            "RCPT TO:<>",
            "RCPT TO:<no address>",
            "rcpt to: <t@x.test>",
            "MAIL FROM:<f@x.test>",
            "RSET",
            "DATA",
            "QUIT",
        ),
    ),
    Smtp(
        "other commands",
        (
            "NOOP",
            "HELP",
            "VRFY x",
            "EXPN x",
            "STARTTLS",
            "STARTTLS x",
            "AUTH PLAIN",
            "WHAT",
            "",
            "RSET",
            "quit",
        ),
    ),
)
