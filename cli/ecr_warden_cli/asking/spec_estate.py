"""Questions about access to a spec alone: the accounts as they would be with its documents and nothing else."""

import argparse
from collections.abc import Iterable, Iterator
from copy import replace

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid
from ecr_warden.audit.spec_access import desired_estate
from ecr_warden.core.desired import CompiledSpec, Extent, TargetSpec
from ecr_warden.core.estate import Estate
from ecr_warden.core.naming import meant
from ecr_warden.core.selection import is_pattern
from ecr_warden.core.target import RepositoryTarget, target_named
from ecr_warden_cli.asking.estate_input import OpenedEstate, ReadFrom, open_estate, source_of
from ecr_warden_cli.asking.naming import in_full
from ecr_warden_cli.terminal.context import Context
from ecr_warden_cli.terminal.inputs import load_compiled, name_of

SPEC_ALONE = "no account was read: this is what the spec gives; to ask the policies, add --profile or --snapshot"


class _SpecGraph(RepositoryGraph):
    """The documents of a spec: nothing was to be read besides."""

    is_whole = True


def open_spec_or_estate(arguments: argparse.Namespace, about: str, context: Context, *, who: str = "") -> OpenedEstate:
    """The estate that the arguments name, or what a spec describes where they name no other place; raises Failure.

    `about`: the repository that is asked about, or a pattern; patterns of the spec are repositories of that name.
    `who`: whose access is asked about; a user or role in an account of the spec that it does not name has no policy.
    """
    if source_of(arguments) is not ReadFrom.SPEC or arguments.profile:
        return open_estate(arguments, context)
    spec = load_compiled(arguments.spec, context, accepted=True)
    targets = dict.fromkeys(_targets(spec.compiled, in_full(about, spec.spec.ids)))
    empty = Estate(context.clock.now(), {})
    known = [identity.arn for identity in desired_estate(spec.compiled, empty, ()).identities()]
    estate = desired_estate(_naming(meant(who, spec.spec.ids, known), spec), empty, targets)
    return OpenedEstate(_SpecGraph(estate), spec, spec.spec.ids, file=name_of(arguments.spec), is_spec_alone=True)


def _targets(compiled: CompiledSpec, about: str) -> Iterator[RepositoryTarget]:
    """The repositories of a spec, its patterns, and a repository that one of them covers."""
    yield from (one.target for one in compiled.targets.values() if isinstance(one.target, RepositoryTarget))
    for pattern in compiled.patterns:
        yield pattern.target
        name = about.removeprefix(f"{pattern.account}/{pattern.region}/")
        one = RepositoryTarget(pattern.account, pattern.region, name)
        if not is_pattern(name) and pattern.covers(one):
            yield one


def _naming(arns: Iterable[str], spec: Valid) -> CompiledSpec:
    """The spec with these users and roles in it, where its accounts may have them."""
    compiled = spec.compiled
    named = {arn: target for arn in arns if (target := target_named(arn)) is not None}
    more = {
        target.key: TargetSpec(target, Extent.NAMED, {}, principals={arn: target})
        for arn, target in named.items()
        if target.account in compiled.accounts and target.key not in compiled.targets
    }
    return replace(compiled, targets={**compiled.targets, **more})
