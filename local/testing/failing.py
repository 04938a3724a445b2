"""A deployed function that never returns, or whose process is killed, whenever a job of some kind comes."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from uuid import uuid4

from local.aws.launcher import ROOT


class Failing(StrEnum):
    """What happens when the job comes; Lambda hears of neither."""

    HANGS = "threading.Event().wait()"
    IS_KILLED = "os.kill(os.getpid(), signal.SIGKILL)"


_HANDLER = """\
import json, os, signal, threading
from original import handler as _handler

def handler(event, context):
    if any(json.loads(record["body"]).get("kind") == {kind!r} for record in event["Records"]):
        {how}
    return _handler(event, context)
"""


@contextmanager
def failing(lambdas: Any, function: str, kind: str, how: Failing) -> Iterator[None]:
    """Replace the code of `ecr-warden-<function>` meanwhile; at the end its processes are killed.

    `lambdas`: a client of boto3.
    """
    name = f"ecr-warden-{function}"
    app = ROOT / "functions" / function / "app.py"
    wrapped = _zipped({"original.py": app.read_text(), "app.py": _HANDLER.format(kind=kind, how=how.value)})
    lambdas.update_function_code(FunctionName=name, ZipFile=wrapped)
    try:
        yield
    finally:
        lambdas.update_function_code(FunctionName=name, ZipFile=_zipped({"app.py": app.read_text()}))


def fill(sqs: Any, url: str, kind: str, number: int, **of: str) -> None:
    """Send many jobs of a kind to a FIFO queue, each in a group of its own. `sqs`: a client of boto3."""
    cause = {"kind": "sweep", "id": "a-sweep", "at": "2026-11-28T12:00:00+00:00"}
    body = json.dumps({"schema": 1, "kind": kind, "cause": cause, **of})
    names = [str(uuid4()) for _ in range(number)]
    jobs = [{"Id": n, "MessageGroupId": n, "MessageDeduplicationId": n, "MessageBody": body} for n in names]
    for begin in range(0, number, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=jobs[begin : begin + 10])


def _zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
