"""A run of steer in; the schedule of one of its witnesses out, into `docs/schedules.json`.

    python docs/hooks/keep_schedule.py S1 rejected_but_stored reports/latest

What only a person can say (why nothing helps after the decisive step, how actors are called) stays as it
stands there.
"""

import json
import sys
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent.parent / "schedules.json"
ANSWER_MAX = 120


def keep(race: str, anomaly: str, folder: Path) -> None:
    """Put the steps of that anomaly's first witness into the file; StopIteration where there is none."""
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    scenario = document["scenarios"][0]
    index, schedule = next(
        (index, one["schedule"])
        for index, one in enumerate(scenario["witnesses"])
        if one["anomaly"]["name"] == anomaly and one.get("schedule")
    )
    steps = [
        _step(step, number) for number, step in enumerate(schedule["steps"], 1) if not step["background"]
    ]
    # Steer has counted the good completions after each step of a schedule whose state graph is whole.
    counted = [cause["no_return"] for cause in scenario["schedules"]["causes"] if cause["witness"] == index]
    target = document["target"]["name"]
    entry: dict[str, Any] = {
        "title": scenario["title"],
        "source": f"As <code>mailrace steer {scenario['name']} --target {target}</code> ran it on "
        f"{document['started'][:10]}; statements on counters are left out.",
        "machine": document["environment"],
        "decided": counted[0] if counted else 0,
        "counted": bool(counted and counted[0]),
        "because": "",
        "actors": {step["actor"]: step["actor"] for step in steps},
        "ends": {},
    }
    everything = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    by_hand = {name: everything.get(race, {}).get(name) for name in ("because", "actors", "ends")}
    entry |= {name: value for name, value in by_hand.items() if value}
    if not entry["counted"]:
        entry["decided"] = everything.get(race, {}).get("decided", 0)
    everything[race] = entry | {"steps": steps}
    KEPT.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _step(step: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "actor": step["actor"],
        "number_in_all": number,
        "sql": step["sql"],
        "result": step["result"][:ANSWER_MAX],
    }


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
