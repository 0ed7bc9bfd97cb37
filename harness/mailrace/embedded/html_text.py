"""HTML to the text a reader sees, on one line."""

from html.parser import HTMLParser

_HIDDEN = frozenset({"script", "title", "head", "style", "noscript"})


class _Reader(HTMLParser):
    def __init__(self, with_links: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._with_links = with_links
        self._links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag == "a":
            self._links.append(next((value or "" for name, value in attrs if name == "href"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        if tag == "a" and self._links:
            link = self._links.pop()
            if self._with_links and link.lower().startswith("http"):
                self.pieces.append(f" {link} ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def visible_text(html: str, *, with_links: bool) -> str:
    """The text, runs of space as one; `with_links` adds where http links lead."""
    reader = _Reader(with_links)
    reader.feed(html)
    reader.close()
    text = "".join(reader.pieces).replace("\ufeff", " ")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
