"""The policies that have a say in a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policy-types
"""

from msgspec import Struct

from ecr_warden.policy.document import Document

type Levels = tuple[tuple[Document, ...], ...]
"""The documents attached to the organization's root, to each unit below it, and to the account."""


class Policies(Struct, frozen=True):
    """Those of the principal (identity, boundary, session, service control) and of the resource (the others).

    None and () mean that there is none: a role without `boundary` is not limited by one. A session's `identity` are
    its role's; a service or an anonymous principal has none of the principal's kinds.
    """

    identity: tuple[Document, ...] = ()
    resource: Document | None = None
    trust: Document | None = None
    boundary: Document | None = None
    session: Document | None = None
    service_control: Levels = ()
    resource_control: Levels = ()
