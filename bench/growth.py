"""What an event and an acceptance cost as the spec grows, from 10 to 10,000 repositories with three targets each."""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from copy import replace
from datetime import UTC, datetime

from bench.estate import Estate, spec_of, spec_text
from bench.figures import Figure
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.aws.bucket import StateBucket
from ecr_warden.aws.table import Table
from ecr_warden.core.desired import CompiledSpec, TargetSpec
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.aws_objects import S3Objects
from ecr_warden.state.aws_specs import AwsSpecs
from ecr_warden.state.tree_writer import KeptSpecs
from local.testing.installed import HUB, Installed
from local.testing.memory.hub import MemoryObjects
from local.testing.messages import batch, reconcile
from local.testing.runtime_api import BuiltFunction

NUMBERS = (10, 100, 1000, 10_000)
_ASKED, _COLD = 50, 5
_GROUP = "Growth: one event, and an acceptance, by the number of repositories"


def growth(installed: Installed) -> Iterator[Figure]:
    """The figures of a hub on which specs of these sizes are accepted, one after the other."""
    estate = Estate(installed.aws)
    first: dict[str, float] = {}
    for number in NUMBERS:
        accepted = json.loads(subprocess.check_output([sys.executable, "-m", "bench.growth", str(number)], text=True))
        yield Figure(_GROUP, f"{number} repositories: YAML to the compiled spec", accepted["compile"] * 1000, "ms")
        yield Figure(_GROUP, f"{number} repositories: to keep it", accepted["keep"] * 1000, "ms")
        yield Figure(_GROUP, f"{number} repositories: acceptance, at its peak", accepted["memory"], "MB")
        spec = spec_of(number)
        asked = _spread([one for one in spec.targets.values() if isinstance(one.target, RepositoryTarget)])
        estate.grow(replace(spec, targets=_with_named(asked, spec)))
        _accept(installed, spec)
        cost = _events(installed, [one.target.key for one in asked])
        first = first or cost
        yield Figure(_GROUP, f"{number} repositories: cold event, processor time", cost["cold"], "ms")
        yield Figure(_GROUP, f"{number} repositories: warm event, processor time", cost["warm"], "ms")
        yield Figure(_GROUP, f"{number} repositories: memory after {_ASKED} events", cost["memory"], "MB")
        if number == NUMBERS[-1]:
            yield Figure(_GROUP, "cold event: more than with the fewest", cost["cold"] - first["cold"], "ms", 30)
            yield Figure(_GROUP, "warm event: ratio to the fewest", cost["warm"] / first["warm"], "x", 1.2)
            yield Figure(_GROUP, "memory: ratio to the fewest", cost["memory"] / first["memory"], "x", 1.2)


def _spread(entries: Sequence[TargetSpec]) -> list[TargetSpec]:
    """Some of them, from everywhere."""
    return [*entries[:: max(1, len(entries) // _ASKED)]][:_ASKED]


def _with_named(asked: Sequence[TargetSpec], spec: CompiledSpec) -> dict[str, TargetSpec]:
    """They and whoever their documents name, which has to be there before them."""
    found: dict[str, TargetSpec] = {}
    waiting = [*asked]
    while waiting:
        one = waiting.pop()
        if one.target.key not in found:
            found[one.target.key] = one
            waiting += [spec.targets[it.key] for it in one.principals.values() if it.key in spec.targets]
    return found


def _accept(installed: Installed, spec: CompiledSpec) -> None:
    s3, outputs = installed.aws.client(HUB, "s3"), installed.stack.outputs
    objects = S3Objects(StateBucket(s3, installed.environment("reconcile")["WARDEN_STATE_BUCKET"], HUB))
    table = Table(installed.aws.client(HUB, "dynamodb"), outputs["Table"])
    specs = AwsSpecs(
        s3=s3,
        table=table,
        spec_bucket=outputs["SpecBucket"],
        spec_key="access.yaml",
        owner=HUB,
        objects=objects,
        tree=KeptSpecs(objects),
    )
    specs.accept(spec, over=specs.standing())


def _events(installed: Installed, keys: Sequence[str]) -> dict[str, float]:
    """Processor milliseconds of the first event of a container, and of one of those that follow; megabytes then."""
    cold: list[float] = []
    warm: list[float] = []
    memory: list[float] = []
    for _ in range(_COLD):
        with installed.function("reconcile") as function:
            function.invoke(batch(reconcile(keys[0])))
            cold.append(function.processor_seconds() * 1000)
            warm.append(statistics.mean(_processor(function, key) for key in keys[1:]))
            memory.append(function.memory() / 1e6)
    return {"cold": min(cold), "warm": min(warm), "memory": min(memory)}


def _processor(function: BuiltFunction, key: str) -> float:
    before = function.processor_seconds()
    answer = function.invoke(batch(reconcile(key)))
    assert answer.value == {"batchItemFailures": []}, answer
    return (function.processor_seconds() - before) * 1000


def _main(number: int) -> None:
    """The processor seconds of an acceptance in a process of its own."""
    text = spec_text(number).encode()
    began = time.process_time()
    loaded = load_spec(text, version="v", now=datetime.now(UTC))
    assert isinstance(loaded, Valid), loaded
    read = time.process_time()
    KeptSpecs(MemoryObjects()).keep(loaded.compiled)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"compile": read - began, "keep": time.process_time() - read, "memory": memory}))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
