"""What an audit found, in words: by the policies that could be read."""

import re
from collections.abc import Iterable

from msgspec import Struct

from ecr_warden.audit.finding import ANYONE, Certainty, Finding, FindingGroup, FindingKind, Half, is_call
from ecr_warden.core.listing import Listing, listing
from iam_access.arn import parse_arn
from iam_access.gather import gather
from iam_access.text.printable import and_more
from iam_access.text.printable import listed as named

_PLACES_NAMED = 3
_OTHERS_NAMED = 3


class FindingCause(Struct, frozen=True):
    """Findings that the same change closes: `group`, the gravest of them, and whom else it lets in.

    The principals in `others` have the same access to the same places, as certainly.
    """

    group: FindingGroup
    others: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """How many findings it stands for."""
        return 1 + len(self.others)


def causes(groups: Iterable[FindingGroup]) -> tuple[FindingCause, ...]:
    """What people read as one, in the order of their first: whoever comes by the same statements to the same places."""

    def alike(number: int, group: FindingGroup) -> object:
        finding = group.finding
        said = (finding.kind, finding.certainty, finding.scope, group.accesses, group.places, group.left_out)
        return (*said, finding.change) if finding.change else number

    found = gather((alike(number, group), group) for number, group in enumerate(groups))
    return tuple(
        FindingCause(first, tuple(finding_group.finding.principal for finding_group in others))
        for first, *others in found.values()
    )


def details(group: FindingGroup, others: Iterable[str], after: str = "") -> Listing:
    """The way, the statements that decide, and the remedy, a line each.

    `others`: whom else they let in; `after`: the calls that may have opened it.
    """
    finding = group.finding
    lines = [f"through {who(arn)}" for arn in finding.chain[1:]]
    also = [*map(who, others)]
    lines += [f"so can {named(also, _OTHERS_NAMED)}"] if also else []
    lines += [f"if {condition}" for condition in finding.conditions]
    lines += [f"by API; docker lacks {' and '.join(finding.lacking)}"] if finding.lacking else []
    lines += [f"because {reason}" for reason in finding.because]
    lines += [f"after {after}"] if after else []
    lines += ["so it is now; a repair of the spec's documents, which waits, ends it"] if finding.ends_repaired else []
    lines += [f"remedy: {finding.remedy}"] if finding.remedy else []
    lines += [f"if it is intended: {finding.accept}"] if finding.accept else []
    return listing("line", lines)


def effect(group: FindingGroup, others: int = 0) -> str:
    """The same as `sentence`, without what the spec says of it: also true once it is over."""
    return sentence(group, others).removesuffix(": NOT IN SPEC").removesuffix(", and the spec gives it")


def sentence(group: FindingGroup, others: int = 0) -> str:
    """`arn:aws:iam::222222222222:role/shadow can push shop/checkout: NOT IN SPEC`; `others`: as many more can."""
    finding = group.finding
    more = f" {and_more(others)}" if others else ""
    somebody, certainty = f"{_organization(finding) or _somebody(finding)}{more}", finding.certainty
    certainty = Certainty.YES if certainty is Certainty.CONDITIONAL and _organization(finding) else certainty
    where, accesses = _places(group), " and ".join(dict.fromkeys(map(_deed, sorted(group.accesses, key=is_call))))
    half = _HALVES[finding.half]
    match finding.kind:
        case FindingKind.EXTRA:
            return f"{somebody} {_CAN[certainty]} {accesses} {where}{half}: NOT IN SPEC"
        case FindingKind.MISSING if not finding.principal:
            return f"{where}: {' and '.join(finding.because)}, and the spec gives access to it"
        case FindingKind.MISSING:
            return f"{somebody} {_CANNOT[certainty]} {accesses} {where}, and the spec gives it"
        case FindingKind.REGISTRY:
            what = f"{' and '.join(group.accesses)}{f' of {finding.scope}' if finding.scope else ''}"
            return f"registry policy of {where} gives {somebody} {what}{_UNLESS[certainty]}{half}: NOT IN SPEC"
        case FindingKind.REPLICATION:
            what = f"images of {finding.scope}" if finding.scope else "all images"
            return f"replication of {where} copies {what} to {somebody}: NOT IN SPEC"
        case FindingKind.TEMPLATE:
            new = f"{f'{finding.scope}, ' if finding.scope else ''}repositories that are created from now on"
            return f"creation template of {where}: {somebody} {_CAN[certainty]} {accesses} {new}{half}: NOT IN SPEC"
        case FindingKind.ADMINISTRATOR:
            can = f"{_CAN[certainty]} call {' and '.join(group.accesses)} there"
            return f"{somebody} became an administrator of {where}: {can}"
        case FindingKind.UPSTREAM:
            what = "all repositories without another" if finding.scope == "*" else finding.scope
            if finding.foreign:
                return f"{finding.principal} can push {what} by a pull-through cache rule in {where}: NOT IN SPEC"
            return f"pull-through cache rule in {where} is new: {what} from {finding.principal}"


_HALVES = {
    None: "",
    Half.ALONE: ", half of a pull",
    Half.OPEN: ", half of a pull",
    Half.COMPLETED: ", half of a pull of which others who are not ours have the rest",
}
_CAN = {
    Certainty.YES: "can",
    Certainty.CONDITIONAL: "can under conditions",
    Certainty.UNKNOWN: "may be able to",
}
_CANNOT = {**_CAN, Certainty.YES: "cannot"}
_UNLESS = {Certainty.YES: "", Certainty.CONDITIONAL: " under conditions", Certainty.UNKNOWN: ", or may not"}


def _somebody(finding: Finding) -> str:
    """The principal; of the tokens of an issuer those that the conditions ask for, which say which jobs these are."""
    of_issuer = f"{finding.principal.partition(_PROVIDER)[2]}:"
    whose = [one.removeprefix(of_issuer) for one in finding.conditions if one.startswith(f"{of_issuer}sub ")]
    return " whose ".join([who(finding.principal), *whose[:1]])


def _organization(finding: Finding) -> str:
    """The organization whose members a finding is about, if being one is all that it asks for."""
    found = _MEMBER.fullmatch("; ".join(finding.conditions)) if finding.principal == ANYONE else None
    return f"organization {found[1]}" if found else ""


_MEMBER = re.compile(r'aws:PrincipalOrgID is "(o-[a-z0-9]{10,32})"')


def _deed(access: str) -> str:
    return f"call {access} on" if is_call(access) else access


def _places(group: FindingGroup) -> str:
    names = [place_name(place) for place in group.places]
    if len({*names}) < len(names):
        names = [_in_full(place) for place in group.places]
    number = len(names) + group.left_out
    shown = named(names, _PLACES_NAMED, more=group.left_out)
    is_repositories = group.places[0].startswith("repository/")
    return f"{number} repositories ({shown})" if number > 1 and is_repositories else shown


def _in_full(place: str) -> str:
    """`shop/checkout of 222222222222 eu-central-1`."""
    _, account, region, name = place.split("/", 3)
    return f"{name} of {account} {region}"


def place_name(place: str) -> str:
    """`shop/checkout`, `222222222222 eu-central-1` of a registry, `222222222222` of an account."""
    return place.split("/", 3)[3] if place.startswith("repository/") else place.replace("/", " ")


def who(principal: str) -> str:
    """A user, role or session by its ARN; `account 999999999999`, `whoever has a token of gitlab.com`."""
    if issuer := principal.partition(_PROVIDER)[2]:
        return f"whoever has a token of {issuer}"
    arn = parse_arn(principal)
    if arn is None or arn.service not in ("iam", "sts"):
        return principal
    kind, _, name = arn.resource.partition("/")
    if arn.resource == "root":
        return f"account {arn.account}"
    return f"SAML provider {name} of {arn.account}" if kind == "saml-provider" else principal


_PROVIDER = ":oidc-provider/"
