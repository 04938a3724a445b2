"""A person accepts what the deployed hub holds, as the command does: signed, and by its ID."""

import json
import uuid
from typing import Any

from botocore.credentials import Credentials

from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.hub.codec_replies import reply_from_json
from ecr_warden.hub.reply import CommandReply, HeldReply
from ecr_warden.hub.request import AskHeld, request_to_text
from ecr_warden.state.commands import Accept
from ecr_warden.state.hold import HoldState
from local.aws.launcher import EmulatedAws


def versions_held(aws: EmulatedAws, hub: str, region: str) -> dict[str, str]:
    """The IDs of the holds on versions of the spec that wait for a person, by version."""
    held = _invoke(aws, hub, region, "ecr-warden-answer", {"request": request_to_text(AskHeld())})
    assert isinstance(held, HeldReply)
    return {one.ground.version: one.id for one in held.holds if one.state is HoldState.WAITING}


def accept_version(aws: EmulatedAws, hub: str, region: str, version: str) -> bool:
    """Accept a version of the spec as the root user of the hub's account; False if it does not wait for a person."""
    hold = versions_held(aws, hub, region).get(version)
    if hold is None:
        return False
    text = request_to_text(Accept(str(uuid.uuid4()), hold))
    control = f"arn:aws:lambda:{region}:{hub}:function:ecr-warden-control"
    proof = make_proof(Credentials(hub, "test"), region=region, hub=control, request=text)
    done = _invoke(aws, hub, region, "ecr-warden-control", {"request": text, "proof": dict(proof)})
    assert isinstance(done, CommandReply)
    return True


def _invoke(aws: EmulatedAws, hub: str, region: str, function: str, event: dict[str, Any]) -> Any:
    functions = aws.client(hub, "lambda", region)
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    return reply_from_json(json.loads(answer["Payload"].read()))
