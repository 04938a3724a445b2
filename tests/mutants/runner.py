"""Plants one bug at a time into the running code and runs the tests that reach it, each in a process of its own.

pytest collects all tests once. A first pass, in which nothing is planted, notes which lines with a bug each test
reaches and how long it takes. For each bug a process is forked that has everything imported: it gives the function its
changed code, or the constant its changed value, and runs the area's tests that reach it, the quickest first, until one
fails. Then the tests of each path of the area alone, for two seconds: a bug that only one of them notices needs it.
"""

import ast
import functools
import gc
import math
import os
import pickle
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Literal, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.areas import ROOT, Area
from tests.mutants.operators import Bug

type Fate = Literal["caught", "survived", "not reached", "cannot be planted"]
_FATES: tuple[Fate, ...] = ("survived", "caught", "not reached", "cannot be planted")
_AT_ONCE = 2
_MOST_SECONDS = 8.0
"""Of tests on a bug that none is known to notice, as they took without it."""
_MOST_OF_ONE = 2.0
"""Of the tests of one path on a bug that those of another notice."""
_LONGER, _AT_LEAST = 4, 5.0
"""A bug with which a test takes so many times longer, and so many seconds of processor time, does not end."""
_PACKAGES = tuple(str(ROOT / name) for name in ("layers/access", "layers/warden", "cli"))
_TOOL = sys.monitoring.OPTIMIZER_ID
"""Tests that count calls use another."""

type Place = tuple[str, str | int]
"""A file, and an outermost function or a line in it."""


type Functions = dict[tuple[str, str, int], list[FunctionType]]
"""By file, name and line."""

type Caches = Sequence["functools._lru_cache_wrapper[Any]"]


class Ran(NamedTuple):
    """What a test did without a bug: the places it reached where bugs are, and its seconds."""

    reached: frozenset[Place]
    seconds: float


class Plan(NamedTuple):
    """A bug, and the tests that may notice it: those of its area below `paths`."""

    area: str
    paths: Sequence[str]
    bug: Bug
    items: list[pytest.Item]


class _CannotBePlanted(Exception):
    """No imported function has the code that the bug changes."""


class Found(NamedTuple):
    """What became of each bug, with the name of its area, and the tests that fail without any.

    `by`: of each bug that is noticed in an area with several paths of tests, by its name: the paths that do.
    """

    fates: list[tuple[str, Bug, Fate]]
    broken: list[str]
    by: dict[str, list[str]]


def plant(wanted: Sequence[tuple[Area, Sequence[Bug]]], listed: Container[str]) -> Found:
    """Plant the bugs of each area, one after the other; on those listed no test but the quicker ones is tried."""
    work = _Work(wanted, listed)
    paths = sorted({test for area, _ in wanted for test in area.tests})
    arguments = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary", "--hypothesis-profile=prove"]
    pytest.main([*arguments, *paths], plugins=[work])
    return work.found


class _Work:
    """A plugin of pytest that plants bugs instead of running the tests."""

    def __init__(self, wanted: Sequence[tuple[Area, Sequence[Bug]]], listed: Container[str]) -> None:
        self.wanted = wanted
        self.listed = listed
        self.found = Found([], [], {})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported fails: without its tests, bugs would only seem to be noticed by none."""
        if report.failed:
            self.found.broken.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Never runs the tests in this process: what they leave behind would reach every bug."""
        gc.unfreeze()
        caches = _caches()
        _forget(caches)
        functions = _functions()
        gc.freeze()
        places = frozenset().union(*(_places(bug) for _, bugs in self.wanted for bug in bugs))
        ran = _first_pass(session.items, places, functions, caches)
        self.found.broken.extend(item.nodeid for item in session.items if item.nodeid not in ran)
        whole = [item for item in session.items if item.nodeid in ran]
        most = {name: _MOST_SECONDS for _, bugs in self.wanted for bug in bugs if (name := bug.name) in self.listed}
        plans = [plan for area, bugs in self.wanted for plan in _plans(area, area.tests, bugs, whole, ran, most)]
        self.found.fates.extend((plan.area, plan.bug, fate) for plan, fate in _tried(plans, functions, ran))
        caught = {bug.name: _MOST_OF_ONE for _, bug, fate in self.found.fates if fate == "caught"}
        apart = [
            plan
            for area, bugs in self.wanted
            if len(area.tests) > 1
            for path in area.tests
            for plan in _plans(area, [path], [bug for bug in bugs if bug.name in caught], whole, ran, caught)
        ]
        for plan, fate in _tried(apart, functions, ran):
            if fate == "caught":
                self.found.by.setdefault(plan.bug.name, []).extend(plan.paths)
        return True


def _caches() -> Caches:
    return [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]


def _forget(caches: Caches) -> None:
    """Empty what reading the tests, or the last one, has filled: a kept value shows no bug, nor who reaches it."""
    for one in caches:
        one.cache_clear()


def _functions() -> Functions:
    """Every function of the packages, by file, name and line."""
    found: Functions = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(_PACKAGES):
            found[_key(one.__code__)].append(one)
    return found


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


# The first pass


def _first_pass(
    items: list[pytest.Item], places: frozenset[Place], functions: Functions, caches: Caches
) -> dict[str, Ran]:
    """What each test did that passes, by its ID."""
    owners = {(file, name) for file, name in places}
    codes = [code for of in functions.values() for code in {one.__code__ for one in of} if _place(code) in owners]
    found: dict[str, Ran] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, str(part)) for part in range(_AT_ONCE)]
        parts = [
            functools.partial(_watched, items[part::_AT_ONCE], file, places, codes, caches)
            for part, file in enumerate(files)
        ]
        assert all(code == 0 for _, code in _forked(parts)), "the first pass ended early"
        for file in files:
            found |= pickle.loads(file.read_bytes())
    return found


def _watched(
    items: list[pytest.Item], file: Path, places: frozenset[Place], codes: list[CodeType], caches: Caches
) -> int:
    """Run tests and note what each reaches; only functions with a bug are watched, since watching costs time."""
    reached: set[Place] = set()

    def entered(code: CodeType, _: int) -> object:
        reached.add(_place(code))
        return sys.monitoring.DISABLE

    def came_to(code: CodeType, line: int) -> object:
        reached.add((code.co_filename, line))
        return sys.monitoring.DISABLE

    events = sys.monitoring.events
    sys.monitoring.use_tool_id(_TOOL, "bugs")
    sys.monitoring.register_callback(_TOOL, events.PY_START, entered)
    sys.monitoring.register_callback(_TOOL, events.LINE, came_to)
    for code in (inside for one in codes for inside in _codes(one)):
        sys.monitoring.set_local_events(_TOOL, code, events.PY_START | events.LINE)
    found: dict[str, Ran] = {}
    for item, following in _each(items):
        reached.clear()
        _forget(caches)
        sys.monitoring.restart_events()
        start = time.process_time()
        if _passes(item, following):
            found[item.nodeid] = Ran(places & reached, time.process_time() - start)
    file.write_bytes(pickle.dumps(found))
    return 0


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname.partition(".<locals>")[0]


def _each(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return all(report.passed for report in runtestprotocol(item, log=False, nextitem=following))


# One bug


def _plans(
    area: Area,
    paths: Sequence[str],
    bugs: Iterable[Bug],
    items: list[pytest.Item],
    ran: dict[str, Ran],
    most: Mapping[str, float],
) -> Iterator[Plan]:
    """Bugs of the area with its tests below the paths that come to their line, else to their function.

    First the quickest of each module of tests, then the next: tests of one module resemble each other. On some bugs, by
    name, as many as there is time for; of any other some test is expected to notice it.
    """
    own = [item for item in items if item.nodeid.startswith(tuple(paths))]
    quick = sorted(own, key=lambda item: ran[item.nodeid].seconds)
    for bug in bugs:
        line = (bug.file, bug.line)
        near = [item for item in quick if line in ran[item.nodeid].reached]
        places = _places(bug) - {line}
        of_module: dict[Path, list[pytest.Item]] = defaultdict(list)
        for item in near or [one for one in quick if ran[one.nodeid].reached & places]:
            of_module[item.path].append(item)
        left = most.get(bug.name, math.inf)
        plan: list[pytest.Item] = []
        for item in filter(None, chain.from_iterable(zip_longest(*of_module.values()))):
            seconds = ran[item.nodeid].seconds
            if seconds <= left or not plan:
                plan.append(item)
                left -= seconds
        yield Plan(area.name, paths, bug, plan)


def _places(bug: Bug) -> set[Place]:
    """What a test must reach to notice a bug: its line or its function, or a function that reads the constant."""
    return _readers(bug) if bug.is_constant else {(bug.file, bug.owner), (bug.file, bug.line)}


def _readers(bug: Bug) -> set[Place]:
    """The functions that read a constant."""
    value = _constant(bug)
    return {
        _place(code)
        for module in _holders(bug, value)
        for code in _codes(compile(Path(str(module.__file__)).read_text(), str(module.__file__), "exec"))
        if bug.owner in code.co_names
    }


def _constant(bug: Bug) -> object:
    module = next(one for one in [*sys.modules.values()] if getattr(one, "__file__", None) == bug.file)
    return getattr(module, bug.owner)


def _holders(bug: Bug, value: object) -> list[Any]:
    """The modules that have a constant, where it is defined or imported."""
    return [
        module
        for module in [*sys.modules.values()]
        if getattr(module, "__file__", None) and vars(module).get(bug.owner) is value
    ]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


def _tried(plans: Sequence[Plan], functions: Functions, ran: dict[str, Ran]) -> Iterator[tuple[Plan, Fate]]:
    """What becomes of the bug of each plan, as they end."""
    for index, code in _forked([functools.partial(_notices, plan, functions, ran) for plan in plans]):
        yield plans[index], _FATES[code] if 0 <= code < len(_FATES) else "caught"


def _notices(plan: Plan, functions: Functions, ran: dict[str, Ran]) -> int:
    """Plant the bug into this process and run its tests."""
    if not plan.items:
        return _FATES.index("not reached")
    try:
        _plant(plan.bug, functions)
    except _CannotBePlanted:
        return _FATES.index("cannot be planted")
    for item, following in _each(plan.items):
        signal.setitimer(signal.ITIMER_PROF, max(_AT_LEAST, _LONGER * ran[item.nodeid].seconds))
        if not _passes(item, following):
            return _FATES.index("caught")
    return _FATES.index("survived")


def _plant(bug: Bug, functions: Functions) -> None:
    value = _constant(bug) if bug.is_constant else None
    code = compile(bug.plant(), bug.file, "exec", dont_inherit=True)
    if bug.is_constant:
        holders = _holders(bug, value)
        scope = dict(vars(next(one for one in holders if one.__file__ == bug.file)))
        exec(compile(ast.Module([bug.root], []), bug.file, "exec"), scope)
        for module in holders:
            setattr(module, bug.owner, scope[bug.owner])
        return
    changed = [one for one in _codes(code) if one.co_qualname == bug.owner and _key(one) in functions]
    for one in changed:
        for function in functions[_key(one)]:
            function.__code__ = one
    if not changed:
        raise _CannotBePlanted(bug.text)


# Processes


def _forked(works: Sequence[Callable[[], int]]) -> Iterator[tuple[int, int]]:
    """Each work's place in the list and exit code, as they end; two run at once."""
    running: dict[int, int] = {}
    for index, work in enumerate(works):
        if len(running) == _AT_ONCE:
            yield _ended(running)
        child = os.fork()
        if child == 0:
            _child(work)
        running[child] = index
    while running:
        yield _ended(running)


def _ended(running: dict[int, int]) -> tuple[int, int]:
    child, status = os.wait()
    return running.pop(child), os.waitstatus_to_exitcode(status)


def _child(work: Callable[[], int]) -> None:
    """Never returns into the process that was forked; a work that raises was caught."""
    code = _FATES.index("caught")
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = work()
    finally:
        os._exit(code)
