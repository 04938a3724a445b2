"""Whatever a newer spec opened is closed by going back to the older one."""

from collections.abc import Mapping
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address
from ecr_warden.core.observed import LiveValue, Present
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.versions.alerts import SpecAccepted
from local.testing.seed import CI, HOME
from tests import examples
from tests.usecases.pattern_world import settle
from tests.usecases.uploads import first, upload
from tests.usecases.world import World

HEAD = """
version: 1
accounts:
  ci: {id: "111111111111"}
  other: {id: "333333333333"}
  registry: {id: "222222222222", regions: [eu-central-1]}
settings: {mode: enforce}
repositories:
"""
NAMED = ("shop/a", "shop/b", "app/c")
EXISTING = (*NAMED, "shop/web/d", "app/e", "else")
PULLERS = ("ci:user/ann", "ci:user/bob", "{account: other}")


LIMITS = ("", "", ", until: 2099-01-01T00:00:00Z", ", until: 2099-02-01T00:00:00Z", ", source_ip: [203.0.113.0/24]")


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec that names some of the repositories, and some of the others by patterns."""
    own = draw(st.sets(st.sampled_from(NAMED)))
    entries = [_entry(draw, name, ()) for name in sorted(own)]
    for pattern in sorted(draw(st.sampled_from([(), ("shop/*",), ("app/*",), ("app/*", "shop/*"), ('"*"',)]))):
        covers = [name for name in own if name.startswith(pattern.strip('*"'))]
        spare = [name for name in EXISTING if name.startswith(pattern.strip('*"')) and name not in covers]
        entries.append(_entry(draw, pattern, sorted({*covers, *draw(st.sets(st.sampled_from(spare), max_size=1))})))
    return HEAD + "".join(entries) if entries else HEAD.replace("repositories:\n", "")


def _entry(draw: st.DrawFn, name: str, excluded: tuple[str, ...] | list[str]) -> str:
    pull = ", ".join(_limited(draw, who) for who in sorted(draw(st.sets(st.sampled_from(PULLERS)))))
    pushes = draw(st.booleans())
    until = draw(st.sampled_from(LIMITS))
    role = f"push-{''.join(filter(str.isalpha, name)) or 'all'}"
    push = f", push: [{{role: {role}, by: [ci:user/bob]{until}}}]" if pushes else ""
    but = f", except: [{', '.join(excluded)}]" if excluded else ""
    ends = draw(st.sampled_from(["", "", ", mode: observe"]))
    return f"  - {{name: {name}, account: registry, pull: [{pull}]{but}{push}{ends}}}\n"


def _limited(draw: st.DrawFn, who: str) -> str:
    limits = draw(st.sampled_from(LIMITS))
    if who.startswith("{"):
        return f"{who.removesuffix('}')}{limits}}}"
    return f"{{by: [{who}]{limits}}}" if limits else who


def settled(*texts: str) -> World:
    """The versions were accepted one after the other, and each was settled."""
    world = first(texts[0] + "# first\n")
    for user in ("ann", "bob"):
        world.documents.make(UserTarget(CI, user))
    for name in EXISTING:
        world.documents.make(RepositoryTarget(HOME, "eu-central-1", name))
    for number, text in enumerate(texts, 2):
        assert isinstance(upload(world, text, f"v{number}"), SpecAccepted)
        settle(world)
        settle(world)
    return world


def live(world: World) -> Mapping[Address, LiveValue]:
    """What is there, but for what denies the sessions that a version ended, which goes by itself."""
    return {
        address: seen.value
        for address, seen in world.documents.live.items()
        if isinstance(seen, Present) and address.name != DENY_OLDER_SESSIONS
    }


@cache
def alone(text: str) -> Mapping[Address, LiveValue]:
    return live(settled(text))


@examples.of(10, 25)
@given(before=specs(), after=specs())
def test_after_going_back_everything_is_as_before(before: str, after: str) -> None:
    before = before.replace(", mode: observe", "")  # what is observed keeps what it has, and its drift is reported
    assert live(settled(before, after, before)) == alone(before)
