"""Bytes to a validated spec, or to everything that is wrong with it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_warden.model.desired import Mode
from ecr_warden.spec.accounts import build_accounts, build_organizations
from ecr_warden.spec.check_shape import Fields, check_shape
from ecr_warden.spec.compile import compile_spec
from ecr_warden.spec.cross_checks import cross_check
from ecr_warden.spec.fields import SPEC
from ecr_warden.spec.grants import build_repository
from ecr_warden.spec.literals import build_literal
from ecr_warden.spec.parse import parse_text
from ecr_warden.spec.principals import Directory
from ecr_warden.spec.problems import Code, Problem, Report, quote
from ecr_warden.spec.quotas import check_quotas
from ecr_warden.spec.spec import FORMAT_VERSION, Settings, Spec


@dataclass(frozen=True, slots=True)
class Valid:
    """A spec that may be compiled, and what is odd about it."""

    spec: Spec
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Invalid:
    """Every problem, errors and warnings, in the order of the file."""

    problems: tuple[Problem, ...]


type Loaded = Valid | Invalid


def load_spec(data: bytes, *, now: datetime | None = None) -> Loaded:
    """Read and check a spec in YAML or JSON; raises nothing, whatever the bytes are.

    `now` (aware) decides only whether an end is past, which is a warning; the machine's clock when not given.
    """
    report = Report()
    tree = parse_text(data, report)
    root = None if tree is None else check_shape(tree, SPEC, report)
    if not isinstance(root, Fields):
        return Invalid(report.sorted())
    spec = _build(root, report, now or datetime.now(UTC))
    return Invalid(report.sorted()) if report.failed else Valid(spec, report.sorted())


def _build(root: Fields, report: Report, now: datetime) -> Spec:
    version = root.text("version")
    if version is not None and version.text != str(FORMAT_VERSION):
        report.add(Code.VERSION, version.place, f"version {quote(version.text)} is not known")
    accounts = build_accounts(root, report)
    organizations = build_organizations(root, report)
    directory = Directory(accounts, report)
    directory.define_teams(root)
    repositories = tuple(build_repository(entry, directory, organizations, now) for entry in root.all("repositories"))
    literals = tuple(build_literal(entry, directory, now) for entry in root.all("documents"))
    settings = root.fields("settings")
    mode = settings.text("mode")
    spec = Spec(
        accounts=tuple(accounts.by_alias.values()),
        teams=directory.teams,
        repositories=tuple(entry for entry in repositories if entry is not None),
        literals=tuple(entry for entry in literals if entry is not None),
        settings=Settings(Mode.OBSERVE if mode is None else Mode(mode.text), settings.flag("exact")),
    )
    cross_check(spec, directory.places, report)
    if not report.failed:
        check_quotas(spec, compile_spec(spec, version=""), directory.places, report)
    return spec
