"""Takes what steer counted; gives why a clean answer may not rest on it."""

from collections.abc import Collection

from mailrace.model.result import Schedules


def why_unfinished(looked: Schedules, seen: Collection[str] = ()) -> str:
    """Why a walk is not finished, in a clause; "" where every schedule was run and each bad one settled.

    Only a finished walk may be called clean. `seen` are anomalies that were shown anyway: further classes
    that show the same ones may stay unrealised, since they would add nothing.
    """
    if unknown := sorted(set(looked.unrealised_anomalies) - set(seen)):
        return f"schedules that would show {', '.join(unknown)} were found and not realised"
    if looked.unrealised and not looked.unrealised_anomalies:
        return f"{looked.unrealised} schedules that would show an anomaly were found and not realised"
    if looked.missed:
        return f"{looked.missed} of {looked.classes} classes of schedules were missed"
    if not looked.exhaustive or not looked.explored:
        return f"only {looked.explored} schedules were walked, not all"
    return looked.doubt
