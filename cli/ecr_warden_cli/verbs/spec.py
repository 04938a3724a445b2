"""`validate` and `render`: the problems of a spec, and the documents that it defines."""

import argparse
import json
import shlex
from collections.abc import Sequence
from typing import Any

from ecr_warden.access_spec import Problem
from ecr_warden.access_spec.compile import identity_providers, written_by_hand
from ecr_warden.core.address import OUR_POLICY_PREFIX, Address, repository_policy
from ecr_warden.core.codec.values import to_json
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Extent, MustNotExist, RepositoryPattern, TargetSpec
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, Verb, argument
from ecr_warden_cli.terminal.inputs import SPEC, SpecInvalid, load_compiled, name_of, problem_to_json
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import count, cut


def _validate(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per problem. Warnings alone leave the spec valid."""
    file = name_of(arguments.spec)
    try:
        loaded = load_compiled(arguments.spec, context)
        valid, problems, sets = True, loaded.warnings, written_by_hand(loaded.spec)
    except SpecInvalid as error:
        valid, problems, sets = False, error.problems, {}
    if arguments.json:
        context.console.answer({"valid": valid, "problems": [problem_to_json(problem) for problem in problems]})
    else:
        for problem in problems:
            context.console.line(problem.at(file), Style.BAD if problem.is_error else Style.ODD)
        for name in sets:
            context.console.line(f"{name} needs an inline policy that ecr-warden cannot write:")
            context.console.block(f"  ecr-warden render {shlex.quote(file)} --only {shlex.quote(str(name))}")
        context.console.line(_last_line(file, valid, problems), None if valid else Style.HEADING)
    return Exit.FINE if valid else Exit.ERROR


def _last_line(file: str, valid: bool, problems: tuple[Problem, ...]) -> str:
    errors = sum(problem.is_error for problem in problems)
    counts = [(errors, "error"), (len(problems) - errors, "warning")]
    found = ", ".join(count(number, noun) for number, noun in counts if number)
    return f"{file}: {'valid' if valid else 'not valid'}" + (f" ({found})" if found else "")


def _no_such_address(text: str, addresses: Sequence[str]) -> Failure:
    """The error where no address of the spec contains the text."""
    words = {word for address in addresses for part in address.split() for word in (part, part.rpartition("/")[2])}
    return Failure(
        f'no address of the spec contains "{cut(text, 200)}"',
        remedy=f"{advice(nearest(text, sorted(words), most=3))}leave --only out to see all {len(addresses)}",
        code="no-such-address",
    )


def _render(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print each address with its document, role settings, or that it must not exist."""
    loaded = load_compiled(arguments.spec, context)
    compiled = loaded.compiled
    wanted = arguments.only.lower()
    sets = {f"inline policy of {name}": document for name, document in written_by_hand(loaded.spec).items()}
    providers = identity_providers(loaded.spec)
    addresses = [str(repository_policy(pattern.target)) for pattern in compiled.patterns]
    addresses += [str(address) for spec in compiled.targets.values() for address in spec.granted]
    addresses += [*sets, *providers]
    sets = {name: document for name, document in sets.items() if wanted in name.lower()}
    providers = tuple(arn for arn in providers if wanted in arn.lower())
    if wanted and not any(wanted in address.lower() for address in addresses):
        raise _no_such_address(arguments.only, addresses)
    if arguments.json:
        by_hand = [{"policy": name, "value": to_json(document)} for name, document in sets.items()]
        besides = {"byHand": by_hand, "identityProviders": list(providers)}
        context.console.answer(_to_json(compiled, wanted) | besides)
        return Exit.FINE
    _show_documents(context, compiled, wanted)
    for name, document in sets.items():
        context.console.block(f"# {name}", Style.HEADING)
        context.console.line("# not written by ecr-warden: add it to the permission set or the pods' role", Style.FAINT)
        _show_value(context, document)
    context.console.lines((f"# needed, and not created by ecr-warden: {arn}" for arn in providers), Style.FAINT)
    return Exit.FINE


def _to_json(compiled: CompiledSpec, wanted: str) -> dict[str, Any]:
    documents = [
        {"address": to_json(address), "value": to_json(value)}
        for spec in compiled.targets.values()
        for address, value in spec.documents.items()
        if wanted in str(address).lower()
    ]
    patterns = [
        {"pattern": str(pattern.target), "except": list(pattern.excluded), "value": to_json(pattern.policy)}
        for pattern in compiled.patterns
        if _is_wanted(pattern, wanted)
    ]
    return {"specVersion": compiled.version, "mode": compiled.mode, "documents": documents, "patterns": patterns}


def _show_documents(context: Context, compiled: CompiledSpec, wanted: str) -> None:
    for pattern in compiled.patterns:
        if _is_wanted(pattern, wanted):
            _show_pattern(context, compiled, pattern)
    for spec in compiled.targets.values():
        shown = [address for address in spec.granted if wanted in str(address).lower()]
        for address in shown:
            _show(context, compiled, spec, address)
        if shown and (rest := _rest(spec)):
            context.console.block(f"# {spec.target}: {rest}", Style.FAINT)
            context.console.line()


def _is_wanted(pattern: RepositoryPattern, wanted: str) -> bool:
    return wanted in str(repository_policy(pattern.target)).lower()


def _show_pattern(context: Context, compiled: CompiledSpec, pattern: RepositoryPattern) -> None:
    """The policy of every matching repository; only AWS knows which match."""
    context.console.block(f"# {repository_policy(pattern.target)}", Style.HEADING)
    but = f" except {', '.join(pattern.excluded)}" if pattern.excluded else ""
    context.console.line(f"# for every repository that matches{but}, now or later", Style.FAINT)
    _show_mode(context, compiled, pattern.target)
    _show_value(context, pattern.policy)


def _show_mode(context: Context, compiled: CompiledSpec, target: Target) -> None:
    if compiled.mode_of(target) is not compiled.overall_mode:
        context.console.line("# mode: observe: reported, never written", Style.FAINT)


def _show(context: Context, compiled: CompiledSpec, spec: TargetSpec, address: Address) -> None:
    console = context.console
    console.block(f"# {address}", Style.HEADING)
    _show_mode(context, compiled, spec.target)
    if roles := spec.widen_after.get(address):
        console.line(f"# written once {', '.join(map(str, roles))} is as the spec says", Style.FAINT)
    if address in spec.documents:
        _show_value(context, spec.documents[address])
    if address in spec.observed:
        console.line("# with the grants in mode observe, which are reported and never written:", Style.FAINT)
        _show_value(context, spec.observed[address])


def _show_value(context: Context, value: DesiredValue) -> None:
    console = context.console
    match value:
        case MustNotExist():
            console.line("must not exist")
        case _:
            # Unwraps the codec's {"document": ...} or {"role": ...}.
            (inner,) = (to_json(value) or {}).values()
            console.block(json.dumps(inner, indent=2))
    console.line()


def _rest(spec: TargetSpec) -> str:
    match spec.extent:
        case Extent.WHOLE if not isinstance(spec.target, RepositoryTarget):
            return "no other inline or attached policy"
        case Extent.OURS:
            return f"no other inline policy named {OUR_POLICY_PREFIX}*"
        case Extent.WHOLE | Extent.NAMED:
            return ""


VALIDATE = Verb(
    "ecr-warden validate examples/seed/access.yaml",
    (SPEC,),
    _validate,
)
RENDER = Verb(
    "ecr-warden render examples/seed/access.yaml --only trust-policy",
    (
        SPEC,
        argument("--only", metavar="TEXT", default="", help="only addresses that contain TEXT, ignoring case"),
    ),
    _render,
)
