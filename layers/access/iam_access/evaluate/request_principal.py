"""The principal of a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from iam_access.arn import ACCOUNT_ID, ARN_COLONS, iam_arn
from iam_access.document.principal import SERVICE, WEB_PROVIDERS
from iam_access.text.printable import printable
from iam_access.text.strict_json import PlacedError

MAX_PRINCIPAL = 2048
_ARN = re.compile(r"arn:([A-Za-z0-9-]+):(iam|sts)::([0-9]+):(.+)", re.DOTALL)
_PATTERN = re.compile(r"[*?]")
_CANONICAL = re.compile(r"[0-9a-f]{64}")


class RequestError(PlacedError):
    """The request cannot be evaluated."""


class CallerKind(StrEnum):
    """What kind of principal makes a request."""

    ROOT = "root user"
    USER = "user"
    ROLE = "role"
    SESSION = "role session"
    FEDERATED_USER = "federated user"
    FEDERATED = "identity provider"
    SERVICE = "service"
    CANONICAL = "canonical user"
    ANONYMOUS = "anonymous"


class RequestPrincipal(Struct, frozen=True):
    """The principal of a request.

    `text` is its ARN, service name, provider or `*`; `account` is None if it has none; `name` is the name of a user,
    role or federated user without its path, and the role's for a session. `issuer` is the ARN of the user who created a
    federated user's session: requests do not show it, a comparison knows it.
    """

    kind: CallerKind
    text: str
    account: str | None = None
    partition: str = "aws"
    name: str = ""
    issuer: str = ""

    @property
    def root(self) -> str:
        """The root ARN of the principal's account, empty without one."""
        return iam_arn(self.account, "root", self.partition) if self.account else ""


ANONYMOUS = RequestPrincipal(CallerKind.ANONYMOUS, "*")


def is_service_linked_role(arn: str) -> bool:
    """Whether it is the ARN of a service-linked role; IAM reserves the path's beginning, and only that."""
    return arn.split(":", ARN_COLONS)[-1].startswith("role/aws-service-role/")


def is_identity_center_role(arn: str) -> bool:
    """Whether it is the ARN of a role that IAM Identity Center keeps for a permission set."""
    return arn.split(":", ARN_COLONS)[-1].startswith("role/aws-reserved/sso.amazonaws.com/")


def parse_request_principal(raw: object) -> RequestPrincipal:
    """Read an ARN, an account id (its root), a service, a provider or `*`; raises RequestError."""
    if not isinstance(raw, str):
        what = "missing" if raw is None else "not a string"
        raise RequestError("request-type", "principal", what, remedy="write an ARN, a service or *")
    return _parsed(raw)


def principal_named(text: str) -> RequestPrincipal | None:
    """The principal; None for a unique ID, and a wildcard that AWS would not take: nobody."""
    try:
        return _parsed(text)
    except RequestError:
        return None


@lru_cache(maxsize=65_536)
def _parsed(raw: str) -> RequestPrincipal:
    if len(raw) > MAX_PRINCIPAL:
        raise _not_a_principal(raw)
    if raw == ANONYMOUS.text:
        return ANONYMOUS
    if ACCOUNT_ID.fullmatch(raw):
        return RequestPrincipal(CallerKind.ROOT, iam_arn(raw, "root"), raw)
    if raw in WEB_PROVIDERS:
        return RequestPrincipal(CallerKind.FEDERATED, raw)
    if SERVICE.fullmatch(raw):
        return RequestPrincipal(CallerKind.SERVICE, raw)
    return RequestPrincipal(CallerKind.CANONICAL, raw) if _CANONICAL.fullmatch(raw) else _parse_arn(raw)


def _parse_arn(raw: str) -> RequestPrincipal:
    found = _ARN.fullmatch(raw)
    if not found:
        raise _not_a_principal(raw)
    partition, service, account, resource = found.groups()
    kind, _, rest = resource.partition("/")
    # IAM allows * and ? in the path of a user or role, where they stand for themselves.
    exact = rest.rpartition("/")[2] if kind in ("user", "role") else rest
    if _PATTERN.search(exact):
        raise _not_a_principal(raw)
    match service, kind, rest.split("/"):
        case "iam", "root", [""] if resource == "root":
            return RequestPrincipal(CallerKind.ROOT, raw, account, partition)
        case "iam", "user", [*_, str(name)] if name:
            return RequestPrincipal(CallerKind.USER, raw, account, partition, name)
        case "iam", "role", [*_, str(name)] if name:
            return RequestPrincipal(CallerKind.ROLE, raw, account, partition, name)
        case "sts", "assumed-role", [*_, str(name), str(session)] if name and session:
            return RequestPrincipal(CallerKind.SESSION, raw, account, partition, name)
        case "sts", "federated-user", [str(name)] if name:
            return RequestPrincipal(CallerKind.FEDERATED_USER, raw, account, partition, name)
        case "iam", "saml-provider" | "oidc-provider", [*_, str(name)] if name:
            return RequestPrincipal(CallerKind.FEDERATED, raw, account, partition, name)
        case _:
            raise _not_a_principal(raw)


def _not_a_principal(raw: str) -> RequestError:
    return RequestError(
        "request-principal",
        "principal",
        f'not a principal that makes requests: "{printable(raw)}"',
        remedy="write the ARN of a user, role, role session, federated user or root, a service, or *",
    )
