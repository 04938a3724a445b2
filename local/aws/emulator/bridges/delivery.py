"""The target of a rule that an event is being delivered to, and what happens to an event that it rejects.

aws-facts 4.7: permission errors go straight to the target's dead-letter queue, a standard SQS queue, with the
attributes RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from local.aws.emulator.modules import eventbridge, signature, sqs, wrap

_PARAMETERS = ("target", "event", "rule", "view")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery: the rule and its ARN, and the target as stored."""

    rule_arn: str
    target: Any


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An event that a target rejected, as the control endpoint shows it."""

    rule_arn: str
    target_arn: str
    event_id: str
    error_code: str
    error_message: str


_current: ContextVar[Delivery | None] = ContextVar("delivery", default=None)
undelivered: list[Undelivered] = []


def current() -> Delivery:
    """The current delivery; one without a name outside of a delivery."""
    return _current.get() or Delivery("", {})


def refuse(event_id: str, payload: str, code: str, message: str) -> None:
    """Record that the current target rejected an event, and put it into the target's dead-letter queue."""
    delivery = current()
    failure = Undelivered(delivery.rule_arn, str(delivery.target.get("Arn", "")), event_id, code, message)
    undelivered.append(failure)
    queue = sqs._queue_by_arn((delivery.target.get("DeadLetterConfig") or {}).get("Arn", ""))
    if queue is not None and not queue.get("is_fifo") and _permitted(queue["attributes"]["QueueArn"], delivery):
        _enqueue(queue, payload, failure)


def failed(function: str, event_id: str, words: str) -> None:
    """Record that a function failed permanently on an event."""
    undelivered.append(Undelivered("", function, event_id, "FUNCTION_FAILED", words))


def _permitted(queue_arn: str, delivery: Delivery) -> bool:
    """Whether the queue's policy lets EventBridge send this rule's failures; otherwise they are lost."""
    account = delivery.rule_arn.split(":")[4]
    return bool(sqs.queue_policy_allows(queue_arn, "events.amazonaws.com", delivery.rule_arn, account))


def _enqueue(queue: Any, payload: str, failure: Undelivered) -> None:
    arn = queue["attributes"]["QueueArn"]
    eventbridge._dispatch_to_sqs(eventbridge.parse_arn(arn), payload, {})
    named = asdict(failure)
    queue["messages"][-1]["message_attributes"] = {
        name.upper(): {"DataType": "String", "StringValue": str(named[name])}
        for name in ("rule_arn", "target_arn", "error_code", "error_message")
    }


def install() -> None:
    """Wrap the delivery to one target."""
    original: Callable[..., Any] = signature(eventbridge, "_invoke_target", *_PARAMETERS)
    signature(eventbridge, "_dispatch_to_sqs", "spec", "payload", "sqs_parameters")
    signature(sqs, "queue_policy_allows", "queue_arn", "service", "source_arn", "source_account")

    def invoke(target: Any, event: Any, rule: Any, view: Any = None) -> Any:
        token = _current.set(Delivery(str(rule.get("Arn", "")), target))
        try:
            return original(target, event, rule, view)
        finally:
            _current.reset(token)

    wrap(eventbridge, "_invoke_target", *_PARAMETERS)(invoke)
