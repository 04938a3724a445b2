"""The only place that imports ministack: untyped, private and pinned, hence Any and checked by `signature`."""

import functools
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import ministack.app as _app
import ministack.core.iam_actions as _iam_actions
import ministack.core.iam_evaluator as _iam_evaluator
import ministack.core.lambda_runtime as _lambda_runtime
import ministack.core.responses as _responses
import ministack.core.router as _router
import ministack.services.cloudformation as _cloudformation
import ministack.services.cloudformation.changesets as _changesets
import ministack.services.cloudformation.engine as _engine
import ministack.services.cloudformation.handlers as _handlers
import ministack.services.cloudformation.provisioners as _provisioners
import ministack.services.cloudformation.stacks as _stacks
import ministack.services.cloudwatch as _cloudwatch
import ministack.services.cloudwatch_logs as _cloudwatch_logs
import ministack.services.dynamodb as _dynamodb
import ministack.services.ecr as _ecr
import ministack.services.eventbridge as _eventbridge
import ministack.services.iam as _iam
import ministack.services.kms as _kms
import ministack.services.lambda_svc as _lambda_svc
import ministack.services.s3 as _s3
import ministack.services.sns as _sns
import ministack.services.sqs as _sqs
import ministack.services.ssm as _ssm
import ministack.services.sts as _sts

PINNED = "1.5.33"

app: Any = _app
ecr: Any = _ecr
eventbridge: Any = _eventbridge
iam: Any = _iam
iam_actions: Any = _iam_actions
iam_evaluator: Any = _iam_evaluator
lambda_runtime: Any = _lambda_runtime
lambda_svc: Any = _lambda_svc
cloudformation: Any = _cloudformation
cloudformation_handlers: Any = _handlers
cloudformation_changesets: Any = _changesets
cloudformation_stacks: Any = _stacks
cloudwatch_logs: Any = _cloudwatch_logs
drift_stores: dict[str, Any] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        *(_cloudwatch, _cloudwatch_logs, _dynamodb, _eventbridge, _iam, _kms, _lambda_svc, _s3, _sns, _sqs, _ssm),
    )
}
"""The services whose records CloudFormation compares, by name."""
# Each of these took the conditions' evaluation from the first by name.
cloudformation_engine: Any = _engine
evaluating_conditions: tuple[Any, ...] = (_engine, _changesets, _handlers, _stacks)
provisioners: Any = _provisioners
responses: Any = _responses
router: Any = _router
sqs: Any = _sqs
sts: Any = _sts


class BridgeBroken(Exception):
    """ministack is not the version whose private functions were wrapped."""


def require_pinned_version() -> None:
    """Raises BridgeBroken for a ministack version other than the one the bridges were written for."""
    found = version("ministack")
    if found != PINNED:
        raise BridgeBroken(f"the bridges fit ministack {PINNED}, found {found}: read each one against the new source")


def signature(module: Any, name: str, *parameters: str) -> Callable[..., Any]:
    """A private function of ministack. Raises BridgeBroken if it is gone or has other parameters."""
    function: Callable[..., Any] | None = getattr(module, name, None)
    where = f"{module.__name__}.{name}"
    if function is None:
        raise BridgeBroken(f"{where} is gone from ministack")
    found = tuple(inspect.signature(function).parameters)
    if found != parameters:
        raise BridgeBroken(f"{where} takes {found}, the bridge expects {parameters}")
    return function


def wrap(module: Any, name: str, *parameters: str) -> Callable[[Callable[..., Any]], None]:
    """Replace a private function after checking it: `wrap(module, name, ...)(replacement)`."""
    original = signature(module, name, *parameters)

    def put(replacement: Callable[..., Any]) -> None:
        setattr(module, name, functools.wraps(original)(replacement))

    return put
