"""Starts the emulator on a listening socket given by the parent, and exits when the parent's pipe closes."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.aws.emulator import services, trail
from local.aws.emulator.bridges import (
    assume_role,
    authorization_details,
    boundary_context,
    bus_policy,
    cross_account_bus,
    delivery,
    ecr_registry,
    events_rules,
    function_logs,
    iam_paths,
    layer_action,
    named_resources,
    principal_arn,
    role_template,
    rule_to_lambda,
    secure_origin,
    sqs_batch,
    stack_description,
    stack_drift,
    stack_review,
    template_conditions,
    topic_template,
    unpacked_code,
)
from local.aws.emulator.control import Control
from local.aws.emulator.fault_table import FaultTable
from local.aws.emulator.gateway import Gateway
from local.aws.emulator.ledger import Ledger
from local.aws.emulator.modules import BridgeBroken, app, eventbridge, lambda_svc, require_pinned_version
from local.aws.emulator.world import MinistackWorld

_BRIDGES = (
    principal_arn,
    iam_paths,
    layer_action,
    boundary_context,
    role_template,
    authorization_details,
    template_conditions,
    bus_policy,
    delivery,
    cross_account_bus,
    rule_to_lambda,
    secure_origin,
    ecr_registry,
    events_rules,
    assume_role,
    sqs_batch,
    topic_template,
    stack_description,
    named_resources,
    stack_drift,
    stack_review,
    function_logs,
    unpacked_code,
)
_TICK_SECONDS = 1
_BATCHES_AT_ONCE = 2
"""Of a standard queue: each has a process of its own, whose start costs as much as a hundred jobs."""


def build() -> Gateway:
    """ministack with every bridge in place. Raises BridgeBroken if one does not fit."""
    require_pinned_version()
    trail.check()
    for bridge in _BRIDGES:
        bridge.install()
    _set(eventbridge, "_SCHEDULER_TICK_INTERVAL", _TICK_SECONDS)
    _set(lambda_svc, "_ESM_SQS_DEFAULT_CONCURRENCY", _BATCHES_AT_ONCE)
    world, ledger, faults = MinistackWorld(), Ledger(), FaultTable()
    services.install(world)
    return Gateway(app.app, ledger, faults, Control(ledger, faults, world))


def _set(module: Any, name: str, value: float) -> None:
    if not hasattr(module, name):
        raise BridgeBroken(f"{module.__name__}.{name} is gone from ministack")
    setattr(module, name, value)


def _die_with_parent() -> None:
    """End this process group, functions included, when the parent closes its end of standard input."""
    os.read(0, 1)
    shutil.rmtree(Path.cwd(), ignore_errors=True)  # the home that the parent made for this process alone
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Serve on the socket whose number LOCAL_SOCKET names."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    socket_number = os.environ.pop("LOCAL_SOCKET")
    try:
        gateway = build()
    except BridgeBroken as problem:
        sys.exit(f"the emulator does not start: {problem}")
    config = Config()
    config.bind = [f"fd://{socket_number}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(gateway, config))
