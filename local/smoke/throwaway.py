"""What the smoke test makes in two accounts, and its removal: only what is in this register is ever changed."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.aws.accounts import CLIENT_CONFIG, Session, SessionClients
from local.testing.waiting import NeverCame

PREFIX = "ecrw-smoke-"
TAG = "ecr-warden-smoke"
_PATIENT = Config(connect_timeout=2, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
_GONE = ("NoSuchEntity", "RepositoryNotFoundException", "ResourceNotFoundException", "QueueDoesNotExist")


class NotRemoved(Exception):
    """What a removal left; the message says what."""


@dataclass(frozen=True, slots=True)
class Side:
    """One account, as the profile given for it sees it."""

    account: str
    region: str
    session: Session
    clients: SessionClients

    @property
    def iam(self) -> Any:
        return self.clients.iam

    @property
    def ecr(self) -> Any:
        return self.clients.ecr(self.region)

    @property
    def emulator(self) -> str:
        """The endpoint of the calls, if it is not AWS."""
        endpoint = str(self.ecr.meta.endpoint_url)
        host = urlsplit(endpoint).hostname or ""
        return "" if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else endpoint

    def sts(self, **credentials: str) -> Any:
        """A client of STS, of the profile or of a session."""
        return self.session.client("sts", region_name=self.region, config=CLIENT_CONFIG, **credentials)

    def client(self, service: str) -> Any:
        """A client of another service; it waits long enough to measure how long an answer takes."""
        return self.session.client(service, region_name=self.region, config=_PATIENT)

    def with_credentials(self, given: Mapping[str, Any]) -> "Side":
        """The same account and region with the credentials that STS gave."""
        session = boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=self.region,
        )
        return replace(self, session=session, clients=SessionClients(session))


@dataclass(slots=True)
class Throwaway:
    """Names that nobody else has, in both accounts; `kept` says what could not be removed."""

    registry: Side
    ci: Side
    name: str = field(default_factory=lambda: PREFIX + secrets.token_hex(4))
    kept: list[str] = field(default_factory=list)
    _made: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def repository(self, suffix: str) -> str:
        """A new repository; returns its name."""
        name = f"{self.name}/{suffix}"
        ecr, account = self.registry.ecr, self.registry.account
        ecr.create_repository(registryId=account, repositoryName=name, tags=[self._tag])
        self._made.append(
            (
                f"repository {name}",
                lambda: ecr.delete_repository(
                    registryId=account, repositoryName=name, force=True
                ),  # it may have images
            )
        )
        return name

    def user(self, suffix: str) -> str:
        """A new user of the CI account, without credentials; returns its ARN."""
        name, iam = f"{self.name}-{suffix}", self.ci.iam
        arn = str(iam.create_user(UserName=name, Tags=[self._tag])["User"]["Arn"])
        self._made.append((f"user {name}", lambda: self._remove_user(name)))
        return arn

    def role(self, suffix: str, *trust: dict[str, Any], longest: int = 3600, side: Side | None = None) -> str:
        """A new role, of the registry account unless said; returns its name. `longest`: of a session, in seconds."""
        name, iam = f"{self.name}-{suffix}", (side or self.registry).iam
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document(*trust),
            MaxSessionDuration=longest,
            Tags=[self._tag],
        )
        self._made.append((f"role {name}", lambda: self._remove_role(iam, name)))
        return name

    def policy(self, side: Side, role: str, suffix: str, text: str) -> None:
        """A new policy that one of the roles made here has attached."""
        made = side.iam.create_policy(PolicyName=f"{self.name}-{suffix}", PolicyDocument=text, Tags=[self._tag])
        arn = made["Policy"]["Arn"]
        self._made.append((f"policy {arn}", lambda: side.iam.delete_policy(PolicyArn=arn)))
        side.iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        self._made.append((f"{arn} of {role}", lambda: side.iam.detach_role_policy(RoleName=role, PolicyArn=arn)))

    @property
    def lambdas(self) -> Any:
        """A client of Lambda in the CI account."""
        return self.ci.session.client("lambda", region_name=self.ci.region, config=CLIENT_CONFIG)

    def function(self, name: str, role: str, image: str, architecture: str) -> None:
        """A new function of the CI account that nobody calls; raises ClientError."""
        lambdas = self.lambdas
        # Before it is made: an answer that got lost may have left one.
        self._made.append((f"function {name}", lambda: lambdas.delete_function(FunctionName=name)))
        lambdas.create_function(
            FunctionName=name,
            Role=role,
            PackageType="Image",
            Code={"ImageUri": image},
            Architectures=[architecture],
            Tags={TAG: self.name},
        )

    def register(self, what: str, remove: Callable[[], object]) -> None:
        """Have what somebody else made under the name of this run removed at the end."""
        self._made.append((what, remove))

    def remove_user_now(self, arn: str) -> None:
        """Delete one of the users made here before the end."""
        name = arn.rpartition("/")[2]
        assert f"user {name}" in dict(self._made)
        self._remove_user(name)

    @property
    def mark(self) -> int:
        """How many things were made."""
        return len(self._made)

    def remove_all(self, since: int = 0) -> None:
        """Remove everything since a mark, the last made first; what fails is kept in `kept` and stops nothing else.

        Ctrl-C leaves out what is being removed.
        """
        while len(self._made) > since:
            what, remove = self._made.pop()
            try:
                remove()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _GONE:
                    self.kept.append(f"{what}: {error}")
            except (BotoCoreError, NeverCame, NotRemoved) as error:
                self.kept.append(f"{what}: {error}")
            except KeyboardInterrupt:
                self.kept.append(f"{what}: interrupted")

    @property
    def _tag(self) -> dict[str, str]:
        return {"Key": TAG, "Value": self.name}

    def _remove_user(self, name: str) -> None:
        iam = self.ci.iam
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        iam.delete_user(UserName=name)

    def _remove_role(self, iam: Any, name: str) -> None:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def document(*statements: dict[str, Any]) -> str:
    """A policy text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def code_and_text(error: ClientError) -> str:
    """AWS's error as it stands in aws-facts."""
    found = error.response.get("Error", {})
    return f"{found.get('Code', '')}: {found.get('Message', '')}"
