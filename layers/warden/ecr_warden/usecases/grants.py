"""Who a spec lets in, as people read it: from the file itself, not from the documents that it stands for."""

from collections.abc import Iterator

from ecr_warden.model.reply import Access, Grant, GrantsReply
from ecr_warden.ports.specs import SpecUnusable
from ecr_warden.spec import Invalid, Spec, Valid, load_spec
from ecr_warden.spec.spec import Principal, Puller, Repository


def grants_of(version: str, data: bytes) -> GrantsReply:
    """The grants of an accepted version; raises SpecUnusable for one that this version of ecr-warden would refuse."""
    match load_spec(data):
        case Invalid(problems):
            message = f"version {version} of the spec is no longer valid: {problems[0].at('access.yaml')}"
            raise SpecUnusable(message, remedy="it stays in force as it was compiled; upload one that validates")
        case Valid(spec):
            return GrantsReply(version, tuple(_grants(spec)), tuple(_literals(spec)))


def _grants(spec: Spec) -> Iterator[Grant]:
    for repository in spec.repositories:
        yield from _of(repository)


def _of(repository: Repository) -> Iterator[Grant]:
    for target in repository.targets:
        name, excluded = str(target), repository.excluded
        for puller in repository.pull:
            yield Grant(Access.PULL, name, _who(puller), excluded=excluded)
            if puller in repository.importing:
                yield Grant(Access.IMPORT, name, _who(puller), excluded=excluded)
        for push in repository.push:
            for principal in push.by:
                for access in (Access.PUSH, Access.PULL) if push.pull else (Access.PUSH,):
                    yield Grant(access, name, principal.arn, str(push.role), push.until, excluded)


def _who(puller: Puller) -> str:
    return puller.arn if isinstance(puller, Principal) else str(puller)


def _literals(spec: Spec) -> Iterator[str]:
    for literal in spec.literals:
        yield from map(str, literal.addresses)
