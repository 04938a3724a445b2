"""Reading whole accounts for a snapshot: AWS's own answers, joined (model.codec.snapshot reads them).

A call that is denied or not answered is noted with its error, and stops nothing else.
Sources: the API references of the calls named in `_READS` and below.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from ecr_warden.adapters.aws.accounts import CALLS_AT_ONCE, AccountClients
from ecr_warden.adapters.aws.deadline import Patience
from ecr_warden.adapters.aws.errors import ECR, IAM, code_of, translated
from ecr_warden.adapters.aws.reading import list_names
from ecr_warden.model.codec.snapshot import IAM_CALL, LIST_CALL, POLICY_CALL, REGISTRY_CALL
from ecr_warden.ports.errors import PortError

_SCOPE = "REGISTRY_POLICY_SCOPE"
_SCOPE_CALL = "ecr:GetAccountSetting"
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


def read_account(clients: AccountClients, account: str, regions: tuple[str, ...], patience: Patience) -> dict[str, Any]:
    """The account's entry of a snapshot; nothing is raised."""
    reading = _Reading(clients, account, patience)
    iam = reading.attempt(IAM_CALL, "", reading.iam)
    ecr = {region: reading.registry(region) for region in regions}
    entry: dict[str, Any] = {} if iam is None else {"iam": iam}
    return {**entry, "ecr": ecr, **({"unread": reading.unread} if reading.unread else {})}


class _Reading:
    def __init__(self, clients: AccountClients, account: str, patience: Patience) -> None:
        self._clients = clients
        self._account = account
        self._patience = patience
        self.unread: list[dict[str, str]] = []

    def attempt[T](self, call: str, region: str, read: Callable[[], T]) -> T | None:
        """What was read; None, with a note, for what was not."""
        try:
            return read()
        except PortError as error:
            place = {"region": region} if region else {}
            self.unread.append({"what": call, **place, "code": error.code})
            return None

    def iam(self) -> dict[str, Any]:
        """All pages of GetAccountAuthorizationDetails as one answer."""
        joined: dict[str, Any] = {name: [] for name in _LISTS}
        start: dict[str, str] = {}
        while True:
            page = self._patience(partial(self._details, start))
            for name in _LISTS:
                joined[name] += [_plain(entry) for entry in page.get(name, ())]
            if not page.get("IsTruncated"):
                return joined
            start = {"Marker": page["Marker"]}

    def registry(self, region: str) -> dict[str, Any]:
        """The registry of a region: its repositories with their policies, and what holds for all of them."""
        ecr = self._clients.ecr(region)
        names = self.attempt(LIST_CALL, region, lambda: list(list_names(ecr, self._account, region)))
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="snapshot") as pool:
            repositories = list(pool.map(lambda name: self._repository(region, name), names or ()))
        over_all = self.attempt(
            REGISTRY_CALL, region, lambda: {"registryPolicy": self._policy(region, "get_registry_policy")}
        )
        scope = self.attempt(_SCOPE_CALL, region, lambda: {"accountSettings": {_SCOPE: self._setting(region)}})
        return {"repositories": repositories, **(over_all or {}), **(scope or {})}

    def _details(self, start: Mapping[str, Any]) -> Any:
        with translated(IAM, f"reading the users, groups, roles and policies of {self._account}"):
            return self._clients.iam.get_account_authorization_details(MaxItems=1000, **start)

    def _repository(self, region: str, name: str) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            return {
                "policy": self._policy(region, "get_repository_policy", registryId=self._account, repositoryName=name)
            }

        return {"repositoryName": name, **(self.attempt(POLICY_CALL, region, read) or {})}

    def _policy(self, region: str, operation: str, **arguments: str) -> str | None:
        """The text of a policy, None where there is none."""

        def read() -> str | None:
            ecr: Any = self._clients.ecr(region)
            with translated(ECR, f"{operation} in {region} of {self._account}"):
                try:
                    found = getattr(ecr, operation)(**arguments)
                except ClientError as error:
                    if code_of(error) in ("RepositoryPolicyNotFoundException", "RegistryPolicyNotFoundException"):
                        return None
                    raise
                return str(found["policyText"])

        return self._patience(read)

    def _setting(self, region: str) -> str:
        def read() -> str:
            with translated(ECR, f"reading {_SCOPE} of {self._account} in {region}"):
                return str(self._clients.ecr(region).get_account_setting(name=_SCOPE)["value"])

        return self._patience(read)


def _plain(value: Any) -> Any:
    """The answer in JSON's types: times as text."""
    match value:
        case datetime():
            return value.isoformat()
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
        case list():
            return [_plain(entry) for entry in value]
        case _:
            return value
