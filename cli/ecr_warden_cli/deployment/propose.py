"""What `init` proposes to deploy, by what was read of the accounts, as the text of ecr-warden.yaml."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ecr_warden.access_spec import Valid
from ecr_warden.collect.wire import WireState
from ecr_warden.collect.wiring import SeenWire
from ecr_warden.collect.wiring_verdicts import serving_trails, trail_wire
from ecr_warden.core.estate import EcrAccount, Estate, target_of
from ecr_warden.core.naming import spelled
from ecr_warden.core.own_access import Writes
from ecr_warden.core.value import Value
from ecr_warden.notify.wire_texts import sentence
from ecr_warden.repair.write_scope import ROLE_LIST, WriteScope, scope_gap
from ecr_warden_cli.deployment.fields import FORMAT_VERSION, OWNER
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.yaml_values import Value as YamlValue
from ecr_warden_cli.terminal.yaml_values import block, comment
from iam_access.gather import gather
from iam_access.text.printable import cut, listed

_HEAD = (
    "What ecr-warden deploys, and where; written by ecr-warden init. ecr-warden deploy makes it so: it shows what it "
    "would do, and asks.",
    "docs/schema/deployment.schema.json has every field. Profiles are none of them: they differ by person.",
)
_WRITES = (
    "writes: what ecr-warden may write there (none; identities, inline policies of the owners; all, also repository "
    "policies and push roles). Nothing is written while the spec says mode: observe.",
    "Whoever may write the spec administers the owners: leave out who administers anything else.",
)
_SILENT = "Nobody is informed yet. alerts: {email: team@example.com}, or {webhook: ssm:/NAME} for a chat."
_MORE = (
    "Further fields: schedule: rate(1 hour) (by default every 15 minutes up to 20 accounts, hourly above); "
    "assume_role: ROLE, for whoever deploys; role_boundary: POLICY, where your company demands one on roles; "
    "tags: {team: platform}, of every stack."
)
_ORGANIZATION = (
    "With organization: {{id: {}}} any account of yours may send events, and more than 120 can be members; with "
    "account: and units: besides, one stack makes all accounts of some units members."
)
_CREATE = (
    "To have one: aws cloudtrail create-trail --name NAME --is-multi-region-trail --s3-bucket-name BUCKET, then aws "
    "cloudtrail start-logging --name NAME, in that account; or one for the organization, in its management account. "
    "docs/deploy.md#the-trail says what it must report."
)


class SeenTrail(Value, frozen=True):
    """Who reports the changes of a region."""

    account: str
    region: str
    state: WireState
    message: str
    by: str = ""
    """The trail that does; "" if there is none, or nobody could look."""

    @classmethod
    def of(cls, account: str, region: str, seen: SeenWire) -> "SeenTrail":
        """The judgement on what was read, which is the sweep's own."""
        wire = trail_wire(seen, region)
        serves = serving_trails(seen.found, region) if seen.found and wire.state is WireState.ON else ()
        by = next(map(_called, serves), "")
        message = f"{by} reports the changes" if by else sentence(wire)
        return cls(account, region, wire.state, message, by)

    @property
    def exit(self) -> Exit:
        """ERROR if nobody could look, DIFFERENT if there is none."""
        if self.state is WireState.UNREADABLE:
            return Exit.ERROR
        return Exit.FINE if self.by else Exit.DIFFERENT


def _called(trail: Mapping[str, object]) -> str:
    kind = "the organization's trail" if trail["organization"] else "the trail"
    unknown = "" if "selectors" in trail else " (only the management account can see which events it selects)"
    return f"{kind} {cut(str(trail['name']).rpartition('/')[2], 128)}{unknown}"


def trail_lines(trails: Sequence[SeenTrail]) -> Iterator[str]:
    """Which trail reports what, where none does, and how to have one."""
    places = gather((trail.by, f"{trail.account} in {trail.region}") for trail in trails)
    yield from (f"{by} reports the changes of {listed(some, 10)}" for by, some in places.items() if by)
    yield from (trail.message for trail in trails if not trail.by)
    yield from [_CREATE] if "" in places else []


class Proposed(Struct, frozen=True):
    """A member, and what is to be said of it."""

    member: MemberAccount
    remarks: tuple[str, ...] = ()


def propose_members(spec: Valid, estate: Estate) -> tuple[Proposed, ...]:
    """The accounts of the spec as members, with whom the spec makes ecr-warden write; at most what it needs."""
    return tuple(
        _proposed(account.alias, account.regions, estate.accounts[account.id], spec) for account in spec.spec.accounts
    )


def _proposed(alias: str, regions: tuple[str, ...], account: EcrAccount, spec: Valid) -> Proposed:
    arns = {target_of(one).key: one.arn for one in account.identities.values()}
    gap = scope_gap(spec.compiled, (), account.id, WriteScope(arns, None))
    fitting = [arn for arn in gap.uncovered if arn not in gap.without_room and re.fullmatch(OWNER, _name(arn))]
    roles = [arn for arn in fitting if arn in gap.parameters.get(ROLE_LIST, "").split(",")]
    owners = tuple(_name(arn) for arn in fitting if arn not in roles)
    remarks = [
        f"no owner, for want of room or because of its name: {spelled(arn, {account.id: alias})}"
        for arn in gap.uncovered
        if arn not in fitting
    ]
    remarks += [f"{path}/* would be the same today, and covers whoever comes there" for path in _paths(owners, arns)]
    is_whole = account.is_listed and all(registry.is_listed for registry in account.registries.values())
    remarks += [] if is_whole else ["not all of it could be read, so regions, writes and owners may lack something"]
    writes = Writes.ALL if regions else Writes.IDENTITIES
    return Proposed(MemberAccount(alias, account.id, regions, writes, owners, tuple(map(_name, roles))), tuple(remarks))


def _name(arn: str) -> str:
    """Such as `user/ci/bot`."""
    return arn.split(":", 5)[5]


def _paths(owners: Sequence[str], arns: Mapping[str, str]) -> Iterator[str]:
    """The IAM paths in which everybody is an owner."""
    everybody = list(map(_name, arns.values()))
    for path in sorted({owner.rpartition("/")[0] for owner in owners if owner.count("/") > 1}):
        if all(one in owners for one in everybody if one.startswith(f"{path}/")):
            yield path


def deployment_text(
    deployment: Deployment, members: Sequence[Proposed], trails: Sequence[SeenTrail], organization: str
) -> str:
    """The file. `organization`: the ID of the one in which all accounts are, "" if that is not known."""
    lines = [line for text in _HEAD for line in comment(text)]
    lines += block({"version": FORMAT_VERSION})
    aliases = {member.id: member.alias for member in deployment.members}
    hub = aliases.get(deployment.hub_account, deployment.hub_account)
    lines += block({"hub": {"account": hub, "region": deployment.hub_region}})
    lines += ["", *(line for text in _WRITES for line in comment(text)), "accounts:"]
    for one in members:
        lines += [line for text in one.remarks for line in comment(text, 2)]
        member = one.member
        value = _given(
            id=member.id, regions=member.regions, writes=str(member.writes), owners=member.owners, roles=member.roles
        )
        lines += block({member.alias: value}, 2)
    channels = _given(email=deployment.email, **deployment.secrets)
    lines += ["", *(block({"alerts": channels}) if channels else comment(_SILENT))]
    lines += block({"assume_role": deployment.assume_role}) if deployment.assume_role else ()
    lines += ["", *comment(_MORE), *comment(_ORGANIZATION.format(organization or "o-..."))]
    lines += ["", *comment("Who reports changes to ecr-warden:")]
    lines += [line for text in trail_lines(trails) for line in comment(f"- {spelled(text, aliases)}")]
    return "\n".join(lines) + "\n"


def _given(**fields: YamlValue) -> dict[str, YamlValue]:
    return {name: value for name, value in fields.items() if value}
