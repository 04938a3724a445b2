"""The sweep's detection compared with the floor: calls, time, processor time, in pairs."""

import json
import math
import os
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.estate import Estate, spec_of
from bench.figures import Figure
from ecr_warden.collect.aws_estate import OVER_ALL
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.state.tree_writer import KeptSpecs
from local.aws.faults import Delay, Fault
from local.aws.launcher import ROOT, EmulatedAws
from local.testing.installed import EXTERNAL_ID, HUB, MEMBER, REGION
from local.testing.memory.hub import MemoryObjects
from local.testing.runtime_api import INTERPRETER

DELAY = 20
PAIRS = {20: 9, 200: 7, 1000: 5}
_WALL, _CPU = 1.15, 1.6
_ALWAYS = 10**9
_READS = ("DescribeRepositories", "GetRepositoryPolicy", "GetAccountAuthorizationDetails", "ListRoles", "AssumeRole")


@dataclass(frozen=True, slots=True)
class _Run:
    """The result of a script, and the calls that it made."""

    result: Any
    calls: Counter[str]


def detection(layers: Sequence[Path], pairs: Mapping[int, int] = PAIRS) -> Iterator[Figure]:
    """The figures for each number of repositories and of pairs, in one emulator that grows.

    `layers`: the built ones, unzipped.
    """
    with EmulatedAws() as aws, tempfile.TemporaryDirectory() as folder:
        estate = Estate(aws)
        path = os.pathsep.join([*(str(layer / "python") for layer in layers), str(ROOT)])
        environment = {**estate.prepare(), "PATH": os.environ["PATH"], "PYTHONPATH": path}
        for number, times in pairs.items():
            spec = spec_of(number)
            aws.clear_faults()
            estate.grow(spec)
            changed = estate.tampered(spec)
            compiled = _kept(spec, Path(folder))
            for service in ("ecr", "iam", "sts"):
                aws.add_fault(Fault(service, "*", Delay(DELAY), times=_ALWAYS))
            yield from _figures(number, _pairs(aws, environment, compiled, changed, times))
            aws.clear_faults()
            estate.mend(spec)


def _kept(spec: CompiledSpec, folder: Path) -> Path:
    """A folder, named after the manifest, of the objects that a compiled spec is kept as."""
    objects = MemoryObjects()
    compiled = folder / KeptSpecs(objects).keep(spec)
    compiled.mkdir()
    for digest, body in objects.kept.items():
        (compiled / digest).write_bytes(body)
    return compiled


def _pairs(
    aws: EmulatedAws, environment: Mapping[str, str], compiled: Path, changed: list[str], times: int
) -> list[tuple[_Run, _Run]]:
    floor = (ROOT / "bench" / "floor.py", HUB, MEMBER, REGION, EXTERNAL_ID)
    sweep = (ROOT / "bench" / "detect.py", EXTERNAL_ID, compiled)
    pairs = []
    for _ in range(times):
        pairs.append((_run(aws, environment, *floor), _run(aws, environment, *sweep)))
        assert pairs[-1][1].result["due"] == changed, (pairs[-1][1].result["due"], changed)
    return pairs


def _figures(number: int, pairs: list[tuple[_Run, _Run]]) -> Iterator[Figure]:
    group = f"Detection: {number} repositories with four documents each, {DELAY} ms a call ({len(pairs)} pairs)"
    least, made = (run.calls for run in pairs[-1])
    pages = least["GetAccountAuthorizationDetails"] + least["ListRoles"]
    # For the audit besides: a page more per account where groups and policies fill one, the identity providers of each
    # (there are none), and what holds for all repositories, of one registry.
    more = least["GetAccountAuthorizationDetails"] + least["AssumeRole"] + len(OVER_ALL)
    allowed = math.ceil(number / 1000) + number + pages + least["AssumeRole"] + more
    yield Figure(group, "calls: floor", least.total(), "calls", None, _listed(least))
    yield Figure(group, "calls: sweep", made.total(), "calls", allowed, _listed(made))
    for what, theirs, key, most in (
        ("time", "wall", "longest", _WALL),  # the parts of a sweep are jobs of their own
        ("time, parts one after the other", "wall", "wall", None),
        ("processor time", "cpu", "cpu", _CPU),
    ):
        yield Figure(group, f"{what}: floor", statistics.median(one.result[theirs] for one, _ in pairs) * 1000, "ms")
        yield Figure(group, f"{what}: sweep", statistics.median(other.result[key] for _, other in pairs) * 1000, "ms")
        ratio = statistics.median(other.result[key] / one.result[theirs] for one, other in pairs)
        yield Figure(group, f"{what}: ratio, median of the pairs", ratio, "x", most)
    read = statistics.median(other.result["spec"] for _, other in pairs) * 1000
    yield Figure(group, "apart: reading the compiled spec, once a container and version", read, "ms")
    memory = max(other.result["memory"] for _, other in pairs) / 1e6
    yield Figure(group, "peak of memory of the sweep's process", memory, "MB")


def _listed(counts: Counter[str]) -> str:
    known = [f"{name} {counts[name]}" for name in _READS if counts[name]]
    return f"({', '.join(known + [f'{name} {counts[name]}' for name in counts if name not in _READS])})"


def _run(aws: EmulatedAws, environment: Mapping[str, str], *command: str | Path) -> _Run:
    """One run of a script in a function's environment: Lambda's boto3 and the layer, with a hub in memory."""
    aws.reset_counts()
    done = subprocess.run(
        [str(INTERPRETER), *map(str, command)], env=environment, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    calls = Counter(call.action for call in aws.calls() if call.service in ("ecr", "iam", "sts"))
    return _Run(json.loads(done.stdout), calls)
