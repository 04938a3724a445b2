"""What people read of an audit: who can, which way, why, and what closes it."""

from copy import replace

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Certainty, Finding, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import causes, details, place_name, sentence, who
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.result import Severity
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.kinds.audits import shorter
from tests.unit.notify.reports import CI, EVENT, HOME, NOW, REPOSITORY, SWEEP, report, repository_drift

PLACE = str(REPOSITORY)
SHADOW, MALLORY = f"arn:aws:iam::{HOME}:role/team/shadow-pusher", "arn:aws:iam::999999999999:user/mallory"
ALLOWS = "statement 1 of identity policy p of role/team/shadow-pusher allows ecr:*"
FINDING = Finding(
    FindingKind.EXTRA,
    PLACE,
    "push",
    MALLORY,
    (MALLORY, SHADOW),
    because=("statement 1 of trust policy of shadow-pusher allows sts:AssumeRole", ALLOWS),
    remedy="remove statement 1 of the trust policy of shadow-pusher: whoever may change roles of 222222222222 can",
    foreign=True,
)
GROUP = FindingGroup(FINDING, ("pull", "push"), (PLACE,), NOW)


def audited(*groups: FindingGroup, ended: tuple[FindingGroup, ...] = (), **more: object) -> AccessAudited:
    return AccessAudited(EVENT, "v2", groups, ended, **more)  # type: ignore[arg-type]


SENTENCES = {
    FindingKind.EXTRA: "user mallory of 999999999999 can pull shop/checkout: NOT IN SPEC",
    FindingKind.MISSING: "user mallory of 999999999999 cannot pull shop/checkout, and the spec gives it",
    FindingKind.REGISTRY: (
        "registry policy of 222222222222 eu-central-1 gives user mallory of 999999999999 pull of team/*: NOT IN SPEC"
    ),
    FindingKind.REPLICATION: (
        "replication of 222222222222 eu-central-1 copies images of team/* to account 999999999999 in eu-west-1: "
        "NOT IN SPEC"
    ),
    FindingKind.TEMPLATE: (
        "creation template of 222222222222 eu-central-1: user mallory of 999999999999 can pull team/*, "
        "repositories that are created from now on: NOT IN SPEC"
    ),
    FindingKind.ADMINISTRATOR: (
        "user mallory of 999999999999 became an administrator of 222222222222: can call iam:PutUserPolicy there"
    ),
    FindingKind.UPSTREAM: "pull-through cache rule in 222222222222 eu-central-1 is new: team/* from docker.io",
}
WHERE = {FindingKind.EXTRA: PLACE, FindingKind.MISSING: PLACE, FindingKind.ADMINISTRATOR: HOME}
WHOM = {FindingKind.REPLICATION: "account 999999999999 in eu-west-1", FindingKind.UPSTREAM: "docker.io"}


@pytest.mark.parametrize("kind", FindingKind)
def test_each_kind_has_its_sentence(kind: FindingKind) -> None:
    place = WHERE.get(kind, f"{HOME}/eu-central-1")
    scope = "team/*" if kind not in WHERE else ""
    access = "iam:PutUserPolicy" if kind is FindingKind.ADMINISTRATOR else "pull"
    finding = Finding(kind, place, access, WHOM.get(kind, MALLORY), foreign=True, scope=scope)
    assert sentence(FindingGroup(finding, (access,), (place,), NOW)) == SENTENCES[kind]


def test_a_repository_that_does_not_exist_is_nobodys() -> None:
    gone = Finding(FindingKind.MISSING, PLACE, because=("the repository does not exist",))
    assert sentence(FindingGroup(gone, ("",), (PLACE,), NOW)) == (
        "shop/checkout: the repository does not exist, and the spec gives access to it"
    )


def test_a_finding_about_a_whole_registry_says_so() -> None:
    place = f"{HOME}/eu-central-1"
    for kind, words in {
        FindingKind.REGISTRY: "gives user mallory of 999999999999 pull: NOT IN SPEC",
        FindingKind.REPLICATION: "copies all images to user mallory of 999999999999: NOT IN SPEC",
    }.items():
        assert words in sentence(FindingGroup(Finding(kind, place, "pull", MALLORY), ("pull",), (place,), NOW))


CERTAINTIES = {
    (FindingKind.REGISTRY, Certainty.CONDITIONAL): "pull under conditions: NOT IN SPEC",
    (FindingKind.REGISTRY, Certainty.UNKNOWN): "pull, or may not: NOT IN SPEC",
    (FindingKind.EXTRA, Certainty.CONDITIONAL): "can under conditions pull",
    (FindingKind.EXTRA, Certainty.UNKNOWN): "may or may not be able to pull",
    (FindingKind.MISSING, Certainty.CONDITIONAL): "can under conditions pull",
    (FindingKind.MISSING, Certainty.UNKNOWN): "may or may not be able to pull",
}


@pytest.mark.parametrize(("kind", "certainty"), CERTAINTIES)
def test_what_is_not_certain_is_marked_as_such(kind: FindingKind, certainty: Certainty) -> None:
    finding = replace(FINDING, kind=kind, certainty=certainty)
    assert CERTAINTIES[kind, certainty] in sentence(FindingGroup(finding, ("pull",), (PLACE,), NOW))


def test_one_principal_over_many_repositories_is_one_line_that_counts_them() -> None:
    places = tuple(f"repository/{HOME}/eu-central-1/shop/r{number}" for number in range(5))
    group = FindingGroup(FINDING, ("push", "ecr:DeleteRepository"), places, NOW, left_out=95)
    assert sentence(group) == (
        "user mallory of 999999999999 can push and call ecr:DeleteRepository on 100 repositories (shop/r0, shop/r1, "
        "shop/r2 and 97 more): NOT IN SPEC"
    )


ELSEWHERE = PLACE.replace("shop/checkout", "shop/cart")
LETS_IN = replace(GROUP, finding=replace(FINDING, remedy="remove statement 1", accept="name him"), accesses=("pull",))


def _lets_in(principal: str) -> FindingGroup:
    """Another whom the same statement lets in."""
    return replace(LETS_IN, finding=replace(LETS_IN.finding, principal=principal, accept=f"name {principal}"))


ANOTHER = _lets_in(SHADOW)


def _with(finding: Finding) -> FindingGroup:
    return replace(ANOTHER, finding=finding)


# name: another finding beside LETS_IN, and how many are read as one
CAUSES: dict[str, tuple[FindingGroup, list[int]]] = {
    "another principal by the same statement": (ANOTHER, [2]),
    "one who comes by it from elsewhere": (_with(replace(ANOTHER.finding, foreign=False, because=(ALLOWS,))), [2]),
    "by another statement": (
        _with(replace(ANOTHER.finding, remedy="remove statement 2")),
        [1, 1],
    ),
    "to another repository": (replace(ANOTHER, places=(ELSEWHERE,)), [1, 1]),
    "to push too": (replace(ANOTHER, accesses=("pull", "push")), [1, 1]),
    "under conditions": (_with(replace(ANOTHER.finding, certainty=Certainty.CONDITIONAL)), [1, 1]),
    "with nothing to remove": (_with(replace(ANOTHER.finding, remedy="")), [1, 1]),
    "of another kind": (_with(replace(ANOTHER.finding, kind=FindingKind.TEMPLATE)), [1, 1]),
}


@pytest.mark.parametrize("name", CAUSES)
def test_whoever_comes_by_the_same_statements_to_the_same_places_is_one_entry(name: str) -> None:
    other, numbers = CAUSES[name]
    found = causes([LETS_IN, other])
    assert [cause.number for cause in found] == numbers
    assert found[0].group == LETS_IN
    assert found[-1].others == ((other.finding.principal,) if numbers == [2] else ())


def test_findings_without_anything_to_remove_stay_apart() -> None:
    gone = replace(LETS_IN, finding=replace(FINDING, kind=FindingKind.MISSING, remedy="create it"))
    assert [cause.number for cause in causes([gone, gone])] == [1, 1]


def test_an_entry_counts_the_others_and_names_some() -> None:
    others = [f"arn:aws:iam::{CI}:user/u{number}" for number in range(19)]
    [cause] = causes([LETS_IN, *map(_lets_in, others)])
    assert sentence(cause.group, len(cause.others)) == (
        "user mallory of 999999999999 and 19 more can pull shop/checkout: NOT IN SPEC"
    )
    assert [entry.text for entry in details(cause.group, cause.others).entries][:2] == [
        "through role shadow-pusher of 222222222222",
        "so can user u0 of 111111111111, user u1 of 111111111111, user u2 of 111111111111 and 16 more",
    ]


NAMES = {
    SHADOW: "role shadow-pusher of 222222222222",
    f"arn:aws:sts::{CI}:assumed-role/Admin/alice": "session Admin/alice of 111111111111",
    "arn:aws:iam::999999999999:root": "account 999999999999",
    f"arn:aws:iam::{HOME}:oidc-provider/git.acme.com/id/a": "whoever has a token of git.acme.com/id/a",
    "anyone on the internet with an AWS account": "anyone on the internet with an AWS account",
    "arn:aws:s3:::bucket": "arn:aws:s3:::bucket",
}


@pytest.mark.parametrize("principal", NAMES)
def test_principals_by_kind_and_name(principal: str) -> None:
    assert who(principal) == NAMES[principal]


GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/{GITHUB}"
SUBJECT = 'sub is "repo:acme/shop:ref:refs/heads/main"'
TOKENS: dict[str, tuple[Finding, str]] = {
    "jobs that lack what the spec gives": (
        replace(FINDING, kind=FindingKind.MISSING, principal=PROVIDER, conditions=(f"{GITHUB}:{SUBJECT}",)),
        f"whoever has a token of {GITHUB} whose {SUBJECT} cannot pull and push shop/checkout, and the spec gives it",
    ),
    "jobs that the spec does not name": (
        replace(FINDING, principal=f"whoever has a token of {PROVIDER}", conditions=(f"{GITHUB}:{SUBJECT}",)),
        f"whoever has a token of {GITHUB} whose {SUBJECT} can pull and push shop/checkout: NOT IN SPEC",
    ),
    "whichever jobs": (
        replace(FINDING, principal=f"whoever has a token of {PROVIDER}", conditions=('aws:x is "1"',)),
        f"whoever has a token of {GITHUB} can pull and push shop/checkout: NOT IN SPEC",
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_are_named_by_their_issuer_and_their_subject(name: str) -> None:
    finding, expected = TOKENS[name]
    assert sentence(replace(GROUP, finding=finding)) == expected


def test_repositories_of_one_name_are_told_apart() -> None:
    places = (PLACE, PLACE.replace("eu-central-1", "us-east-1"))
    assert sentence(replace(GROUP, places=places)) == (
        "user mallory of 999999999999 can pull and push 2 repositories (shop/checkout of 222222222222 eu-central-1, "
        "shop/checkout of 222222222222 us-east-1): NOT IN SPEC"
    )


def test_places_by_their_names() -> None:
    assert [place_name(place) for place in (PLACE, f"{HOME}/eu-central-1", HOME)] == [
        *("shop/checkout", "222222222222 eu-central-1", "222222222222")
    ]


def test_outside_text_is_escaped_everywhere() -> None:
    evil = replace(FINDING, principal="<!channel> *x*\n\x1b[31m", because=("<@U1>\u202e",), chain=())
    message = message_of([audited(replace(GROUP, finding=evil))])
    assert "\n" not in message.title and "\x1b" not in message.title
    chat, mail = str(to_slack(message)), to_email(message)[1]
    assert "<!channel>" not in chat and "<@U1>" not in chat
    assert "\x1b" not in mail and "\u202e" not in mail


def test_a_shorter_form_counts_what_it_leaves_out_and_stays_as_severe() -> None:
    groups = (GROUP, *(replace(GROUP, finding=replace(FINDING, foreign=False, access=f"a{n}")) for n in range(300)))
    alert = AccessAudited(SWEEP, "v2", groups, groups[:5], left_out=(1, 2), unread=("x",) * 200, unread_left_out=4)
    few = shorter(alert, groups=20, places=5)
    assert (len(few.appeared), len(few.ended), few.left_out) == (20, 5, (282, 2))
    assert (len(few.unread), few.unread_left_out) == (20, 184)
    assert message_of([few]).severity is message_of([alert]).severity is Severity.CRITICAL
    assert message_of([few]).title == message_of([alert]).title


def test_many_places_are_cut_and_counted() -> None:
    places = tuple(f"repository/{HOME}/eu-central-1/r{number}" for number in range(5000))
    alert = audited(FindingGroup(FINDING, ("pull",), places, NOW))
    [few] = shorter(alert, groups=20, places=5).appeared
    assert (len(few.places), few.left_out) == (5, 4995)
    assert message_of([shorter(alert, groups=20, places=5)]).title == message_of([alert]).title


def _call(number: int) -> Cause:
    actor = Actor("IAMUser", f"arn:aws:iam::{HOME}:user/user{number}", HOME)
    return Cause(CauseKind.EVENT, f"e{number}", "iam:PutRolePolicy", actor=actor)


RUN = Cause(CauseKind.RUN, "20261124T101532Zabc")


def test_many_findings_leave_the_repairs_of_the_same_principal_their_lines() -> None:
    found = [replace(GROUP, finding=replace(FINDING, principal=f"anybody in account {n:012}")) for n in range(60)]
    runs = [report(repository_drift(None), run_id=f"run-{n}", cause=replace(EVENT, id=f"e-{n}")) for n in range(5)]
    message = message_of([audited(*found), *runs])
    text = "\n".join(message.lines)
    assert message.severity is Severity.CRITICAL
    for run in runs:
        assert run.run_id in text
