"""Takes `http(s)://HOST:8025[/webroot]?smtp=HOST:1025[&tls=starttls|tls]`; gives where it listens."""

import difflib
from urllib.parse import parse_qsl, urlsplit

from mailrace.model.errors import TargetNameError
from mailrace.model.target import Addresses

FORM = "wanted http://HOST:8025?smtp=HOST:1025, with &tls=starttls or &tls=tls where its SMTP needs it"
KEYS = ("smtp", "tls")


def parse_external(text: str) -> Addresses:
    """Where a server that is not ours listens; touches nothing.

    Raises TargetNameError, which repeats no password.
    """
    try:
        url = urlsplit(text)
        api_port = url.port
    except ValueError as error:
        raise TargetNameError(text, f"{error}; {FORM}") from error
    if "@" in url.netloc:
        raise TargetNameError(
            text,
            "a user or password in the URL would end in reports; "
            "give them in MAILRACE_API_USER and MAILRACE_API_PASSWORD or in a netrc file",
        )
    if not url.hostname:
        raise TargetNameError(text, f"no host; {FORM}")
    if url.fragment:
        raise TargetNameError(text, f"nothing may stand behind '#'; {FORM}")
    options = _options(text, url.query)
    if "smtp" not in options:
        raise TargetNameError(text, f"where is its SMTP? Add ?smtp={url.hostname}:1025; {FORM}")
    host, port = _host_and_port(text, options["smtp"])
    if options.get("tls", "") not in ("", "starttls", "tls"):
        raise TargetNameError(text, f"tls={options['tls']!r}; wanted starttls or tls")
    shown = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    place = shown if api_port is None else f"{shown}:{api_port}"
    return Addresses(
        smtp_host=host,
        smtp_port=port,
        api=f"{url.scheme}://{place}{url.path.rstrip('/')}",
        smtp_tls=options.get("tls", ""),
    )


def _options(text: str, query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in options:
            raise TargetNameError(text, f"{key} is given twice; {FORM}")
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else FORM
            raise TargetNameError(text, f"unknown option {key!r}; {hint}")
        options[key] = value
    return options


def _host_and_port(text: str, value: str) -> tuple[str, int]:
    try:
        place = urlsplit(f"//{value}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or not port or "@" in value or place.path:
        raise TargetNameError(text, f"smtp={value.rpartition('@')[2]!r}; wanted HOST:1025")
    return host, port
