"""boto3 on moto in this process: sessions whose calls are recorded and can be made to fail as AWS would."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from threading import local
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber

REGION = "eu-central-1"
# Reading the models of IAM takes longer than a test.
_LOADER = Loader()


class _Moto(MockAWS):
    """moto for boto3 alone: to make its 1,300 answers to the library `requests` takes longer than a test."""

    def _enable_patching(self, reset: bool = True) -> None:
        botocore_stubber.enabled = True
        self.reset()

    def _disable_patching(self, remove_data: bool) -> None:
        botocore_stubber.enabled = False
        self.reset()
        reset_model_data()

    def reset(self) -> None:
        BackendDict.reset()


@contextmanager
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS; credentials and settings of whoever runs the tests stay out."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with _Moto(config={"iam": {"load_aws_managed_policies": False}}):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", new_session())
        yield


@cache
def _hooks() -> HierarchicalEmitter:
    """What botocore itself has called: to register it took half the time of making a session."""
    hooks = HierarchicalEmitter()
    botocore.session.Session(event_hooks=hooks)
    return hooks


def new_session() -> boto3.Session:
    """A boto3 session that shares its models with all others."""
    core = botocore.session.Session(event_hooks=copy(_hooks()), include_builtin_handlers=False)
    return boto3.Session(botocore_session=with_models(core))


def with_models(core: botocore.session.Session) -> botocore.session.Session:
    """A session that reads no model twice in one process."""
    core.register_component("data_loader", _LOADER)
    return core


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as it was about to leave: `service` as IAM spells it."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(slots=True)
class Wire:
    """A session that keeps each call, and answers some with an error instead of making them."""

    session: boto3.Session = field(default_factory=new_session)
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, Callable[[Call], tuple[str, str, int] | None]] = field(default_factory=dict)
    answers: dict[str, Callable[[Call], dict[str, Any]]] = field(default_factory=dict)
    _now: local = field(default_factory=local)  # threads call side by side

    def __post_init__(self) -> None:
        self.session.events.register("provide-client-params", self._keep_parameters)
        self.session.events.register_first("before-call", self._pass)

    @property
    def actions(self) -> list[str]:
        """The calls so far, as IAM actions."""
        return [call.action for call in self.calls]

    def fail(self, action: str, code: str, message: str = "", status: int = 400) -> None:
        """Have AWS answer every call of `action` with an error from now on."""
        self.faults[action] = lambda _call: (code, message, status)

    def answer(self, action: str, answer: Callable[[Call], dict[str, Any]]) -> None:
        """Have AWS answer every call of `action` so from now on."""
        self.answers[action] = answer

    def _keep_parameters(self, params: dict[str, Any], **_: object) -> None:
        self._now.parameters = params

    def _pass(self, model: Any, **_: object) -> Any:
        call = Call(model.service_model.service_name, model.name, self._now.parameters)
        self.calls.append(call)
        if call.action in self.answers:
            return AWSResponse("https://aws.invalid", 200, HTTPHeaders(), None), self.answers[call.action](call)
        error = self.faults[call.action](call) if call.action in self.faults else None
        if error is None:
            return None
        code, message, status = error
        # An answer given here skips botocore's own retries, and the sleeps between them.
        parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return AWSResponse("https://aws.invalid", status, HTTPHeaders(), None), parsed
