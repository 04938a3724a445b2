"""What ecr-warden.yaml says to a new version of the spec: whom ecr-warden may not write, and how much may go."""

from collections.abc import Iterable
from copy import replace
from itertools import chain
from pathlib import Path

from ecr_warden.core.desired import CompiledSpec, RepositoryPattern, TargetSpec
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.repair.write_scope import WriteScope, accounts_with_identities, scope_gap
from ecr_warden.versions.changes import changed_targets
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.terminal.context import Context, Failure
from ecr_warden_cli.terminal.inputs import DEPLOYMENT_FILE

type Here = Deployment | Failure | None


def deployment_here(context: Context) -> Here:
    """What ecr-warden.yaml in the working directory says, why it cannot be used, None without one."""
    if not Path(DEPLOYMENT_FILE).exists():
        return None
    from ecr_warden_cli.deployment.file import load_deployment  # noqa: PLC0415 - whoever has no such file waits for none

    try:
        return load_deployment(DEPLOYMENT_FILE, context)
    except Failure as error:
        return error


def gaps_by(deployment: Here, old: CompiledSpec | None, new: CompiledSpec | None) -> tuple[ScopeGap | ScopeUnread, ...]:
    """Whom it does not let ecr-warden write, nobody without one; what is deployed, `apply` asks the hub."""
    if new is None or deployment is None:
        return ()
    from ecr_warden_cli.deployment.stacks import lists_of  # noqa: PLC0415 - whoever has no such file waits for none

    changed = {target.key: new.targets[target.key] for target in changed_targets(old, new) if target.key in new.targets}
    accounts = accounts_with_identities(spec.target for spec in changed.values())
    if isinstance(deployment, Failure):
        return tuple(ScopeUnread(account, deployment.message) for account in accounts)
    naming: Iterable[TargetSpec | RepositoryPattern] = chain(new.targets.values(), new.patterns)
    arns = {named.key: arn for one in naming for arn, named in one.principals.items()}
    part = replace(new, targets=changed, patterns=())
    scopes = ((account, WriteScope(arns, lists_of(deployment, account))) for account in accounts)
    return tuple(gap for one, scope in scopes if (gap := scope_gap(part, (), one, scope)).uncovered)


def limit_by(deployment: Here) -> tuple[int | None, str]:
    """How many grants versions may remove, None for a share; and why it may be fewer, or ""."""
    if isinstance(deployment, Deployment):
        return deployment.max_removed, ""
    why = f"no {DEPLOYMENT_FILE} here" if deployment is None else deployment.message
    return None, f"{why}: the hub may let versions remove less than by default (MaxRemoved)"
