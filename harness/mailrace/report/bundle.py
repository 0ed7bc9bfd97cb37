"""Takes a run's folder; gives one zip that a maintainer can read and replay.

A bundle holds, in this order: ISSUE.md, repro.py, the scenario, plan.json, schedule.json, history.jsonl,
server.log, run.json, report.html, manifest.json, SHA256SUMS. Two bundles of one run are byte-equal.
"""

import io
import json
import stat
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import ValidationError

from mailrace.history.plan import MAILS, PLAN, mail_of
from mailrace.history.regular import read_regular
from mailrace.history.writing import write_whole
from mailrace.model.errors import UsageError
from mailrace.model.result import RunResult, ScenarioResult, Verdict, Witness
from mailrace.report.document import from_json, text_of, to_json
from mailrace.report.issue import issue
from mailrace.report.page import page
from mailrace.report.redaction import Redaction, redacted, redactions
from mailrace.report.repro import PROMISES, WITHOUT_SCRIPT, ServerFacts, repro_script
from mailrace.report.unbundle import BUNDLE_VERSION, FILE_BYTES_MAX, NAME, mail_name, sha256
from mailrace.scenario.scenario import TargetSpec
from mailrace.scenario.witnessed import why_not_recorded

LOGS = ("history.jsonl", "server.log")
TEXT_BYTES_MAX = FILE_BYTES_MAX // 4
"""Of a file that is taken in: a byte that is no UTF-8 becomes four, and who reads a bundle has a limit."""


def bundle(folder: Path, out: Path, keep: Collection[str] = (), scenario: str = "") -> Path:
    """Write the bundle of a run's folder to `out`; its path.

    keep       kinds of text that are not replaced (`addresses`, `hosts`, `paths`, `users`)
    scenario   the one that is meant; "": the first one with a witness

    Raises UsageError where nothing can be replayed.
    """
    run, found = _read(folder)
    write_whole(out, _zipped(_files(folder, run, found, scenario, keep)))
    return out


def what_is_redacted(folder: Path) -> tuple[Redaction, ...]:
    """What `bundle` replaces in this run's files: shown before it writes."""
    return _read(folder)[1]


def own_messages(folder: Path, scenario: str = "") -> tuple[Path, ...]:
    """The users' own messages that `bundle` includes unchanged: shown before it writes.

    The proof consists of their very bytes, in the zip and in repro.py. Raises UsageError as `bundle` does.
    """
    run, _ = _read(folder)
    asked = _asked(_text(folder / PLAN), _chosen(run, scenario)[0])
    return tuple(folder / MAILS / digest for digest in _own_mails(folder, asked))


def left_out(folder: Path) -> tuple[Path, ...]:
    """The logs of this run that are too long for any bundle: they are not needed to replay a witness."""
    logs = [folder / name for name in LOGS]
    return tuple(log for log in logs if log.is_file() and log.stat().st_size > TEXT_BYTES_MAX)


def _read(folder: Path) -> tuple[RunResult, tuple[Redaction, ...]]:
    text = text_of(folder / "run.json")
    run = from_json(text, folder / "run.json")
    others = [_text(folder / name) for name in (PLAN, *LOGS)]
    others += [_text(path) for path in _scenario_files(folder, [s.file for s in run.scenarios])]
    return run, redactions([text, *others], run, folder)


def _files(
    folder: Path, run: RunResult, found: tuple[Redaction, ...], name: str, keep: Collection[str]
) -> dict[str, bytes]:
    """Every file of the bundle. All of them come from the run's own folder: a run.json may be a stranger's,
    and what it names elsewhere on this machine is not read.
    """

    def clean(text: str) -> str:
        return redacted(text, found, keep)

    # From here on only `as_it_was` tells of the reporter's machine. It is needed for the scenario's file
    # name.
    as_it_was, run = run, from_json(clean(to_json(run)))
    chosen, witness = _chosen(run, name)
    plan = clean(_text(folder / PLAN))
    beside = _scenario_files(folder, [as_it_was.scenarios[run.scenarios.index(chosen)].file])
    asked = _asked(plan, chosen)
    mails = _own_mails(folder, asked)
    if wrong := why_not_recorded(witness, mails.values()):
        raise UsageError(f"{folder}: run.json: mailrace cannot have recorded this witness: wrong is {wrong}")
    facts = _facts(run, asked, mails)
    texts = {"ISSUE.md": issue(run, chosen, witness, facts)}
    if witness.anomaly.name not in WITHOUT_SCRIPT:
        texts["repro.py"] = repro_script(witness, facts, chosen.title)
    for path in beside:
        texts[path.name] = clean(_text(path))
    if not beside and asked and NAME.fullmatch(chosen.name):
        # JSON is YAML: the scenario as the plan has it, where its file is gone
        own = {key: value for key, value in asked.items() if key not in ("file", "mails")}
        texts[f"{chosen.name}.race.yaml"] = json.dumps(own, indent=1, ensure_ascii=False) + "\n"
    # What to read stands first; then the record that it was made from.
    texts["plan.json"] = plan
    if witness.schedule is not None:
        texts["schedule.json"] = to_json(witness.schedule)
    for log in LOGS:
        texts[log] = clean(_text(folder / log))
    texts["run.json"] = to_json(run)
    texts["report.html"] = page(run)
    files = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items() if text}
    files |= {mail_name(digest): mail for digest, mail in mails.items()}
    files["manifest.json"] = (
        json.dumps(_manifest(run, chosen, files, found, keep), indent=1) + "\n"
    ).encode()
    files["SHA256SUMS"] = "".join(f"{sha256(held)}  {n}\n" for n, held in files.items()).encode()
    return files


def _chosen(run: RunResult, name: str) -> tuple[ScenarioResult, Witness]:
    """The scenario and witness to replay: a RACE before others, a realised schedule before a raced round."""
    named = [s for s in run.scenarios if not name or s.name == name]
    if not named:
        raise UsageError(f"{name}: no such scenario in this run; there are {_names(run.scenarios)}")
    for scenario in sorted(named, key=lambda s: s.verdict is not Verdict.RACE):
        usable = [w for w in scenario.witnesses if w.anomaly.name in PROMISES]
        usable.sort(
            key=lambda w: (
                w.anomaly.name in WITHOUT_SCRIPT,
                w.schedule is None,
            )
        )
        if usable:
            return scenario, usable[0]
    raise UsageError(
        f"this run ({run.verdict.value}) holds no witness of a broken promise, so there is nothing to "
        "replay; race more rounds, or steer"
    )


def _names(scenarios: Collection[ScenarioResult]) -> str:
    return ", ".join(s.name for s in scenarios)


def _asked(plan: str, scenario: ScenarioResult) -> Mapping[str, object]:
    """The scenario as plan.json has it; empty where there is no plan."""
    try:
        named = [s for s in json.loads(plan)["scenarios"] if s["name"] == scenario.name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return named[0] if named and isinstance(named[0], dict) else {}


def _own_mails(folder: Path, asked: Mapping[str, object]) -> dict[str, bytes]:
    """The users' own messages that the scenario sends, by digest, as the run's folder keeps them."""
    digests = asked.get("mails")
    named = digests.values() if isinstance(digests, dict) else ()
    found = {str(digest): mail_of(folder, str(digest)) for digest in named}
    return {digest: mail for digest, mail in found.items() if mail is not None}


def _facts(run: RunResult, asked: Mapping[str, object], mails: Mapping[str, bytes]) -> ServerFacts:
    """Version, flags and instances of the server, and the users' own messages that were sent to it."""
    options = _options(asked)
    flags: list[str] = []
    if options.ignore_duplicate_ids or "ignore_duplicate_ids" in run.target.settings:
        flags.append("--ignore-duplicate-ids")
    if options.tags_disable:
        flags += ["--tags-disable", ",".join(options.tags_disable)]
    is_embedded = run.target.name.startswith("embedded")
    return ServerFacts(
        version=f"{run.target.version} (mailrace's embedded reference)"
        if is_embedded
        else run.target.version,
        flags=tuple(flags),
        instances=options.instances,
        contents=mails,
    )


def _options(asked: Mapping[str, object]) -> TargetSpec:
    """What the servers were started with. Raises UsageError where the plan, maybe a stranger's, is wrong."""
    try:
        return TargetSpec.model_validate(asked.get("target") or {})
    except ValidationError as wrong:
        raise UsageError(f"plan.json: target: {wrong.errors()[0]['msg']}; no plan of mailrace") from None


def _scenario_files(folder: Path, names: Collection[str]) -> list[Path]:
    """The scenarios' files, as far as they stand in the run's own folder."""
    places = dict.fromkeys(folder / Path(name).name for name in names if name)
    return [p for p in places if NAME.fullmatch(p.name) and p.is_file() and not p.is_symlink()]


def _manifest(
    run: RunResult,
    scenario: ScenarioResult,
    files: Mapping[str, bytes],
    found: tuple[Redaction, ...],
    keep: Collection[str],
) -> dict[str, object]:
    return {
        "bundle": BUNDLE_VERSION,
        "mailrace": run.mailrace,
        "run": run.run,
        "scenario": scenario.name,
        "target": run.target.name,
        "version": run.target.version,
        "redacted": sorted({r.kind for r in found if r.kind not in keep}),
        "files": {n: {"bytes": len(held), "sha256": sha256(held)} for n, held in files.items()},
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, held in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | (0o755 if name == "repro.py" else 0o644)) << 16
            archive.writestr(entry, held)
    return stream.getvalue()


def _text(path: Path) -> str:
    """The text of a file of the run's own folder; "" where there is none, or it is a link or too long."""
    try:
        return read_regular(path, TEXT_BYTES_MAX).decode("utf-8", "backslashreplace")
    except OSError:
        return ""
