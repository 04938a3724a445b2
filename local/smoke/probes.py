"""Questions to AWS that its documentation leaves open: each is asked once, on what this test made.

`line` is the paragraph of the project's collected facts about AWS; `assumed` is what the code and the embedded AWS
take for granted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.smoke.throwaway import Throwaway, code_and_text, document
from local.testing.waiting import NeverCame, until

PULL = ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
_GHOST = ("Principal not found", "Invalid repository policy provided", "Invalid principal in policy")


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS did, in the words of `Probe.assumed`, and AWS's own words."""

    found: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Probe[T]:
    """One question; `ask` makes what it needs, of what is there."""

    line: str
    question: str
    assumed: str
    ask: Callable[[T], Answer]
    otherwise: str = "the code and the embedded AWS take something else for granted: report the line"
    """What another answer means for ecr-warden."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe's result; `answer` is None when it could not be asked, and `why` says why."""

    probe: Probe[Any]
    answer: Answer | None
    why: str = ""

    @property
    def as_assumed(self) -> bool:
        """Whether AWS did what is taken for granted."""
        return self.answer is not None and self.answer.found == self.probe.assumed

    @property
    def means(self) -> str:
        """What the answer means for ecr-warden."""
        if self.answer is None:
            return "it is not known whether ecr-warden rests on this rightly"
        return "ecr-warden does as it is: nothing is to be changed" if self.as_assumed else self.probe.otherwise

    def to_json(self) -> dict[str, Any]:
        """The JSON form."""
        answer = self.answer or Answer("", self.why)
        return {
            "question": self.probe.question,
            "assumed": self.probe.assumed,
            "found": answer.found or None,
            "words": answer.words,
            "asAssumed": self.as_assumed if self.answer is not None else None,
            "means": self.means,
        }


@dataclass(frozen=True, slots=True)
class Lab:
    """A repository to write policies to, and users to name in them; `patience` and `pause` in seconds."""

    places: Throwaway
    repository: str
    users: tuple[str, ...]
    patience: float
    pause: float

    @classmethod
    def opened(cls, places: Throwaway, patience: float, pause: float) -> "Lab":
        """Make the repository and two users."""
        users = (places.user("lab-a"), places.user("lab-b"))
        return cls(places, places.repository("lab"), users, patience, pause)

    def write(self, *statements: dict[str, Any], text: str = "") -> str:
        """Set the repository's policy; returns the text that AWS keeps. Raises ClientError."""
        registry = self.places.registry
        where = {"registryId": registry.account, "repositoryName": self.repository}
        registry.ecr.set_repository_policy(**where, policyText=text or document(*statements))
        return self.read()

    def read(self) -> str:
        """The text that AWS stores."""
        registry = self.places.registry
        answer = registry.ecr.get_repository_policy(registryId=registry.account, repositoryName=self.repository)
        return str(answer["policyText"])

    def write_patiently(self, *statements: dict[str, Any]) -> str:
        """The same, for principals that AWS may not see yet."""

        def attempt() -> str:
            try:
                return self.write(*statements)
            except ClientError as error:
                if any(text in code_and_text(error) for text in _GHOST):
                    return ""
                raise

        return until(attempt, self.patience, "a new principal as AWS sees it", pause=self.pause)

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Whether a condition comes true within the time that AWS may take."""
        try:
            until(lambda: bool(condition()), self.patience, "the answer", pause=self.pause)
        except NeverCame:
            return False
        return True


def pull(principal: Any, **more: Any) -> dict[str, Any]:
    """A statement of a repository policy."""
    return {"Sid": "P", "Effect": "Allow", "Principal": principal, "Action": PULL, **more}


def refused_or(lab: Lab, *statements: dict[str, Any], taken: str = "accepted", text: str = "") -> Answer:
    """`refused` with AWS's words, or `accepted` with the text kept."""
    try:
        return Answer(taken, lab.write(*statements, text=text))
    except ClientError as error:
        return Answer("refused", code_and_text(error))


def ask[T](probe: Probe[T], lab: T) -> Asked:
    """Ask; what stops one question stops no other."""
    try:
        return Asked(probe, probe.ask(lab))
    except ClientError as error:
        return Asked(probe, None, code_and_text(error))
    except (BotoCoreError, NeverCame) as error:
        return Asked(probe, None, str(error))


def _spelling(lab: Lab) -> Answer:
    sent = json.dumps(
        {"Statement": [{"Action": PULL, "Principal": {"AWS": lab.users[0]}, "Effect": "Allow", "Sid": "P"}]}
        | {"Version": "2012-10-17"},
        separators=(",", ":"),
    )
    lab.write_patiently(pull({"AWS": list(lab.users)}))
    kept = lab.write(text=sent)
    return Answer("as sent" if kept == sent else "re-serialised", kept)


def _account(lab: Lab) -> Answer:
    account = lab.places.ci.account
    kept = lab.write(pull({"AWS": account}))
    root = f"arn:aws:iam::{account}:root"
    return Answer("root ARN" if root in kept else "account id", kept)


def _scalars(lab: Lab) -> Answer:
    statement = pull({"AWS": lab.users[0]}) | {"Action": "ecr:BatchGetImage"}
    kept = json.loads(lab.write_patiently(statement))["Statement"]
    same = kept[0]["Action"] == statement["Action"] and kept[0]["Principal"]["AWS"] == lab.users[0]
    return Answer("kept" if same else "changed", json.dumps(kept))


def _login(lab: Lab) -> Answer:
    return refused_or(lab, pull({"AWS": lab.places.ci.account}) | {"Action": ["ecr:GetAuthorizationToken"]})


def _resource(lab: Lab) -> Answer:
    return refused_or(lab, pull({"AWS": lab.places.ci.account}, Resource="*"))


def _date(lab: Lab) -> Answer:
    until_then = {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}
    return refused_or(lab, pull({"AWS": lab.places.ci.account}, Condition=until_then))


def _not_principal(lab: Lab) -> Answer:
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": lab.places.ci.account}, "Action": PULL}
    return refused_or(lab, deny)


def _same_sids(lab: Lab) -> Answer:
    return refused_or(lab, pull({"AWS": lab.places.ci.account}), pull({"AWS": lab.places.registry.account}))


def _white_space(lab: Lab) -> Answer:
    text = document(pull({"AWS": lab.places.ci.account}))
    answer = refused_or(lab, text=text + " " * 10240, taken="not counted")
    return Answer("counted", answer.words) if answer.found == "refused" else answer


def _ghost(lab: Lab) -> Answer:
    nobody = f"arn:aws:iam::{lab.places.ci.account}:user/{lab.places.name}-nobody"
    answer = refused_or(lab, pull({"AWS": nobody}))
    if answer.found == "refused":
        return Answer("Principal not found" if "Principal not found" in answer.words else "another text", answer.words)
    return answer


ECR_PROBES = (
    Probe("1.6", "does ECR keep a policy's text as it was sent?", "re-serialised", _spelling),
    Probe("1.6", "what becomes of an account id in Principal?", "root ARN", _account),
    Probe("1.6", "do single values stay single?", "kept", _scalars),
    Probe("1.4", "is ecr:GetAuthorizationToken taken in a repository policy?", "accepted", _login),
    Probe("1.2", 'is "Resource": "*" taken in a repository policy?', "refused", _resource),
    Probe("1.2", "is NotPrincipal taken in a repository policy?", "accepted", _not_principal),
    Probe("1.2", "are two statements with one Sid taken?", "accepted", _same_sids),
    Probe("1.1", "does white space count against the 10,240 characters?", "counted", _white_space),
    Probe("1.3", "what does ECR say of a principal that does not exist?", "Principal not found", _ghost),
    Probe("9", "is a condition on aws:CurrentTime taken in a repository policy?", "accepted", _date),
)
