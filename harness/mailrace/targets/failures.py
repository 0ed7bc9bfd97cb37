"""Takes a failed REST call or TLS handshake; tells a person in words what went wrong and what to do."""

import http.client
import ssl

from mailrace.model.secrets import without_secrets

_TALKS_PLAINLY = ("HTTPS server", "HTTPS port", "SSL-enabled server port")
"""What Go, nginx and Apache say, with a 400, to a client that does not speak TLS to them."""
_TLS_ALERT = "\x15\x03"
"""How other servers' answer to such a client begins (RFC 8446 5.1)."""
_WANTS_TLS = "it speaks TLS there; give https:// instead of http://"


def refusal(status: int, reason: str, target: str, answer: bytes) -> str:
    """An answer of another status than 200; `target` is where it redirects to, "" if nowhere."""
    if status == 401:
        return (
            "401, it wants a user and a password; give them in MAILRACE_API_USER and "
            "MAILRACE_API_PASSWORD or in a netrc file"
        )
    if target:
        return f"{status}, it redirects to {target}; give that address instead"
    # Our login is taken out before the text is cut, so that no part of it is left.
    text = " ".join(without_secrets(answer[:4_000].decode("utf-8", "replace"))[:400].split())
    if status == 400 and any(words in text for words in _TALKS_PLAINLY):
        return _WANTS_TLS
    text = "a web page, not Mailpit's API; is another program there?" if text[:1] == "<" else text
    return f"{status} {reason}: {text}" if text else f"{status} {reason}"


def cause(error: BaseException) -> str:
    """The innermost reason in words, without the library's object names."""
    seen: BaseException = error
    for _ in range(10):
        inner = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
        if not isinstance(inner, BaseException) or inner is seen:
            break
        seen = inner
    if type(seen).__name__ == "IncompleteRead":
        return "its answer was cut off"
    if isinstance(seen, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(seen, ssl.SSLError):
        return tls_cause(seen, "http:// instead of https://")
    if isinstance(seen, http.client.BadStatusLine) and str(seen).startswith(_TLS_ALERT):
        return _WANTS_TLS
    if isinstance(seen, http.client.BadStatusLine):
        return f"no HTTP answer ({without_secrets(str(seen)).strip()[:80]!r}); is that its REST port?"
    if isinstance(seen, ConnectionRefusedError):
        return "connection refused; is the server running?"
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror.lower()
    text = str(seen)
    return text.rsplit(": ", 1)[-1] if text else type(seen).__name__


def tls_cause(error: ssl.SSLError, otherwise: str) -> str:
    """Why a TLS handshake failed; `otherwise` is what to give where the server speaks no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message.rstrip('.')}); "
            "name it, or who signed it, in MAILRACE_TLS_CA, or set MAILRACE_TLS_VERIFY=no"
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return f"no TLS there ({reason}); give {otherwise}"
