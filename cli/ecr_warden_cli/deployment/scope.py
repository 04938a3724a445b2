"""Whom a new version of the spec changes and ecr-warden.yaml does not let ecr-warden write."""

from collections.abc import Iterable
from copy import replace
from itertools import chain
from pathlib import Path

from ecr_warden.core.desired import CompiledSpec, RepositoryPattern, TargetSpec
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.repair.write_scope import WriteScope, accounts_with_identities, scope_gap
from ecr_warden.versions.changes import changed_targets
from ecr_warden_cli.terminal.context import Context, Failure
from ecr_warden_cli.terminal.inputs import DEPLOYMENT_FILE


def gaps_here(
    old: CompiledSpec | None, new: CompiledSpec | None, context: Context
) -> tuple[ScopeGap | ScopeUnread, ...]:
    """By ecr-warden.yaml in the working directory, none without one; what is deployed, `apply` asks the hub."""
    if new is None or not Path(DEPLOYMENT_FILE).exists():
        return ()
    from ecr_warden_cli.deployment.file import load_deployment  # noqa: PLC0415 - whoever has no such file waits for none
    from ecr_warden_cli.deployment.stacks import lists_of  # noqa: PLC0415

    changed = {target.key: new.targets[target.key] for target in changed_targets(old, new) if target.key in new.targets}
    accounts = accounts_with_identities(spec.target for spec in changed.values())
    try:
        deployment = load_deployment(DEPLOYMENT_FILE, context)
    except Failure as error:
        return tuple(ScopeUnread(account, error.message) for account in accounts)
    naming: Iterable[TargetSpec | RepositoryPattern] = chain(new.targets.values(), new.patterns)
    arns = {named.key: arn for one in naming for arn, named in one.principals.items()}
    part = replace(new, targets=changed, patterns=())
    scopes = ((account, WriteScope(arns, lists_of(deployment, account))) for account in accounts)
    return tuple(gap for one, scope in scopes if (gap := scope_gap(part, (), one, scope)).uncovered)
