"""Takes a server's URL; gives where it listens.

http(s)://HOST:8025[/webroot]?smtp=HOST:1025[&tls=starttls|tls]
http+unix://%2FPATH%2FOF%2FSOCKET[/webroot]?smtp=unix:/PATH/OF/SOCKET
"""

import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from mailrace.model.dial import UNIX_PATH_BYTES_MAX
from mailrace.model.errors import TargetNameError
from mailrace.model.hints import did_you_mean
from mailrace.model.target import Addresses

FORM = "wanted http://HOST:8025?smtp=HOST:1025, with &tls=starttls or &tls=tls where its SMTP needs it"
UNIX_FORM = "wanted http+unix://%2FPATH?smtp=unix:/PATH, the first path with %2F for each slash"
SCHEMES = ("http://", "https://", "http+unix://")
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
    # It is a URL that may be shown. From here on each fault names what is wrong, and the form that is wanted.
    is_unix = url.scheme == "http+unix"
    if not url.hostname:
        raise TargetNameError(text, f"no path; {UNIX_FORM}" if is_unix else f"no host; {FORM}")
    if url.fragment:
        raise TargetNameError(text, f"nothing may stand behind '#'; {FORM}")
    options = _options(text, url.query)
    if "smtp" not in options:
        like = "unix:/PATH" if is_unix else f"{url.hostname}:1025"
        raise TargetNameError(text, f"where is its SMTP? Add ?smtp={like}; {UNIX_FORM if is_unix else FORM}")
    # The API is known. SMTP has an address of its own, and TLS of its own.
    host, port = _host_and_port(text, options["smtp"])
    if not port and options.get("tls"):
        raise TargetNameError(text, "TLS over a Unix socket is not spoken; leave tls= out")
    if options.get("tls", "") not in ("", "starttls", "tls"):
        raise TargetNameError(text, f"tls={options['tls']!r}; wanted starttls or tls")
    if is_unix:
        place = quote(_socket_path(text, unquote(url.netloc)), safe="")
        api = f"http+unix://{place}{url.path.rstrip('/')}"
        return Addresses(smtp_host=host, smtp_port=port, api=api, smtp_tls=options.get("tls", ""))
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
            raise TargetNameError(text, f"unknown option {key!r}{did_you_mean(key, KEYS, FORM, 0.5)}")
        options[key] = value
    return options


def _socket_path(text: str, path: str) -> str:
    if not path.startswith("/") or not path.isprintable() or len(path.encode()) > UNIX_PATH_BYTES_MAX:
        wanted = f"wanted an absolute one of at most {UNIX_PATH_BYTES_MAX} bytes; {UNIX_FORM}"
        raise TargetNameError(text, f"{path!r} is no path of a Unix socket; {wanted}")
    return path


def _host_and_port(text: str, value: str) -> tuple[str, int]:
    """For a Unix socket, its path and 0. Mailpit's flag may end in permissions, which are left out."""
    if value.startswith("unix:"):
        return _socket_path(text, re.sub(r":[0-7]{3,4}$", "", value.removeprefix("unix:"))), 0
    try:
        place = urlsplit(f"//{value}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or not port or "@" in value or place.path:
        raise TargetNameError(text, f"smtp={value.rpartition('@')[2]!r}; wanted HOST:1025 or unix:/PATH")
    return host, port
