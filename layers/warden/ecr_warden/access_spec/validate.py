"""Bytes to a validated and compiled spec, or to all its problems."""

from copy import replace
from datetime import UTC, datetime

from msgspec import Struct

from ecr_warden.access_spec.accounts import build_accounts, build_organizations
from ecr_warden.access_spec.also_allowed import build_also_allowed
from ecr_warden.access_spec.check_shape import Fields, check_shape
from ecr_warden.access_spec.compile import all_targets, compile_spec
from ecr_warden.access_spec.cross_checks import cross_check
from ecr_warden.access_spec.fields import SPEC
from ecr_warden.access_spec.grants import build_repository, with_named_roles
from ecr_warden.access_spec.literals import build_document, build_literal, check_own_calls
from ecr_warden.access_spec.nodes import Node
from ecr_warden.access_spec.parse import parse_text
from ecr_warden.access_spec.principals import Directory
from ecr_warden.access_spec.problems import Code, Problem, ProblemReport
from ecr_warden.access_spec.quotas import check_quotas
from ecr_warden.access_spec.spec import Spec, SpecRepository
from ecr_warden.core.desired import CompiledSpec, Mode
from iam_access.document.document import LITERAL_VERSION, VARIABLES_VERSION
from iam_access.document.kind import DocumentKind


class Valid(Struct, frozen=True):
    """A spec without errors, the documents that it stands for, and its warnings."""

    spec: Spec
    compiled: CompiledSpec
    warnings: tuple[Problem, ...] = ()
    text: str = ""
    """Where it is to be edited."""


class Invalid(Struct, frozen=True):
    """Every problem, errors and warnings, in the order of the spec."""

    problems: tuple[Problem, ...]


type Loaded = Valid | Invalid


def load_spec(data: bytes, *, version: str = "", now: datetime | None = None, accepted: bool = False) -> Loaded:
    """Read, check and compile a spec in YAML or JSON; never raises.

    `version`: of the compiled spec. `now` (aware) only decides whether an `until` has passed, which is a warning; by
    default the machine's clock. `accepted`: it was accepted, so what only a new version must not say is a warning.
    """
    report = ProblemReport(accepted)
    tree = parse_text(data, report)
    return Invalid(report.sorted()) if tree is None else load_tree(tree, report, version=version, now=now)


def load_tree(tree: Node, report: ProblemReport, *, version: str = "", now: datetime | None = None) -> Loaded:
    """As load_spec, of the tree that was parsed or made; `report`: with the problems so far."""
    root = check_shape(tree, SPEC, report)
    if not isinstance(root, Fields):
        return Invalid(report.sorted())
    directory = Directory(build_accounts(root, report), build_organizations(root, report), report)
    spec = _build(root, directory, now or datetime.now(UTC))
    cross_check(spec, directory.places, report)
    if report.has_errors:
        return Invalid(report.sorted())
    targets = all_targets(spec)
    compiled = compile_spec(spec, targets, version=version)
    of_patterns = (pattern.spec_of(pattern.target) for pattern in compiled.patterns)
    check_quotas(spec, (*targets.values(), *of_patterns), directory.places, report)
    return Invalid(report.sorted()) if report.has_errors else Valid(spec, compiled, report.sorted())


def _build(root: Fields, directory: Directory, now: datetime) -> Spec:
    directory.define_teams(root)
    entries = [_repository(entry, directory, now) for entry in with_named_roles(root.all("repositories"))]
    literals = tuple(build_literal(entry, directory) for entry in root.all("documents"))
    also_allowed = tuple(build_also_allowed(entry, directory, now) for entry in root.all("also_allowed"))
    mode = root.fields("settings").text("mode")
    return Spec(
        accounts=tuple(directory.accounts.by_alias.values()),
        teams=directory.teams,
        repositories=tuple(entry for entry in entries if entry is not None),
        literals=tuple(entry for entry in literals if entry is not None),
        mode=Mode.OBSERVE if mode is None else Mode(mode.text),
        also_allowed=tuple(entry for entry in also_allowed if entry is not None),
        organizations={known: alias for alias, known in directory.organizations.by_alias.items()},
    )


def _repository(entry: Fields, directory: Directory, now: datetime) -> SpecRepository | None:
    """One item of `repositories:`, with what its policy says besides its grants."""
    built, raw, report = build_repository(entry, directory, now), entry.raw("beside"), directory.report
    if raw is None:
        return built
    beside = build_document(raw, DocumentKind.RESOURCE, directory.accounts, report)
    if beside is not None and beside.version == LITERAL_VERSION and "${" in beside.text:
        report.add(
            Code.DOCUMENT,
            raw.place,
            f"a policy variable under Version {LITERAL_VERSION}",
            remedy=f"add Version: {VARIABLES_VERSION}, or write each ${{ as ${{$}}{{",
        )
    if beside is not None and built is not None and built.targets:
        check_own_calls(beside, built.targets[0].account, raw, report)
    return built and replace(built, beside=beside)
