"""Questions about what a cut-off by aws:TokenIssueTime ends: docker's logins, bearer tokens, scoped credentials."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from local.smoke.images import push_image
from local.smoke.probes import PULL, Answer, Lab, Probe
from local.smoke.throwaway import Side, code_and_text, document
from local.testing.waiting import NeverCame, until

_LOGIN, _SCOPED = "ecr:GetAuthorizationToken", "sts:GetScopedCredentials"
_MINUTES_15 = 900
_TIMEOUT, _FOUND = 10, 200


@dataclass(slots=True)
class _Session:
    """A session of a role of the registry that may log in and pull from one repository."""

    lab: Lab
    role: str
    side: Side
    repository: str
    image: str

    @classmethod
    def opened(cls, lab: Lab, suffix: str, *actions: str) -> "_Session":
        """Create the role and the repository with an image, and open the session; raises NeverCame."""
        registry, ci = lab.places.registry, lab.places.ci
        trust = {"Effect": "Allow", "Principal": {"AWS": ci.account}, "Action": "sts:AssumeRole"}
        role = lab.places.role(suffix, trust)
        allowed = {"Effect": "Allow", "Action": [*PULL, *actions], "Resource": "*"}
        registry.iam.put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=document(allowed))
        repository = lab.places.repository(suffix)
        image = push_image(registry, repository)
        given: dict[str, Any] = {}

        def opened() -> bool:
            arn = f"arn:aws:iam::{registry.account}:role/{role}"
            try:
                given.update(ci.sts().assume_role(RoleArn=arn, RoleSessionName="ecrw-smoke")["Credentials"])
            except ClientError as error:
                if "AccessDenied" in code_and_text(error):
                    return False
                raise
            return True

        if not lab.wait_for(opened):
            raise NeverCame("the role cannot be assumed: may the CI profile call sts:AssumeRole?")
        session = cls(lab, role, registry.with_credentials(given), repository, image)
        if not lab.wait_for(session.pulls):
            raise NeverCame("the session cannot pull before the cut-off")
        return session

    def pulls(self, side: Side | None = None) -> bool:
        """Whether BatchGetImage is allowed."""
        where = {"registryId": self.side.account, "repositoryName": self.repository}
        try:
            ecr = (side or self.side).client("ecr")
            ecr.batch_get_image(**where, imageIds=[{"imageDigest": self.image.rpartition("@")[2]}])
        except ClientError as error:
            if "AccessDenied" in code_and_text(error):
                return False
            raise
        return True

    def cut_off(self) -> None:
        """Deny every session that was issued until now, and wait until the call is refused."""
        # The key has whole seconds: what was issued in this one is not before it, but before the next.
        after = datetime.now(UTC) + timedelta(seconds=1)
        before = {"DateLessThan": {"aws:TokenIssueTime": after.isoformat(timespec="seconds")}}
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": before}
        iam = self.lab.places.registry.iam
        iam.put_role_policy(RoleName=self.role, PolicyName="cut-off", PolicyDocument=document(deny))
        until(lambda: not self.pulls(), self.lab.patience, "the end of the session", pause=self.lab.pause)

    def manifest(self, authorization: str) -> int:
        """The status with which the registry answers to docker's GET of the manifest; raises NeverCame."""
        if self.side.emulator:
            raise NeverCame("the embedded AWS has no registry to pull from")
        host = f"{self.side.account}.dkr.ecr.{self.side.region}.amazonaws.com"
        url = f"https://{host}/v2/{self.repository}/manifests/{self.image.rpartition('@')[2]}"
        request = urllib.request.Request(url, headers={"Authorization": authorization})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError as error:
            raise NeverCame(f"the registry does not answer: {error}") from error


def _docker_login(lab: Lab) -> Answer:
    session = _Session.opened(lab, "login", _LOGIN)
    login = session.side.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    if session.manifest(f"Basic {login}") != _FOUND:
        raise NeverCame("the registry does not answer with the manifest before the cut-off")
    session.cut_off()
    refused = lab.wait_for(lambda: session.manifest(f"Basic {login}") != _FOUND)
    return Answer("the login ends too" if refused else "the login goes on")


def _bearer_token(lab: Lab) -> Answer:
    """The name of the IAM action is not documented: everything of signin is allowed, and not ECR's own login."""
    session = _Session.opened(lab, "bearer", "signin:*")
    signin = session.side.client("signin")
    token = signin.create_bearer_token(
        grantType="client_credentials", resource="ecr.amazonaws.com", durationSeconds=300
    )
    status = session.manifest(f"Bearer {token['accessToken']}")
    return Answer("it logs in" if status == _FOUND else "it does not log in", str(status))


def _scoped(session: _Session) -> Side:
    """The same session with narrower credentials of a quarter of an hour; raises ClientError."""
    given = session.side.sts().get_scoped_credentials(DurationSeconds=_MINUTES_15)["Credentials"]
    return session.lab.places.registry.with_credentials(given)


def _scoped_before(lab: Lab) -> Answer:
    session = _Session.opened(lab, "scoped-1", _SCOPED)
    scoped = _scoped(session)
    session.cut_off()
    refused = lab.wait_for(lambda: not session.pulls(scoped))
    return Answer("they end too" if refused else "they go on")


def _scoped_after(lab: Lab) -> Answer:
    session = _Session.opened(lab, "scoped-2", _SCOPED)
    session.cut_off()
    try:
        scoped = _scoped(session)
    except ClientError as error:
        return Answer("none are given", code_and_text(error))
    return Answer("they pull" if session.pulls(scoped) else "they are denied")


def _scoped_issue_time(lab: Lab) -> Answer:
    """A policy lets in only what was issued after the session was: whoever pulls then was issued anew."""
    session = _Session.opened(lab, "scoped-3", _SCOPED)
    opened = datetime.now(UTC).isoformat(timespec="seconds")
    scoped = _scoped(session)
    newer = {"DateGreaterThan": {"aws:TokenIssueTime": opened}}
    allowed = {"Effect": "Allow", "Action": PULL, "Resource": "*", "Condition": newer}
    iam = lab.places.registry.iam
    iam.put_role_policy(RoleName=session.role, PolicyName="pull", PolicyDocument=document(allowed))
    if not lab.wait_for(lambda: not session.pulls()):
        raise NeverCame("the session still pulls under a policy that wants a later one")
    return Answer("a time of their own" if session.pulls(scoped) else "the session's", json.dumps(newer))


SESSION_PROBES = (
    Probe("12.2", "does a cut-off end a docker login that was made before it?", "the login ends too", _docker_login),
    Probe("12.2", "does CreateBearerToken log in without ecr:GetAuthorizationToken?", "it logs in", _bearer_token),
    Probe("12.2", "does a cut-off end scoped credentials made before it?", "they end too", _scoped_before),
    Probe("12.2", "does a session that was cut off still get scoped credentials?", "none are given", _scoped_after),
    Probe("12.2", "which aws:TokenIssueTime have scoped credentials?", "the session's", _scoped_issue_time),
)
