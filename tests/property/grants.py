"""Random specs of grants, and what they say: who may do what, when and from where, read off what was drawn.

Shares no code with the spec's, and knows what it draws, no more. Who pushes does so in one way on one role, and who
pulls in one way from one repository, as the spec demands.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import NamedTuple

from hypothesis import strategies as st

CI, HOME, AWAY, PARTNER, REGION = "111111111111", "222222222222", "999999999999", "333333333333", "eu-central-1"
ORGANIZATION = "o-a1b2c3d4e5"
PULLERS = {
    "ann": "ci:user/ann",
    "build": "ci:role/build",
    "carl": "registry:user/carl",
    "dev": "{sso: {permission_set: Dev, account: ci}}",
    "ci": "{account: ci}",
    "acme": "{organization: acme}",
    "codebuild": "{service: codebuild.amazonaws.com, source: ci}",
}
NAMED = ("ann", "build", "carl")
PUSHERS = {
    **{who: PULLERS[who] for who in (*NAMED, "dev")},
    "shop": "{github: acme/shop, owner_id: 12, repository_id: 345, branch: main}",
    "other": "{github: acme/other, environment: prod}",
    "gitlab": '{oidc: gitlab.com, audience: ecr, subject: "project_path:acme/shop:ref_type:branch:ref:*"}',
}
# As people write them, and the same time as AWS shows it.
ENDS = {
    "2027-01-31T18:00:00Z": "2027-01-31T18:00:00Z",
    "2027-02-28T20:00:00+02:00": "2027-02-28T18:00:00Z",
    "2027-03-31T18:00Z": "2027-03-31T18:00:00Z",
}
NETWORKS = (("203.0.113.0/24",), ("203.0.113.0/24", "2001:db8::/32"), ("198.51.100.7",))
ADDRESSES = ("203.0.113.5", "203.0.114.5", "198.51.100.7", "198.51.100.8", "2001:db8::1", "2001:db9::1", None)
"""Of requests; None: through a VPC endpoint."""
TIMES = tuple(sorted(time for day in ENDS.values() for time in (f"{day[:10]}T17:59:59Z", day)))
REPOSITORIES = {"shop/a": "shop/a", "shop/b": "shop/b", '"app/*"': "app/x"}
"""As the spec names them, and a repository that it stands for."""
ROLES = {"one": ("shop/a",), "two": ("shop/b",), "three": ('"app/*"',), "shared": ("shop/a", "shop/b")}


class Limits(NamedTuple):
    """The end as it is written, empty for none, and the networks."""

    until: str
    networks: tuple[str, ...]

    def holds(self, time: str, address: str | None) -> bool:
        """At that time, from that address."""
        return (not self.until or time < ENDS[self.until]) and (not self.networks or _within(address, self.networks))

    @property
    def fields(self) -> str:
        until = f', until: "{self.until}"' if self.until else ""
        networks = ", ".join(f'"{one}"' for one in self.networks)
        return until + (f", source_ip: [{networks}]" if networks else "")


@cache
def _within(address: str | None, networks: tuple[str, ...]) -> bool:
    return address is not None and any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in networks)


class Grant(NamedTuple):
    """Who pulls from a repository, or pushes to it through a role, under limits; `repository` as the spec names it."""

    repository: str
    who: str
    limits: Limits
    role: str = ""


class Drawn(NamedTuple):
    """The grants; the mode of everything, of accounts and of repositories; the roles that also pull where they push."""

    grants: tuple[Grant, ...]
    mode: str
    modes: dict[str, str]
    pulling: frozenset[str]

    @property
    def enforced(self) -> tuple[Grant, ...]:
        """The grants of repositories that are enforced."""
        mode = {one: self.modes.get(one) or self.modes.get("registry") or self.mode for one in REPOSITORIES}
        return tuple(one for one in self.grants if mode[one.repository] == "enforce")

    @property
    def text(self) -> str:
        """The spec."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield "version: 1"
        yield f'organizations: {{acme: {{id: "{ORGANIZATION}"}}}}'
        yield "accounts:"
        yield f'  ci: {{id: "{CI}"{self._mode("ci")}}}'
        yield f'  registry: {{id: "{HOME}", regions: [{REGION}]{self._mode("registry")}}}'
        yield "repositories:"
        for name in REPOSITORIES:
            yield f"  - name: {name}"
            yield "    account: registry"
            if mode := self.modes.get(name):
                yield f"    mode: {mode}"
            here = [one for one in self.grants if one.repository == name]
            yield f"    pull: [{', '.join(self._pulls(one for one in here if not one.role))}]"
            yield f"    push: [{', '.join(self._pushes(one for one in here if one.role))}]"
        yield f"settings: {{mode: {self.mode}}}"

    def _mode(self, account: str) -> str:
        mode = self.modes.get(account)
        return f", mode: {mode}" if mode else ""

    def _pulls(self, grants: Iterable[Grant]) -> Iterator[str]:
        for limits, some in _by_limits(grants):
            for who in some:
                written = PULLERS[who]
                if who in NAMED:
                    yield f"{{by: [{written}]{limits.fields}}}" if limits.fields else written
                else:
                    yield f"{written.removesuffix('}')}{limits.fields}}}"

    def _pushes(self, grants: Iterable[Grant]) -> Iterator[str]:
        by_role = sorted(grants, key=lambda one: one.role)
        for role, of_role in groupby(by_role, key=lambda one: one.role):
            more = ", pull: true" if role in self.pulling else ""
            for limits, some in _by_limits(of_role):
                by = ", ".join(PUSHERS[who] for who in some)
                yield f"{{role: {role}, by: [{by}]{more}{limits.fields}}}"


def _by_limits(grants: Iterable[Grant]) -> Iterator[tuple[Limits, list[str]]]:
    for limits, some in groupby(sorted(grants, key=lambda one: one.limits), key=lambda one: one.limits):
        yield limits, [one.who for one in some]


_limits = st.builds(Limits, st.sampled_from(("", "", *ENDS)), st.sampled_from(((), (), *NETWORKS)))
_modes = st.sampled_from(("", "", "observe", "enforce"))


@st.composite
def specs(draw: st.DrawFn, *, pullers: Iterable[str] = PULLERS, pushers: Iterable[str] = PUSHERS) -> Drawn:
    """A spec of which some grants end, some are of some networks, and some are observed."""
    grants: list[Grant] = []
    for name in REPOSITORIES:
        for who in sorted(draw(st.sets(st.sampled_from(sorted(pullers)), max_size=4))):
            limits = draw(_limits)
            # A service calls from addresses of AWS, so the spec refuses its networks.
            grants.append(Grant(name, who, limits._replace(networks=()) if who == "codebuild" else limits))
    for role, names in ROLES.items():
        for who in sorted(draw(st.sets(st.sampled_from(sorted(pushers)), max_size=3))):
            limits = draw(_limits)
            to = draw(st.sets(st.sampled_from(names), min_size=1))
            grants += [Grant(name, who, limits, role) for name in sorted(to)]
    places = draw(st.sets(st.sampled_from(("ci", "registry", *REPOSITORIES)), max_size=2))
    modes = {place: mode for place in sorted(places) if (mode := draw(_modes))}
    pulling = draw(st.sets(st.sampled_from(sorted(ROLES)), max_size=2))
    return Drawn(tuple(grants), draw(st.sampled_from(("enforce", "enforce", "observe"))), modes, frozenset(pulling))
