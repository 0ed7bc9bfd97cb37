"""A run's folder as a run leaves it, with what a reporter would not want to publish."""

import json

from mailrace.report import render

SCENARIO = "name: shared-new-tag\n# kept by jane\n"


def run_folder(folder, result):
    """A run's folder as a run leaves it."""
    render(result, folder)
    plan = {"scenarios": [{"name": s.name, "target": {}} for s in result.scenarios]}
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "history.jsonl").write_text('{"kind":"run","folder":"/home/jane/mail work/x"}\n')
    (folder / "server.log").write_bytes(b"listening on 192.168.7.20:1025 and [fe80::1:2]:25 \xff\n")
    (folder / "shared-new-tag.race.yaml").write_text(SCENARIO)
    return folder
