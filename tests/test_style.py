"""Style, kept by an ordinary test: what ruff and mypy cannot see of how our code reads."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
HARNESS = sorted((ROOT / "harness").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LINES_MAX = 300
STEER_LINES_MAX = 250
"""Of a file in `steer/`, whose rooms a newcomer reads one after the other."""
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 8
SILENT_LINES_MAX = 25
MOST = {"Any": 25, "boolean parameters": 81, "broad excepts": 4}
"""Of what should become fewer; `python tests/test_style.py` prints what there is."""
VAGUE = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
SLEEPS = {"asyncio.sleep", "page.wait_for_timeout", "sleep", "time.sleep"}
GIVEN_BY_LIBRARIES = re.compile(r"(handle|smtp|auth|do)_|(collect|repr_failure|reportinfo|runtest)$")
"""Methods whose name and meaning aiosmtpd, http.server and pytest give."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def public(nodes: list[ast.stmt]) -> Iterator[Definition]:
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


def definitions(file: Path) -> Iterator[tuple[str, Definition]]:
    """Every public class and function, and the public methods of public classes, by dotted name."""
    for node in public(tree(file).body):
        yield node.name, node
        for method in public(node.body) if isinstance(node, ast.ClassDef) else ():
            yield f"{node.name}.{method.name}", method


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, private and nested ones as well."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names that a caller may give: without `self` and `cls`."""
    given = function.args
    every = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return every[1:] if every[:1] in (["self"], ["cls"]) else every


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether typer makes a command of it: then each parameter is an option, and nobody calls it by hand."""
    return any(isinstance(one, ast.Name) and one.id == "command" for one in function.decorator_list)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(HARNESS) > 100
    assert len(TESTS) > 30


def test_a_module_s_first_line_is_a_sentence_on_what_it_takes_and_gives() -> None:
    first = {name(file): (ast.get_docstring(tree(file)) or "").partition("\n")[0] for file in HARNESS}
    assert [file for file, line in first.items() if not line.endswith((".", ":"))] == []


def test_a_test_file_says_what_it_looks_at() -> None:
    tests = [file for file in TESTS if file.name.startswith("test_")]
    assert [name(file) for file in tests if not ast.get_docstring(tree(file))] == []


def test_every_public_name_says_what_comes_back() -> None:
    silent = [
        f"{name(file)}: {dotted}"
        for file in HARNESS
        for dotted, node in definitions(file)
        if not ast.get_docstring(node) and not GIVEN_BY_LIBRARIES.match(node.name)
    ]
    assert silent == []


def test_a_file_is_short_enough_to_read() -> None:
    lines = {name(file): file.read_text(encoding="utf-8").count("\n") for file in (*HARNESS, *TESTS)}
    assert {file: count for file, count in lines.items() if count > LINES_MAX} == {}
    steer = {file: count for file, count in lines.items() if "/steer/" in file}
    assert len(steer) > 50
    assert {file: count for file, count in steer.items() if count > STEER_LINES_MAX} == {}


def test_a_function_is_short_enough_to_read_and_takes_few_enough_values_to_remember() -> None:
    lines = {
        f"{name(file)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in HARNESS
        for node in functions(file)
    }
    too_long = {place for place, count in lines.items() if count > FUNCTION_LINES_MAX}
    counts = {
        f"{name(file)}: {node.name}": len(parameters(node))
        for file in HARNESS
        for node in functions(file)
        # The parameters of a command are what `--help` lists, so their number is not a reader's burden.
        if not is_command(node)
    }
    too_many = {place for place, count in counts.items() if count > PARAMETERS_MAX}
    assert too_long | too_many == set()


def test_a_function_that_has_phases_says_what_is_true_between_them() -> None:
    """Only that there is a comment can be tested, not that it is worth reading."""
    silent = []
    for file in HARNESS:
        with tokenize.open(file) as text:
            spoken = {
                token.start[0]
                for token in tokenize.generate_tokens(text.readline)
                if token.type == tokenize.COMMENT
            }
        for node in functions(file):
            lines = range(node.lineno, (node.end_lineno or 0) + 1)
            if len(lines) > SILENT_LINES_MAX and spoken.isdisjoint(lines):
                silent.append(f"{name(file)}: {node.name}")
    assert silent == []


def test_nothing_has_a_name_that_says_nothing() -> None:
    parts = [(name(file), part) for file in HARNESS for part in (*file.parts, file.stem)]
    assert [file for file, part in parts if part in VAGUE] == []
    words = [
        (f"{name(file)}: {dotted}", word.lower())
        for file in HARNESS
        for dotted, _ in definitions(file)
        for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", dotted.rpartition(".")[2])
    ]
    assert [place for place, word in words if word in VAGUE] == []


def test_tests_wait_for_events_and_never_sleep() -> None:
    found = [
        f"{name(file)}:{node.lineno}: {ast.unparse(node)}"
        for file in TESTS
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SLEEPS
        # A sleep of 0 seconds yields to other tasks, and waits for nothing.
        if ast.unparse(node.args[0]) != "0"
    ]
    assert found == []


def test_a_test_is_skipped_only_where_ci_would_fail_or_nobody_could_run_it() -> None:
    skipping = [
        f"{name(file)}:{node.lineno}"
        for file in TESTS
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.skip" and file.stem != "absent"
    ]
    assert skipping == [], "tests/absent.py has the two kinds of skipping"


def test_limits_are_values_that_a_test_passes_in() -> None:
    """A patched constant holds for whoever else reads it, and a renamed one makes the test say nothing."""
    patched = [
        f"{name(file)}:{node.lineno}: {ast.unparse(node)}"
        for file in TESTS
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("monkeypatch.setattr")
        for word in node.args[:2]
        if isinstance(word, ast.Constant) and str(word.value).rpartition(".")[2].isupper()
    ]
    assert patched == []


def test_tests_have_file_names_of_their_own_by_which_pytest_imports_them() -> None:
    names = [file.name for file in TESTS if file.name not in ("__init__.py", "conftest.py")]
    assert sorted(set(names)) == sorted(names)


def test_no_place_of_one_machine_is_named() -> None:
    files = [*HARNESS, *(ROOT / "scenarios").glob("*.yaml"), ROOT / "README.md", ROOT / "Makefile"]
    texts = {name(file): file.read_text(encoding="utf-8") for file in files}
    assert [file for file, text in texts.items() if re.search(r"/(opt/mailpits|root|work)/", text)] == []


def figures() -> dict[str, int]:
    """What should become fewer: `Any`, parameters that are only true or false, excepts that catch all."""
    found = dict.fromkeys(("Any", "boolean parameters", "broad excepts"), 0)
    for file in HARNESS:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Name):
                found["Any"] += node.id == "Any"
            elif isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "BaseException"
                found["broad excepts"] += caught in ("Exception", "BaseException")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_command(node):
                given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                hints = (ast.unparse(one.annotation) for one in given if one.annotation)
                found["boolean parameters"] += sum(hint in ("bool", "bool | None") for hint in hints)
    return found


def test_what_should_become_fewer_becomes_no_more() -> None:
    """Whoever makes one fewer lowers the figure here."""
    now = figures()
    assert {name: most for name, most in MOST.items() if now[name] > most} == {}, now


if __name__ == "__main__":
    print(figures())
