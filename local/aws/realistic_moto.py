"""The same rules in front of moto, by botocore's hooks on a session: AWS's treatment of documents without a server.

Reads do not lag here, and nothing asks who may do what: for these the emulator is there.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.backends import get_backend
from moto.iam.models import AWSManagedPolicy, PolicyVersion, get_account_id_from

from local.aws.behaviour.deletion import forget_in_repository_policy, forget_in_trust_policy
from local.aws.behaviour.front import Front
from local.aws.behaviour.of_aws import PUBLISHED, in_use
from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.paging import PAGES, Page, asked, cut
from local.aws.behaviour.registries import Registries
from local.aws.behaviour.rules import Request
from local.aws.behaviour.switches import Switches
from local.aws.behaviour.texts import not_found
from local.aws.behaviour.world import Owner

_MARK = "local.aws.realistic_moto"
_ALL = 1000
_NOUNS = {"DeleteUser": "user", "DeleteRole": "role"}


def _iam(account: str) -> Any:
    return get_backend("iam")[account]["aws"]


@dataclass(slots=True)
class MotoAccounts:
    """The state of all accounts in moto, in the form that the rules need."""

    switches: Switches = field(default_factory=Switches)
    now: Callable[[], float] = time.time

    def unique_id(self, arn: str) -> str | None:
        """See World."""
        account, _, resource = arn.partition(":iam::")[2].partition(":")
        found = self.entity(account, resource.partition("/")[0], arn.rsplit("/", 1)[-1])
        if found is None or found.arn != arn:
            return None
        age = self.now() - found.create_date.replace(tzinfo=UTC).timestamp()
        return None if age < self.switches.propagation else str(found.id)

    def entity(self, account: str, kind: str, name: str) -> Any:
        """moto's user, role or group of this name, or None."""
        iam = _iam(account)
        if kind == "role":
            return next((role for role in iam.roles.values() if role.name == name), None)
        return (iam.users if kind == "user" else iam.groups).get(name)

    def has_role(self, account: str, name: str) -> bool:
        """See World."""
        return self.entity(account, "role", name) is not None

    def has_repository(self, account: str, region: str, name: str) -> bool:
        """See World."""
        return name in get_backend("ecr")[account][region].repositories

    def inline_policies(self, account: str, owner: Owner, name: str) -> Mapping[str, str] | None:
        """See World."""
        found = self.entity(account, owner, name)
        return None if found is None else {**found.policies}

    def attached_policies(self, account: str, owner: Owner, name: str) -> Collection[str]:
        """See World."""
        found = self.entity(account, owner, name)
        return [] if found is None else [*found.managed_policies]

    def forget(self, arn: str, unique_id: str) -> None:
        """Show the unique id instead of the ARN in every stored document of every account."""
        for account, _ in list(get_backend("iam").items()):
            for role in _iam(account).roles.values():
                text = role.assume_role_policy_document
                role.assume_role_policy_document = forget_in_trust_policy(text, arn, unique_id)
        for _, regions in list(get_backend("ecr").items()):
            for backend in list(regions.values()):
                for repository in backend.repositories.values():
                    if repository.policy:
                        repository.policy = forget_in_repository_policy(repository.policy, arn, unique_id)


@dataclass(slots=True)
class RealisticMoto:
    """Hooks for sessions that talk to moto; `accounts.switches` may be set at any time."""

    accounts: MotoAccounts = field(default_factory=MotoAccounts)
    registries: Registries = field(default_factory=Registries)
    _front: Front[None] = field(init=False)

    def __post_init__(self) -> None:
        self._front = Front[None](self.accounts, time.monotonic)

    def hook(self, session: boto3.Session) -> None:
        """Put the rules in front of every client that the session makes from now on."""
        session.events.register("before-call", self._before)
        session.events.register("after-call", self._after)

    def _before(self, model: Any, params: dict[str, Any], request_signer: Any, context: Any, **_: object) -> Any:
        service, body = model.service_model.service_name, params["body"]
        if service not in ("ecr", "iam"):
            return None
        given: dict[str, Any] = body if isinstance(body, dict) else json.loads(body or b"{}")
        caller = str(get_account_id_from(request_signer._credentials.access_key))
        request = Request(
            service,
            model.name,
            str(given.get("registryId", caller)) if service == "ecr" else caller,
            context["client_region"],
            {name: value for name, value in given.items() if isinstance(value, str)},
            f"arn:aws:iam::{caller}:root",
            frozenset(name for name, value in given.items() if value is True),
        )
        verdict = _page_refusal(request, given) or self._front.enter(request)
        if isinstance(verdict, Refused):
            return _error(verdict)
        if service == "ecr":
            answer = self.registries.answer(request.account, request.region, model.name, given)
            if answer is not None:
                return _error(answer) if isinstance(answer, Refused) else _answer(answer)
        for named in ("PolicyArn", "PermissionsBoundary"):
            _publish(request.account, str(given.get(named, "")))
        noun = _NOUNS.get(model.name, "")
        gone = self.accounts.entity(request.account, noun, given[f"{noun.capitalize()}Name"]) if noun else None
        context[_MARK] = (request, dict(given), (gone.arn, gone.id) if gone else None)
        sent = _unpaged(request, {**given, **verdict.parameters})
        params["body"] = sent if isinstance(body, dict) else json.dumps(sent).encode()
        return None

    def _after(self, parsed: dict[str, Any], context: Any, **_: object) -> None:
        if _MARK not in context:
            return
        request, given, gone = context[_MARK]
        if "Error" in parsed:
            error = parsed["Error"]
            error["Message"] = not_found(error["Code"], error["Message"], request.account, request.parameters)
            return
        if gone:
            self.accounts.forget(*gone)
        if request.action == "CreateUser":
            # moto gives users twenty small letters; AWS's ids begin with AIDA (aws-facts 7).
            user = self.accounts.entity(request.account, "user", request.parameters["UserName"])
            user.id = parsed["User"]["UserId"] = f"AIDA{user.id[4:].upper()}"
        if "Policies" in parsed:
            parsed["Policies"] = _used(request, given, parsed["Policies"])
        _show_page(request, given, parsed, self.accounts.switches.short_pages)


def _publish(account: str, arn: str) -> None:
    """Have moto know a policy of AWS's, with all its versions, from the call on that names it."""
    iam, policy = _iam(account), PUBLISHED.get(arn)
    if policy is None or arn in iam.managed_policies:
        return
    path, _, name = f"/{policy.name}".rpartition("/")
    create: Any = AWSManagedPolicy
    made = create(name, account, iam.region_name, policy.default, path=f"{path}/", document="{}")
    made.versions = [
        PolicyVersion(arn, text, is_default=version == policy.default, version_id=version)
        for version, text in policy.texts()
    ]
    iam.managed_policies[arn] = made
    iam.aws_managed_policies.append(made)


def _used(request: Request, given: Mapping[str, Any], policies: list[Any]) -> list[Any]:
    """The policies of a list: moto counts no boundaries, and lists AWS's policies that nothing has any more."""
    bounds = [role.permissions_boundary_arn for role in _iam(request.account).roles.values()]
    for one in policies:
        one["PermissionsBoundaryUsageCount"] = bounds.count(one["Arn"])
    if request.action != "ListPolicies":
        return [one for one in policies if one["AttachmentCount"] or one["Arn"] not in PUBLISHED]
    is_only = str(given.get("OnlyAttached", "")).lower() == "true"
    return in_use(policies, str(given.get("PolicyUsageFilter", "")), dict.__getitem__) if is_only else policies


def _answer(parsed: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("https://aws.invalid", 200, HTTPHeaders(), None), parsed


def _error(refused: Refused) -> tuple[AWSResponse, dict[str, Any]]:
    # An answer given here skips botocore's own retries, and the sleeps between them.
    parsed = {
        "Error": {"Code": refused.code, "Message": refused.message},
        "ResponseMetadata": {"HTTPStatusCode": refused.status},
    }
    return AWSResponse("https://aws.invalid", refused.status, HTTPHeaders(), None), parsed


def _page_refusal(request: Request, given: Mapping[str, Any]) -> Refused | None:
    paging = PAGES.get(f"{request.service}:{request.action}")
    if paging is None:
        return None
    named = len(given.get(paging.alone, ())) if paging.alone else 0
    size = given.get(paging.size)
    return asked(paging, None if size is None else int(size), str(given.get(paging.token, "")), named)


def _unpaged(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters that request everything at once: moto's own pages differ from AWS's."""
    paging = PAGES.get(f"{request.service}:{request.action}")
    if paging is None or paging.alone:
        return given
    ours = (paging.token, "OnlyAttached")
    return {name: one for name, one in given.items() if name not in ours} | {paging.size: str(_ALL)}


def _show_page(request: Request, given: Mapping[str, Any], parsed: dict[str, Any], short_pages: int) -> None:
    paging = PAGES.get(f"{request.service}:{request.action}")
    if paging is None or (paging.alone and given.get(paging.alone)):
        return
    size = given.get(paging.size)
    lengths = [len(parsed.get(name, ())) for name in paging.lists]
    page: Page = cut(
        paging, lengths, None if size is None else int(size), str(given.get(paging.token, "")), short_pages
    )
    for name, part in zip(paging.lists, page.parts, strict=True):
        if name in parsed:
            parsed[name] = parsed[name][part]
    parsed.pop(paging.next, None)
    if paging.truncated:
        parsed[paging.truncated] = bool(page.token)
    if page.token:
        parsed[paging.next] = page.token
