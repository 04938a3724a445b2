"""The grants of a spec, for each repository in each of its regions."""

from collections.abc import Iterator

from ecr_warden.access_spec.spec import Limits, Puller, Pusher, Spec, SpecRepository
from ecr_warden_cli.report.grant import Grant, GrantedAccess


def grants_of(spec: Spec) -> tuple[Grant, ...]:
    """The grants of a spec, for each repository in each of its regions."""
    return tuple(grant for repository in spec.repositories for grant in _grants_in(repository))


def _grants_in(repository: SpecRepository) -> Iterator[Grant]:
    for target in repository.targets:
        name, excluded = str(target), repository.excluded
        for pull in repository.pull:
            for access in (GrantedAccess.PULL, GrantedAccess.IMPORT) if pull.importing else (GrantedAccess.PULL,):
                who = _who(pull.puller, pull.limits)
                yield Grant(access, name, who, until=pull.limits.until, excluded=excluded)
        for push in repository.push:
            for pusher in push.by:
                for access in (GrantedAccess.PUSH, GrantedAccess.PULL) if push.pull else (GrantedAccess.PUSH,):
                    who = _who(pusher, push.limits)
                    yield Grant(access, name, who, str(push.role), push.limits.until, excluded)


def _who(one: Puller | Pusher, limits: Limits) -> str:
    return f"{one} from {', '.join(limits.source_ip)}" if limits.source_ip else str(one)
