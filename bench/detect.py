"""The sweep's detection as the reconcile function does it, with the hub's table and queue in memory.

`python detect.py EXTERNAL_ID OBJECTS`; prints `{"wall", "longest", "cpu", "spec", "due", "memory"}`:
seconds of the work behind the imports, those until the longest part of the sweep has ended if all begin side by side,
as they do on Lambda, those of reading the compiled spec apart, the targets that differ, and the peak of bytes.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import botocore.session

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.survey import Survey
from ecr_warden.collect.sweep import Sweep
from ecr_warden.collect.watch import Watch
from ecr_warden.core.job import Cause, CauseKind, Job, ReconcileTarget, SweepAll, SweepIdentities, SweepRepositories
from ecr_warden.state.tree import SpecTree
from local.testing.memory.estate import MemoryEstateStore
from local.testing.memory.hub import ManualClock, MemoryAlertBus, MemoryJobs, MemoryMetrics, MemoryObjects, MemorySpecs
from local.testing.memory.state import MemoryState, MemorySweepRecords, MemoryWatchRecords
from local.testing.memory.wiring import MemoryWiring


class _Session:
    """A session like bootstrap's: botocore without boto3's resources."""

    def __init__(self) -> None:
        self.client = botocore.session.Session().create_client


def main(external_id: str, compiled: str) -> dict[str, object]:
    """Sweep everything once: what was read is compared and kept."""
    began = time.perf_counter()
    objects = MemoryObjects({one.name: one.read_bytes() for one in Path(compiled).iterdir()})
    specs = MemorySpecs(compiled=SpecTree(objects).read(Path(compiled).name, "").whole)
    read = time.perf_counter() - began
    clock = ManualClock(datetime.now(UTC))
    began, computed = time.perf_counter(), time.process_time()
    accounts = HubAccounts(_Session(), external_id, clock)
    state = MemoryState(clock)
    jobs = MemoryJobs()
    estate = MemoryEstateStore(clock)
    survey = Survey(specs, AwsEstateReader(accounts), estate, jobs, clock)
    # Detection ends before the wiring is looked at.
    watch = Watch(MemoryWiring(), estate, MemoryWatchRecords(), MemoryAlertBus(), MemoryMetrics().emit, clock)
    sweep = Sweep(specs, state, jobs, MemorySweepRecords(), clock, survey, watch, MemoryAlertBus())
    parts = sweep.sweep(SweepAll(Cause(CauseKind.SWEEP, "bench")))
    divided = time.perf_counter()
    due: list[Job] = []
    times: list[float] = []
    for part in parts:
        if not isinstance(part, SweepIdentities | SweepRepositories):
            continue
        begun = time.perf_counter()
        due += sweep.sweep(part)
        times.append(time.perf_counter() - begun)
    wall, cpu = time.perf_counter() - began, time.process_time() - computed
    keys = sorted(job.target.key for job in due if isinstance(job, ReconcileTarget))
    longest = divided - began + max(times)
    return {"wall": wall, "longest": longest, "cpu": cpu, "spec": read, "due": keys, "memory": _peak()}


def _peak() -> int:
    # Not getrusage: a child's peak begins with that of the process that forked it.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
