"""Takes a type; gives what writes its values as JSON and reads them. Says in words what is wrong in one."""

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


_made: dict[object, object] = {}


def codec(of: type[T]) -> "TypeAdapter[T]":
    """What writes and reads the values of a type; pydantic is imported on first use only (0.2 s)."""
    if of not in _made:
        from pydantic import TypeAdapter

        _made[of] = TypeAdapter(of)
    return cast("TypeAdapter[T]", _made[of])


def mistakes(wrong: "ValidationError", most: int = 1) -> str:
    """The first mistakes of a value, each with its place: `rounds: Input should be a valid integer`."""
    found = wrong.errors(include_url=False, include_input=False)
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:most])
    rest = len(found) - most
    return f"{said}; and {rest} more" if rest > 0 and most > 1 else said


def why_unreadable(wrong: Exception) -> str:
    """Why a text, which may be a stranger's, could not be read; the words quote at most one line of it."""
    from pydantic import ValidationError

    if isinstance(wrong, ValidationError):
        return mistakes(wrong)
    if isinstance(wrong, OSError) and wrong.strerror:
        return wrong.strerror
    return "it is nested too deeply" if isinstance(wrong, RecursionError) else f"{wrong!r:.200}"
