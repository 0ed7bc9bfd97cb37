"""Takes the environment and a netrc file; gives the secrets and TLS options for a server that is not ours.

    MAILRACE_API_USER, MAILRACE_API_PASSWORD      basic authentication of the REST API
    MAILRACE_SMTP_USER, MAILRACE_SMTP_PASSWORD    SMTP AUTH
    MAILRACE_TLS_CA                               a file of certificates to trust instead of the system's
    MAILRACE_TLS_VERIFY=no                        take any certificate
    NETRC, ~/.netrc                               `machine HOST` for the API, `machine HOST:PORT` for either

They are never part of a target's name; where a server sends them back, `mailrace.model.secrets` takes them
out before anything is stored or shown.
"""

import netrc
import os
import ssl
from pathlib import Path

from mailrace.model.errors import UsageError
from mailrace.model.home import home
from mailrace.model.secrets import keep_secret
from mailrace.model.target import Addresses, Credentials


def credentials_for(addresses: Addresses) -> Credentials:
    """The logins for both sides. Raises UsageError for half a pair or a broken netrc file.

    From netrc, SMTP takes `HOST:PORT` only. `HOST` alone is the API's, and a server without AUTH would refuse
    a client that tries it.
    """
    host, port, _ = addresses.api_host_port()
    found = Credentials(
        api=_from_environment("MAILRACE_API") or _from_netrc(f"{host}:{port}", host),
        smtp=_from_environment("MAILRACE_SMTP") or _from_netrc(addresses.smtp_place),
    )
    keep_secret(found)
    return found


def tls_context() -> ssl.SSLContext:
    """How certificates of a server that is not ours are judged. Raises UsageError for a bad file."""
    verify = tls_verify()
    if verify is True:
        return ssl.create_default_context()
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=verify)
    except OSError as error:
        raise UsageError(f"MAILRACE_TLS_CA={verify}: no file of certificates ({error})") from error


def tls_verify() -> bool | str:
    """The same as requests takes it: True, False, or a file."""
    if os.environ.get("MAILRACE_TLS_VERIFY", "").lower() in ("no", "0", "false", "off"):
        return False
    return os.environ.get("MAILRACE_TLS_CA") or True


def _from_environment(prefix: str) -> tuple[str, str] | None:
    user, password = os.environ.get(f"{prefix}_USER"), os.environ.get(f"{prefix}_PASSWORD")
    if not user and not password:
        return None
    if not user or password is None:
        raise UsageError(f"{prefix}_USER and {prefix}_PASSWORD: only one of them is set; set both or neither")
    return user, password


def _from_netrc(*machines: str) -> tuple[str, str] | None:
    own, named = home(), os.environ.get("NETRC")
    file = Path(named) if named else own / ".netrc" if own is not None else None
    if file is None or not file.is_file():
        return None
    try:
        known = netrc.netrc(str(file)).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as error:
        # The error's own text may quote the file.
        line = f":{error.lineno}" if isinstance(error, netrc.NetrcParseError) else ""
        raise UsageError(
            f"{file}{line}: not a readable netrc file; mend it or set NETRC to another"
        ) from None
    for machine in machines:
        if machine in known:
            user, _, password = known[machine]
            return user, password or ""
    return None
