"""A mail as it is planned, and the spellings of its tags: frozen values, rendered in mailrace.actors.

Marks (docs/glossary.md): `domain` is the run's own recipient domain; a message is known by its `key`, the
local part of its `From`; an attempt by the local part of `Reply-To`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

FILLER = "The quick brown fox jumps over the lazy dog while two senders wait."
"""The line that fills generated bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail as planned; `render` gives its bytes for one attempt.

    key          unique in the run, `[a-z0-9]+`, e.g. `r00041s02` (round 41, sender 2) or `r00041g01` (given)
    domain       the run's recipient domain, e.g. `mr-k3f9x2ab.test`
    message_id   without angle brackets; may be shared between messages
    to           addresses in the `To` header, which are recipients too
    cc           addresses in the `Cc` header, recipients too; one may stand in `to` as well
    bcc          recipients that stand in the envelope only
    x_tags       tags asked for by `X-Tags`, uncleaned, in order; empty: no such header
    plus_tags    tags that the plus-addresses of the recipients ask for (they stand there already)
    body_bytes   length of the generated body (file is None)
    image_bytes  size of an image that is attached to the generated body; 0: none
    file_sha256  digest of the user's own message in `Plan.contents`, or None
    headers      extra headers, in order
    malformed    a header line without a colon, which Mailpit refuses with 451
    """

    key: str
    domain: str
    message_id: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    x_tags: tuple[str, ...] = ()
    plus_tags: tuple[str, ...] = ()
    subject: str = ""
    body_bytes: int = 120
    image_bytes: int = 0
    file_sha256: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    malformed: bool = False

    @property
    def sender(self) -> str:
        """The envelope sender and the address in `From`."""
        return f"{self.key}@{self.domain}"

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope's recipients, each once, in the order of RCPT."""
        return tuple(dict.fromkeys(self.to + self.cc + self.bcc))

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags asked for, uncleaned."""
        return self.x_tags + self.plus_tags

    @property
    def shown_subject(self) -> str:
        """The subject that a generated message has."""
        return self.subject or f"mailrace {self.key}"

    @property
    def first_words(self) -> str:
        """What the generated body begins with: the key, or the key's end where the body is too short.

        So no two messages have the same body, even at one length, and the snippet tells which message it is.
        """
        room = max(self.body_bytes, 2) - 2
        return self.key[-room:] if room else ""

    def reply_to(self, attempt: int) -> str:
        """The mark of attempt 1, 2, …: `a1@DOMAIN`."""
        return f"a{attempt}@{self.domain}"

    def with_tags(self, spelt: Mapping[str, str]) -> "Message":
        """The message with its tags spelt otherwise, in `X-Tags` and in plus-addresses; "" takes one away."""

        def each(tags: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new for tag in tags if (new := spelt.get(tag, tag)))

        def address(written: str) -> str:
            local, at, domain = written.partition("@")
            head, *plus = local.split("+")
            return "+".join([head, *each(tuple(plus))]) + at + domain

        return replace(
            self,
            to=tuple(map(address, self.to)),
            cc=tuple(map(address, self.cc)),
            bcc=tuple(map(address, self.bcc)),
            x_tags=each(self.x_tags),
            plus_tags=each(self.plus_tags),
        )


def respelt(tag: str, number: int) -> str:
    """The tag in spelling `number` (0: as written): its letters change case as the bits of the number say.

    To the server all spellings are one tag. They differ from each other as long as the tag has enough
    letters.
    """
    letters = []
    for letter in tag:
        if letter.isascii() and letter.isalpha():
            letters.append(letter.swapcase() if number & 1 else letter)
            number >>= 1
        else:
            letters.append(letter)
    return "".join(letters)
