"""A deployed function that never returns, or whose process is killed, whenever a job of some kind comes."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

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


def _zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
