"""Plants one bug at a time into a copy of the layer and runs its tables on it, each in a process of its own.

The process is forked after the tables were read, so that each bug costs the import of the engine and no more. A bug of
who can is asked the published questions about one estate, one of a proof the table of findings, one of the sessions
that a repair ends its stories, and one of how a run writes the orders and faults of `make test`. One of the command is
planted into a copy of its package.
"""

import importlib
import inspect
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, get_args

import yaml

_ROOT = Path(__file__).parents[2]
_ROOTS = _ROOT / "layers" / "access", _ROOT / "layers" / "warden", _ROOT / "cli"
_TABLES = _ROOT / "tests" / "cases" / "policy"
_ACCESS = _ROOT / "tests" / "cases" / "access"
_EDITS = _ROOT / "tests" / "cases" / "edit"
_IMPORTS = _ROOT / "tests" / "cases" / "import"
_SECONDS = 30.0
"""Of processor time: an engine that takes longer does not end."""
_SURVIVED, _CAUGHT = 0, 1
_PARSED: dict[str, Any] = {}
_OURS = ("ecr_warden", "tests.unit", "tests.cli", "tests.usecases", "tests.prove", "bench", "local")


type Kind = Literal[
    "policy", "proof", "findings", "sessions", "fights", "changes", "writes", "holds", "edits", "imports", "reports"
]
_KINDS: tuple[Kind, ...] = get_args(Kind.__value__)


class Bug(NamedTuple):
    """A change of one place, and the module or estate whose tables must catch it; no change is the layer as it is.

    `of`: policy (`file` is in that package, `table` a module of its tests), proof (in any, an estate), the others (in
    any, a module below tests). What edits and imports is in the command's package.
    """

    name: str
    file: str
    table: str
    old: str
    new: str
    of: Kind = "policy"

    def source(self) -> str:
        """The text of its file."""
        return next(path for root in _ROOTS if (path := root / self.path).exists()).read_text()

    @property
    def path(self) -> str:
        """Its file, below the copy of both packages."""
        match self.of:
            case "policy":
                return f"ecr_warden/policy/{self.file}"
            case "edits" | "imports":
                return f"ecr_warden_cli/{self.file}"
            case _:
                return f"ecr_warden/{self.file}"


def unchanged(table: str, of: Kind) -> Bug:
    """No change, for the tables that must pass then."""
    files = {"policy": "canonical.py", "edits": "spec_edit.py", "imports": "spec_edit.py"}
    return Bug("none", files.get(of, "iam_access/equivalent/canonical.py"), table, "", "", of)


def bugs() -> list[Bug]:
    """The list; each stands for exactly one place."""
    here = Path(__file__).parent
    found = [Bug(**entry) for entry in yaml.safe_load((here / "bugs.yaml").read_text())]
    for of in _KINDS[1:]:
        found += [Bug(**entry, of=of) for entry in yaml.safe_load((here / f"{of}.yaml").read_text())]
    return found


def caught(bug: Bug, folder: Path) -> bool:
    """Run the tables on an engine with the bug; an engine that fails to import or does not end is caught, too."""
    if not (folder / "ecr_warden").exists():
        # With the compiled files and their times, so that only the changed one is compiled again.
        # Not what another process is compiling just now: a file of that name is gone before it is copied.
        for root in _ROOTS:
            shutil.copytree(root, folder, ignore=shutil.ignore_patterns("*.pyc.*"), dirs_exist_ok=True)
    path = folder / bug.path
    text = path.read_text()
    if bug.old and text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: the place to change stands {text.count(bug.old)} times in {bug.file}")
    before = path.stat()
    path.write_text(text.replace(bug.old, bug.new) if bug.old else text)
    try:
        return _in_a_process(bug, folder)
    finally:
        path.write_text(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _in_a_process(bug: Bug, folder: Path) -> bool:
    read_tables()
    child = os.fork()
    if child == 0:
        _child(bug, folder)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) != _SURVIVED


def _child(bug: Bug, folder: Path) -> NoReturn:
    """Never returns into the test run that was forked."""
    code = _CAUGHT
    try:
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        sys.dont_write_bytecode = True
        for name in [name for name in sys.modules if name.startswith(_OURS)]:
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        yaml.safe_load = parsed  # type: ignore[assignment]
        _run(bug, folder)
        code = _SURVIVED
    except BaseException:
        code = _CAUGHT
    finally:
        os._exit(code)


def parsed(text: Any) -> Any:
    """A table, read once for all bugs."""
    found = _PARSED.get(text)
    if found is None:
        found = _PARSED[text] = yaml.load(text, yaml.SafeLoader)
    return found


def read_tables() -> None:
    """Read all tables before the first fork."""
    for path in (*_TABLES.glob("*.yaml"), *_ACCESS.glob("*.yaml"), *_EDITS.glob("*.yaml"), *_IMPORTS.glob("*.yaml")):
        parsed(path.read_text())


def _run(bug: Bug, folder: Path) -> None:
    """Every test of the module over its cases, or every question about the estate; the first failure ends it."""
    if bug.of == "proof":
        asked = importlib.import_module("bench.answers").estate(bug.table)
        assert all(asked.mistake(row) is None for row in asked.rows)
        return
    module = importlib.import_module(
        f"tests.unit.iam_access.{bug.table}" if bug.of == "policy" else f"tests.{bug.table}"
    )
    if bug.of == "edits":
        os.chdir(_directory(folder))
    for name, test in inspect.getmembers(module, inspect.isfunction):
        if name.startswith("test_"):
            for case in _cases(test, bug.of):
                test(*case)


def _directory(folder: Path) -> Path:
    """Where an edit may write its file."""
    found = folder / "at-work"
    found.mkdir(exist_ok=True)
    return found


def _cases(test: Any, of: Kind) -> Iterator[tuple[Any, ...]]:
    """What a test is called with: each `case`; of fights, holds, edits, imports and reports each row of any one table.

    In fights, holds and reports a test without parameters is called too.
    """
    needed = [*inspect.signature(test).parameters]
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    if not marks:
        yield from [()] if of in ("fights", "holds", "reports") and not needed else []
        return
    given, values = marks[0].args
    names = [given] if isinstance(given, str) else [*given]
    if names == ["case"] or (of in ("fights", "holds", "edits", "imports", "reports") and names == needed):
        yield from values if len(names) > 1 else ((one,) for one in values)
