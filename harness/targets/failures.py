"""A failed REST call in, what a person is told of it out."""

import http.client


def refusal(status: int, reason: str, target: str, answer: bytes) -> str:
    """An answer of another status than 200; `target` is where it redirects to, "" if nowhere."""
    if status == 401:
        return (
            "401, it wants a user and a password; give them in MAILRACE_API_USER and "
            "MAILRACE_API_PASSWORD or in a netrc file"
        )
    if target:
        return f"{status}, it redirects to {target}; give that address instead"
    text = " ".join(answer[:400].decode("utf-8", "replace").split())
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
    if isinstance(seen, http.client.BadStatusLine):
        return f"no HTTP answer ({str(seen).strip()[:80]!r}); is that its REST port?"
    if isinstance(seen, ConnectionRefusedError):
        return "connection refused; is the server running?"
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror.lower()
    text = str(seen)
    return text.rsplit(": ", 1)[-1] if text else type(seen).__name__
