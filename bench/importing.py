"""Importing grown accounts: from the snapshot's text to the checked and proved spec."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.figures import Figure
from ecr_warden_cli.asking.naming import aliases_of
from ecr_warden_cli.importing.importing import import_estate
from local.testing.grown import grown
from tests.snapshots import estate_from_text

_GROUP = "Import of grown accounts (processor time, in a process of its own)"
_REPOSITORIES = 1000


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    command = [sys.executable, "-m", "bench.importing", str(_REPOSITORIES)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    yield Figure(_GROUP, f"{_REPOSITORIES} repositories, from the file to the proof", found["time"], "s", 15)
    yield Figure(_GROUP, "resident at its peak", found["memory"], "MB", 300)


def _main(repositories: int) -> None:
    text = json.dumps(grown(repositories).snapshot())
    start = time.process_time()
    now = datetime.now(UTC)
    estate = estate_from_text(text, at=now)
    import_estate(estate, aliases_of(estate.accounts, {}), now=now)
    taken = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"time": taken, "memory": memory}))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
