"""Differences of access between two versions of the spec: an organization is let in everywhere, a user somewhere."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.figures import Figure
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.versions.access_changes import access_changes

_GROUP = "diff of two versions of the spec (processor time, in a process of its own)"
_FEW, _MANY, _SHARING = 20, 200, 5


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    ran = subprocess.run([sys.executable, "-m", "bench.changes"], check=True, capture_output=True, text=True)
    found = json.loads(ran.stdout)
    yield Figure(_GROUP, f"an organization may pull from {_MANY} repositories", found["everywhere"], "s", 2)
    yield Figure(_GROUP, f"a repository of {_MANY} against one of {_FEW}", found["a repository"], "x")
    yield Figure(_GROUP, f"a user may pull from {_SHARING} of {_MANY}", found["somewhere"], "s", 1)


def _compiled(repositories: int, *, everywhere: bool = False, somewhere: bool = False) -> CompiledSpec:
    """A spec of which each repository has three pullers, and each five share these and a push role."""
    entries: list[dict[str, Any]] = []
    for number in range(repositories // _SHARING):
        pull: list[Any] = [f"ci:user/u{(number * 7 + each) % 30}" for each in range(3)]
        pull += [{"organization": "acme"}] if everywhere else []
        pull += ["ci:user/new"] if somewhere and number == 0 else []
        push = [{"role": f"pusher{number}", "by": [f"ci:user/p{number % 5}", f"ci:role/q{number % 3}"]}]
        names = [f"team{number % 10}/app{number * _SHARING + each}" for each in range(_SHARING)]
        entry = {"name": names, "account": "registry", "pull_scope": "account"}
        entries.append({**entry, "pull": pull, "push": push})
    accounts = {"ci": {"id": "111111111111"}, "registry": {"id": "222222222222", "regions": ["eu-central-1"]}}
    head = {"version": 1, "organizations": {"acme": {"id": "o-a1b2c3d4e5"}}, "accounts": accounts}
    loaded = load_spec(json.dumps({**head, "repositories": entries}).encode())
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


def _taken(before: CompiledSpec, after: CompiledSpec) -> float:
    start = time.process_time()
    assert access_changes(before, after).changes
    return time.process_time() - start


def _main() -> None:
    few = _taken(_compiled(_FEW), _compiled(_FEW, everywhere=True)) / _FEW
    many = _compiled(_MANY)
    everywhere = _taken(many, _compiled(_MANY, everywhere=True))
    somewhere = _taken(many, _compiled(_MANY, somewhere=True))
    print(json.dumps({"everywhere": everywhere, "somewhere": somewhere, "a repository": everywhere / _MANY / few}))


if __name__ == "__main__":
    _main()
