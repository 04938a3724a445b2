"""Memory, and the time of warm events."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from bench.counting import D1
from bench.figures import Figure
from local.testing.installed import HUB, MEMBER, SPEC, Installed
from local.testing.messages import Message, batch, reconcile
from local.testing.runtime_api import layers_in

WARM_EVENTS = 60
_MEMORY = "Memory and size"
_JOB = '{"schema":1,"kind":"%s","cause":{"kind":"sweep","id":"1"}%s}'


def memory(installed: Installed) -> Iterator[Figure]:
    """The size of the layer on disk and of a container in memory, and how fast a warm one answers."""
    yield from _size(installed)
    yield from _warm(installed)


def _warm(installed: Installed) -> Iterator[Figure]:
    """Events without drift on a warm container, and its memory after each kind of job."""
    group = f"Warm event of reconcile without drift (median of {WARM_EVENTS})"
    event = batch(reconcile(D1))
    with installed.function("reconcile") as function:
        function.invoke(event)
        mark = installed.aws.mark()
        times = [function.timed(event)[1] for _ in range(WARM_EVENTS)]
        inside = sum(call.milliseconds for call in installed.aws.calls(mark)) / WARM_EVENTS
        yield Figure(group, "event to answer", statistics.median(times) * 1000, "ms")
        yield Figure(group, "of that in the emulator (mean)", inside, "ms")
        yield Figure(
            _MEMORY, "RSS of reconcile after events of a target, at its peak", function.memory() / 1e6, "MB", 90
        )
    # A new version, so that YAML is read and everything compiled.
    body = SPEC.read_bytes() + b"# again\n"
    installed.aws.client(HUB, "s3").put_object(
        Bucket=installed.stack.outputs["SpecBucket"], Key="access.yaml", Body=body
    )
    of_account = f',"account":"{MEMBER}"'
    for name, kind, more in (
        ("accept", "accept-spec", ""),
        ("collect", "sweep-identities", of_account),
        ("audit", "audit-access", ""),
    ):
        with installed.function(name) as function:
            answer = function.invoke(batch(Message(_JOB % (kind, more), kind)))
            assert answer.value == {"batchItemFailures": []}, answer
            yield Figure(_MEMORY, f"RSS of {name} after {kind}, at its peak", function.memory() / 1e6, "MB", 90)


def _size(installed: Installed) -> Iterator[Figure]:
    """The unzipped layers."""
    layers = layers_in(installed.built)
    parts = {part.name: _bytes(part) for layer in layers for part in (layer / "python").iterdir()}
    yield Figure(_MEMORY, "layers, unzipped", sum(parts.values()) / 1e6, "MB", 7.5)
    byte_code = sum(file.stat().st_size for layer in layers for file in layer.rglob("*.pyc"))
    yield Figure(_MEMORY, "of that byte code", byte_code / 1e6, "MB")
    for name in ("aws_lambda_powertools", "yaml", "iam_access", "ecr_warden"):
        yield Figure(_MEMORY, f"of that {name}", parts[name] / 1e6, "MB")


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
