"""The requests of the differential test, in order; a step may rest on what earlier ones stored."""

from tests.embedded.conversation import Http, Pop3, Smtp, Step

HELLO = "EHLO client.test"
A = "/api/v1"


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

SEARCHES = (
    "to:t@x.test",
    "from:fay",
    "cc:c@x.test",
    "bcc:hidden",
    "bcc:b@x.test",
    "reply-to:r@x.test",
    "addressed:hidden@x.test",
    "subject:one",
    "subject:CAF",
    'subject:"au lait"',
    "message-id:two@x.test",
    "tag:red",
    "tag:RED",
    "tag:re",
    'tag:"blue green"',
    "-tag:red",
    "!tag:red subject:t",
    "is:read",
    "is:unread",
    "-is:unread",
    "is:tagged",
    "-is:tagged",
    "has:attachment",
    "has:attachments",
    "-has:attachment",
    "hello",
    "-hello",
    '"hello there"',
    "there hello",
    "h_llo",
    "nothing-of-this",
    "a.csv",
    "rich",
    "to:",
    "-",
)

SEARCH_STEPS: tuple[Step, ...] = tuple(
    Http("GET", f"{A}/search?query={q.replace('%', '%25').replace(' ', '+').replace('&', '%26')}")
    for q in SEARCHES
)

READ_STEPS: tuple[Step, ...] = (
    Http("GET", f"{A}/messages"),
    Http("GET", f"{A}/messages?limit=2"),
    Http("GET", f"{A}/messages?start=3&limit=2"),
    Http("GET", f"{A}/messages?start=99"),
    Http("GET", f"{A}/messages?limit=0"),
    Http("GET", f"{A}/messages?limit=-1&start=-2"),
    Http("GET", f"{A}/messages?limit=x&start=y"),
    Http("GET", f"{A}/search"),
    Http("GET", f"{A}/search?query=to:t@x.test&limit=0"),
    Http("GET", f"{A}/search?query=to:t@x.test&start=2&limit=3"),
    Http("GET", f"{A}/tags"),
    Http("GET", f"{A}/info"),
    Http("GET", f"{A}/webui"),
    Http("GET", "/livez"),
    Http("GET", "/readyz"),
    *(Http("GET", f"{A}/message/{{{n}}}/headers") for n in (0, 2, 3)),
    *(Http("GET", f"{A}/message/{{{n}}}/raw") for n in (0, 1, 2, 8, 10)),
    *(Http("GET", f"{A}/message/{{{n}}}") for n in range(11)),
    Http("GET", f"{A}/message/latest"),
    Http("GET", f"{A}/message/latest?query=tag:red"),
    Http("GET", f"{A}/message/nothere"),
    Http("GET", f"{A}/message/nothere/raw"),
    Http("GET", f"{A}/message/nothere/headers"),
    Http("GET", f"{A}/message/{{5}}/part/2"),
    Http("GET", f"{A}/message/{{5}}/part/9"),
)

CHANGE_STEPS: tuple[Step, ...] = (
    Http("PUT", f"{A}/messages", '{"IDs":["{0}","{1}"],"Read":false}'),
    Http("PUT", f"{A}/messages", '{"ids":["{0}"],"read":true}'),
    Http("PUT", f"{A}/messages", '{"Search":"tag:red","Read":false}'),
    Http("PUT", f"{A}/messages", '{"IDs":["{0}"],"Search":"x","Read":false}'),
    Http("PUT", f"{A}/messages", '{"IDs":["nothere"],"Read":true}'),
    Http("PUT", f"{A}/messages", ""),
    Http("PUT", f"{A}/messages", "{"),
    Http("PUT", f"{A}/messages", "no json"),
    Http("GET", f"{A}/messages"),
    Http("PUT", f"{A}/messages", '{"Read":true}'),
    Http("GET", f"{A}/search?query=is:read&limit=1"),
    Http("PUT", f"{A}/messages", '{"Read":false}'),
    Http("PUT", f"{A}/tags", '{"IDs":["{3}","{4}"],"Tags":["New one","RED","bad/tag",""," "]}'),
    Http("PUT", f"{A}/tags", '{"IDs":["{3}"],"Tags":["Other","new ONE"]}'),
    Http("PUT", f"{A}/tags", '{"IDs":["nothere"],"Tags":["Ghost"]}'),
    Http("PUT", f"{A}/tags", '{"IDs":[],"Tags":["x"]}'),
    Http("PUT", f"{A}/tags", '{"Tags":["x"]}'),
    Http("PUT", f"{A}/tags", ""),
    Http("PUT", f"{A}/tags", f'{{"IDs":["{{3}}"],"Tags":["{"long" * 40}","Other"]}}'),
    Http("GET", f"{A}/tags"),
    Http("GET", f"{A}/info"),
    Http("PUT", f"{A}/tags/Other", '{"Name":"Another one"}'),
    Http("PUT", f"{A}/tags/nothere", '{"Name":"x"}'),
    Http("PUT", f"{A}/tags/Another%20one", '{"Name":"red"}'),
    Http("PUT", f"{A}/tags/Another%20one", '{"Name":"  "}'),
    Http("PUT", f"{A}/tags/Another%20one", '{"Name":"ANOTHER ONE"}'),
    Http("PUT", f"{A}/tags/red", ""),
    Http("DELETE", f"{A}/tags/another%20one"),
    Http("DELETE", f"{A}/tags/nothere"),
    Http("PUT", f"{A}/tags", '{"IDs":["{4}"],"Tags":[]}'),
    Http("GET", f"{A}/tags"),
    Http("GET", f"{A}/messages"),
    Http("DELETE", f"{A}/messages", '{"IDs":["nothere"]}'),
    Http("DELETE", f"{A}/messages", '{"IDs":["{0}"]}'),
    Http("DELETE", f"{A}/messages", '{"IDs":["{1}","{2}"]}'),
    Http("DELETE", f"{A}/search?query=subject:five"),
    Http("DELETE", f"{A}/search?query=subject:nothing"),
    Http("DELETE", f"{A}/search"),
    Http("GET", f"{A}/message/{{0}}"),
    Http("GET", f"{A}/messages"),
    Http("GET", f"{A}/info"),
    Http("DELETE", f"{A}/messages", '{"IDs":[]}'),
    Http("GET", f"{A}/messages"),
    mail("to be deleted by half a body", BASE + "Subject: half\r\nMessage-ID: <half@x.test>"),
    Http("DELETE", f"{A}/messages", '{"IDs":["nothere"'),
    Http("GET", f"{A}/messages"),
    Http("DELETE", f"{A}/messages", '["nothere"]'),
    Http("DELETE", f"{A}/messages", '{"IDs":3}'),
    Http("GET", f"{A}/tags"),
    Http("DELETE", f"{A}/messages"),
    Http("GET", f"{A}/message/latest"),
    Http("GET", f"{A}/info"),
)

_TO = '"To":[{"Name":"Tom","Email":"t@x.test"}]'
SEND_STEPS: tuple[Step, ...] = (
    Http(
        "POST",
        f"{A}/send",
        f'{{"From":{{"Email":"f@x.test"}},{_TO},"Subject":"sent","Text":"yo","Tags":["Q"]}}',
    ),
    Http(
        "POST",
        f"{A}/send",
        f'{{"From":{{"Name":"Fay","Email":"f@x.test"}},{_TO},"Bcc":["b@x.test"],"HTML":"<i>x</i>"}}',
    ),
    Http("POST", f"{A}/send", '{"From":{"Email":"f@x.test"},"To":[{"Email":"nobody"}]}'),
    Http("POST", f"{A}/send", '{"From":{"Email":"f@x.test"},"Bcc":["nobody"]}'),
    Http("POST", f"{A}/send", f'{{"From":{{"Email":"f@x.test"}},{_TO},"Headers":{{"Subject":"x"}}}}'),
    Http(
        "POST", f"{A}/send", f'{{"From":{{"Email":"f@x.test"}},{_TO},"Headers":{{"X-Own":"x"}},"Text":"t"}}'
    ),
    Http("POST", f"{A}/send", "{"),
    Http("POST", f"{A}/send", ""),
    Http("GET", f"{A}/search?query=from:f@x.test&limit=0"),
    Http("GET", f"{A}/tags"),
    Http("DELETE", f"{A}/messages"),
)

LAST_STEPS: tuple[Step, ...] = (
    mail("one more", BASE + "Subject: last\r\nMessage-ID: <last@x.test>\r\nX-Tags: z"),
    Http("GET", f"{A}/messages"),
    Http("DELETE", f"{A}/messages", '{"IDs":["{-1}","nothere"]}'),
)
"""After these a released version answers nothing that needs its database (issue 723)."""

LOGIN = ("USER mailrace", "PASS mailrace")
TO = "released@y.test"
IMAGE_HEAD = (
    "Subject: image\r\nMessage-ID: <image@x.test>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b2"
)
IMAGE = MIXED.replace("text/csv", "image/png").replace("a.csv", "a.png")
NEWER_STEPS: tuple[Step, ...] = (
    mail("an image", BASE + IMAGE_HEAD, IMAGE),
    Http("GET", f"{A}/message/{{-1}}"),
    Http("GET", f"{A}/message/{{-1}}/part/2"),
    Http("DELETE", f"{A}/search?query=subject:image"),
    Http("GET", f"{A}/message/{{-1}}"),
    Http("GET", f"{A}/message/{{-1}}/part/2"),
    Http("DELETE", f"{A}/messages"),
    Http("GET", f"{A}/message/{{-1}}"),
    mail("a first to retrieve", BASE + "Subject: p1\r\nMessage-ID: <p1@x.test>\r\nX-Tags: P"),
    mail("one with dots", BASE + "Subject: p2\r\nMessage-ID: <p2@x.test>", "..a dot\r\n...\r\nlast\r\n"),
    mail("a third", BASE + "Subject: p3\r\nMessage-ID: <p3@x.test>"),
    Pop3("before the login", ("CAPA", "STAT", "retr 1", "WHAT", "PASS mailrace")),
    Pop3("no user", ("USER",)),
    Pop3("a wrong password", ("USER mailrace", "PASS nope", "UIDL", "PASS mailrace", "UIDL", "QUIT")),
    Pop3("a login twice", (*LOGIN, *LOGIN, "QUIT")),
    Pop3("what is there", (*LOGIN, "STAT", "LIST", "LIST 1", "LIST 9", "list x", "UIDL", "UIDL 2", "UIDL 0")),
    Pop3("wrong numbers", (*LOGIN, "UIDL 1 2", "RETR", "RETR 9", "RETR x", "RETR -1", "DELE", "DELE 9")),
    Pop3("retrieving", (*LOGIN, "RETR 1", "RETR 2", "RETR 3", "NOOP", "RSET", "QUIT")),
    Pop3("beginnings", (*LOGIN, "TOP 2 0", "TOP 2 1", "TOP 2 3", "TOP 2", "TOP", "TOP x 1", "TOP 2 x")),
    Pop3("no QUIT", (*LOGIN, "DELE 1")),
    Pop3("undone", (*LOGIN, "DELE 1", "RSET", "QUIT")),
    Http("GET", f"{A}/messages"),
    Pop3("one deleted", (*LOGIN, "DELE 2", "STAT", "LIST", "LIST 2", "UIDL", "RETR 2", "TOP 2 1", "QUIT")),
    Http("GET", f"{A}/messages"),
    Http("GET", "/view/latest"),
    Http("POST", f"{A}/message/{{-1}}/release", f'{{"To":["{TO}"]}}'),
    Http("POST", f"{A}/message/{{-3}}/release", f'{{"To":["{TO}","Ann <ann@y.test>"]}}'),
    Http("POST", f"{A}/message/{{-1}}/release", '{"To":["nobody"]}'),
    Http("POST", f"{A}/message/{{-1}}/release", '{"To":[]}'),
    Http("POST", f"{A}/message/{{-1}}/release", "{"),
    Http("POST", f"{A}/message/{{-1}}/release", ""),
    Http("POST", f"{A}/message/nothere/release", f'{{"To":["{TO}"]}}'),
    Pop3("both others deleted", (*LOGIN, "DELE 1", "DELE 2", "QUIT")),
    Http("GET", f"{A}/info"),
    Http("GET", f"{A}/messages"),
    Http("GET", "/view/latest"),
    Pop3("nothing there", (*LOGIN, "STAT", "LIST", "UIDL", "RETR 1", "DELE 1", "QUIT")),
)

_TO_CHANGES = (*SMTP_STEPS, *READ_STEPS, *SEARCH_STEPS, *CHANGE_STEPS)
STEPS = (*_TO_CHANGES, *SEND_STEPS, *LAST_STEPS)
NEWER = (*_TO_CHANGES, *NEWER_STEPS, *SEND_STEPS, *LAST_STEPS)
