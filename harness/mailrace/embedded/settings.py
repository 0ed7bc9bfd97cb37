"""What an instance is started with, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.embedded.versions import Version

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSources:
    """Where tags may come from; `--tags-disable` switches them off."""

    x_tags: bool = True
    plus_addresses: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the flags say; port 0 lets the system choose. There is no POP3 without passwords for it."""

    version: Version
    database: str
    smtp: Address = ("127.0.0.1", 0)
    http: Address = ("127.0.0.1", 0)
    pop3: Address = ("127.0.0.1", 0)
    ignore_duplicate_ids: bool = False
    tag_sources: TagSources = field(default_factory=TagSources)
    passwords: Mapping[str, str] = field(default_factory=dict)
    pop3_passwords: Mapping[str, str] = field(default_factory=dict)
    accepts_any_login: bool = False
    relay: Address | None = None
    seed: int = 0
