"""Jobs with a token of an OpenID Connect issuer: read from a trust policy, and written as the spec says it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ecr_warden.access_spec.federation import GITHUB
from ecr_warden.access_spec.spec import Federated
from ecr_warden_cli.yaml_values import Value
from iam_access.document.document import Statement

# The subjects that access_spec/federation.py makes of an entry.
_BY_NAME = re.compile(r"repo:([^/@*]+)/([^/@:*]+):(ref:refs/heads/|ref:refs/tags/|environment:)(.+)", re.DOTALL)
_BY_ID = re.compile(r"repo:\*@([0-9]+)/\*@([0-9]+):(.+)", re.DOTALL)
_AUDIENCE = "sts.amazonaws.com"
_REFS = {"ref:refs/heads/": "branch", "ref:refs/tags/": "tag", "environment:": "environment"}


def read_federated(issuer: str, statement: Statement) -> Iterator[Federated]:
    """Whose tokens a statement on an issuer's provider accepts; whether grants say the same, the comparison decides."""
    claims: Mapping[str, tuple[str, ...]] = {key.lower(): values for _, key, values in statement.conditions}
    audiences, subjects, identifiers = (
        claims.get(f"{issuer}:{claim}".lower(), ()) for claim in ("aud", "sub", "repository_id")
    )
    for audience in audiences if len(audiences) == 1 else ():
        for several in _github(subjects) if issuer == GITHUB else ((subject,) for subject in subjects):
            yield Federated(issuer, audience, several, "".join(identifiers[:1]))


def _github(subjects: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The two forms of each job's subject: GitHub sends one with IDs for repositories made since 2026."""
    for subject in subjects:
        if found := _BY_NAME.fullmatch(subject):
            owner, name, kind, ref = found.groups()
            ids = (one for one in subjects if (other := _BY_ID.fullmatch(one)) and other[3] == kind + ref)
            named = f"repo:{owner}@*/{name}@*:{kind}{ref}"
            yield subject, named if named in subjects else next(ids, "")


def is_sayable(pusher: Federated) -> bool:
    """Whether an item of `by:` stands for exactly these tokens."""
    match federated_value(pusher):
        case {"github": str(name), **rest}:
            kind = next(kind for kind, field in _REFS.items() if field in rest)
            ref = f"{kind}{rest[_REFS[kind]]}"
            owner, _, repository = name.partition("/")
            ids = f"repo:*@{rest.get('owner_id')}/*@{rest.get('repository_id')}:{ref}"
            other = ids if pusher.repository_id else f"repo:{owner}@*/{repository}@*:{ref}"
            said = str(rest.get("repository_id", ""))
            return pusher == Federated(GITHUB, _AUDIENCE, (f"repo:{name}:{ref}", other), said)
        case _:
            return pusher.issuer != GITHUB and not pusher.repository_id


def federated_value(pusher: Federated) -> dict[str, Value]:
    """Such jobs as an item of `by:`."""
    found = _BY_NAME.fullmatch(pusher.subjects[0]) if pusher.issuer == GITHUB else None
    if found is None:
        return {"oidc": pusher.issuer, "audience": pusher.audience, "subject": pusher.subjects[0]}
    owner, name, kind, ref = found.groups()
    ids = _BY_ID.fullmatch(pusher.subjects[-1])
    known: dict[str, Value] = {"owner_id": int(ids[1]), "repository_id": int(ids[2])} if ids else {}
    return {"github": f"{owner}/{name}", **known, _REFS[kind]: ref}
