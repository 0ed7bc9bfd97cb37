"""A run result in which every text that a server or a message can set is hostile."""

from dataclasses import replace

from mailrace.model.attempt import LogLine
from mailrace.model.result import RunResult

from tests.report.report_records import raced_round, witness
from tests.report.report_results import native

MARKUP = "</script></style></pre></td><script>document.title='owned'</script><img src=x onerror=\"alert(1)\">"
CONTROL = "\x00\x07\x1b[31mred\x1b[0m\u202egnp\u2028\ufeff\ufffe"
LONG = "A" * 1_000_000
NOT_UTF8 = b"caf\xe9 \xff\xfe".decode("utf-8", "surrogateescape")
TEXTS = (MARKUP, CONTROL, LONG, NOT_UTF8, "{{ 7*7 }}{% raw %}", "]]> &lt; &#0; '\" ` --> <!--")


def hostile() -> RunResult:
    """Six witnesses, each with one kind of text in its reply, subject, tags, log, proof and command."""
    base = native()
    witnesses = []
    for index, text in enumerate(TEXTS):
        record = raced_round(index * 2)
        stored = record.stored
        assert stored is not None
        operations = tuple(
            replace(o, message=replace(o.message, subject=text, x_tags=(text,)))  # type: ignore[union-attr]
            for o in record.plan.operations
        )
        record = replace(
            record,
            plan=replace(record.plan, operations=operations),
            attempts=tuple(replace(a, text=text) for a in record.attempts),
            stored=replace(
                stored,
                messages=tuple(replace(m, id=text, subject=text, tags=(text,)) for m in stored.messages),
                tags=(text,),
            ),
            log=(LogLine(t_ns=record.released_ns + 2_000_000, text=text),),
            lost=text,
            hung=(text,),
            crashed=text,
        )
        found = witness(record)
        witnesses.append(
            replace(
                found,
                anomaly=replace(found.anomaly, proof=text),
                replay=text,
                explained=((text, text),),
            )
        )
    scenario = replace(
        base.scenarios[0],
        title=MARKUP,
        reason=MARKUP,
        advice=CONTROL,
        witnesses=tuple(witnesses),
        not_looked=TEXTS,
        replies=dict.fromkeys(TEXTS, 1),
    )
    return replace(
        base,
        scenarios=(scenario,),
        command=MARKUP,
        target=replace(base.target, name=MARKUP, settings={MARKUP: CONTROL}, limits=TEXTS),
        environment={MARKUP: LONG},
    )
