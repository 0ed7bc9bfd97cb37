"""What a shell offers after TAB: names of targets and scenarios that are available here."""

from pathlib import Path

SUFFIX = ".race.yaml"


def target_names(incomplete: str) -> list[str]:
    """The servers at hand whose name begins so."""
    from mailrace.targets import targets_at_hand

    return [one.name for one in targets_at_hand() if one.name.startswith(incomplete)]


def scenario_names(incomplete: str) -> list[str]:
    """What begins so: `shipped`, names of shipped scenarios, files and folders that may hold scenarios."""
    from mailrace.scenario import SHIPPED, shipped

    names = [SHIPPED, *sorted(file.name.removesuffix(SUFFIX) for file in shipped().glob(f"*{SUFFIX}"))]
    beside = Path(incomplete).parent if "/" in incomplete else Path()
    here = [f"{path}/" if path.is_dir() else str(path) for path in sorted(beside.glob("*"))]
    files = [path for path in here if path.endswith((SUFFIX, "/"))]
    return [name for name in (*names, *files) if name.startswith(incomplete)]
