"""Jobs with a token of an OpenID Connect issuer: read from a trust policy, and written as the spec says it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from ecr_warden.access_spec.federation import GITHUB
from ecr_warden.access_spec.spec import Federated
from ecr_warden_cli.terminal.yaml_values import Value
from iam_access.document.document import Document, Statement

# The subjects that access_spec/federation.py makes of an entry; in a statement of several repositories the ID of each
# is a `*` (access_spec/render.py).
_BY_NAME = re.compile(r"repo:([^/@*]+)/([^/@:*]+):(ref:refs/heads/|ref:refs/tags/|environment:)(.+)", re.DOTALL)
_BY_ID = re.compile(r"repo:([^/@*]+@[0-9]+)/\*@([0-9]+|\*):(.+)", re.DOTALL)
_AUDIENCE = "sts.amazonaws.com"
_REFS = {"ref:refs/heads/": "branch", "ref:refs/tags/": "tag", "environment:": "environment"}


def read_federated(issuer: str, statement: Statement) -> Iterator[Federated]:
    """Whose tokens a statement on an issuer's provider accepts; whether grants say the same, the comparison decides."""
    claims: Mapping[str, tuple[str, ...]] = {key.lower(): values for _, key, values in statement.conditions}
    audiences, subjects, identifiers = (
        claims.get(f"{issuer}:{claim}".lower(), ()) for claim in ("aud", "sub", "repository_id")
    )
    for audience in audiences if len(audiences) == 1 else ():
        if issuer == GITHUB:
            yield from _github(audience, subjects, identifiers)
        else:
            yield from (Federated(issuer, audience, (subject,), "".join(identifiers[:1])) for subject in subjects)


def _github(audience: str, subjects: Sequence[str], identifiers: Sequence[str]) -> Iterator[Federated]:
    """Each job with both forms of its subject: GitHub sends one with IDs for repositories made since 2026.

    Of several repositories, the n-th name is taken for that of the n-th ID.
    """
    by_name = {subject: found for subject in subjects if (found := _BY_NAME.fullmatch(subject))}
    repositories = dict(zip(dict.fromkeys(found.group(1, 2) for found in by_name.values()), cycle(identifiers)))
    for subject, found in by_name.items():
        owner, name, kind, ref = found.groups()
        repository = repositories.get((owner, name), "")
        patterns = filter(None, map(_BY_ID.fullmatch, subjects))
        owners = (one[1] for one in patterns if one[2] in ("*", repository) and one[3] == kind + ref)
        by_id = (f"repo:{one}/*@{repository}:{kind}{ref}" for one in owners)
        named = f"repo:{owner}@*/{name}@*:{kind}{ref}"
        other = named if named in subjects else next(by_id, "")
        yield Federated(GITHUB, audience, (subject, other), repository)


def names_repositories_together(trust: Document) -> bool:
    """Whether a statement names several GitHub repositories, so that it does not say which of them has which ID."""
    conditions = [clause for statement in trust.statements for clause in statement.conditions]
    return any(key.lower() == f"{GITHUB}:repository_id" and len(values) > 1 for _, key, values in conditions)


def is_sayable(pusher: Federated) -> bool:
    """Whether an item of `by:` stands for exactly these tokens."""
    match federated_value(pusher):
        case {"github": str(name), **rest}:
            kind = next(kind for kind, field in _REFS.items() if field in rest)
            ref = f"{kind}{rest[_REFS[kind]]}"
            owner, _, repository = name.partition("/")
            ids = f"repo:{owner}@{rest.get('owner_id')}/*@{rest.get('repository_id')}:{ref}"
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
    known: dict[str, Value] = {"owner_id": int(ids[1].partition("@")[2]), "repository_id": int(ids[2])} if ids else {}
    return {"github": f"{owner}/{name}", **known, _REFS[kind]: ref}
