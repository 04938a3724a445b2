"""Alerts over channels, some of which are down: nothing is lost, and nobody decides how many messages leave."""

import re
from collections.abc import Callable, Iterable
from copy import replace
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.address import repository_policy
from ecr_warden.core.alert import Alert, alert_to_json
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import Actor, Cause, CauseKind, Queue
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import UserTarget
from ecr_warden.notify.incident import GATHER, GATHER_NEWS, QUIET, STORM, Incident
from ecr_warden.notify.kinds import incident, message_of
from ecr_warden.notify.message import STILL_OPEN, TO_DO, Message, MessageState, Transition
from ecr_warden.notify.notify import (
    DIGEST_SECONDS,
    SINGLES,
    AnnounceAlerts,
    ReportExhausted,
    SendAlerts,
)
from ecr_warden.notify.ports import E_MAIL, PAGER, ChannelError, waiting_key
from ecr_warden.repair.alerts import (
    HarmfulCall,
    OwnChanged,
    PauseEnded,
    RunEnded,
    TargetsPaused,
    TargetsResumed,
    WritesSwitched,
)
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from local.testing.memory.hub import ManualClock
from local.testing.people import MemoryChannel, People, Silenceable
from local.testing.seed import HOME, NOW
from tests.unit.notify.pages import ASKED, GROUP, audited
from tests.unit.notify.reports import (
    EVENT,
    MALLORY,
    REPOSITORY,
    SWEEP,
    pulls,
    report,
    repository_drift,
    trust_drift,
    trusts,
)

LONG = QUIET.seconds + 60
COLLECT_SECONDS, ROLL_OUT_SECONDS = GATHER.seconds, GATHER_NEWS.seconds
SPEC = Cause(CauseKind.SPEC, "v2")
BY_CLOUDFORMATION = "cloudformation.amazonaws.com"
REFUSED = SpecRefused(SPEC, "v2", "v1", ("line 3: an account has 12 digits",))
ACCEPTED = SpecAccepted(SPEC, "v2", "v1", ("repository/222222222222/eu-central-1/shop/checkout",), ())
CALL = HarmfulCall(Cause(CauseKind.EVENT, "e-1", "iam:CreateAccessKey", actor=MALLORY), REPOSITORY)
OPENED, CLOSED = repository_drift(pulls("*")), repository_drift(None)


def opened(number: int, *, at: int = 0, **more: Any) -> RunEnded:
    """A repository that mallory opened, repaired."""
    drift = replace(OPENED, address=repository_policy(replace(REPOSITORY, name=f"shop/r{number:02}")))
    run = report(drift, **{"cause": replace(EVENT, id=f"e-{number}"), "run_id": f"r-{number}", **more})
    return replace(run, finished_at=run.finished_at + timedelta(seconds=at))


def said(people: People) -> list[tuple[str, Transition]]:
    """What people heard."""
    return [(message.title, message.transition) for _, message in people.chat.got]


def by(name: str) -> Cause:
    """A call of another role."""
    return replace(EVENT, id=f"e-{name}", actor=replace(MALLORY, issuer=f"{MALLORY.issuer}-{name}"))


def credential(number: int, cause: Cause = EVENT) -> HarmfulCall:
    """A lesser thing, with a name."""
    return HarmfulCall(
        replace(cause, id=f"c-{number}", action="ecr:PutLifecyclePolicy"),
        replace(REPOSITORY, name=f"made/n{number:02}"),
    )


# ---------------------------------------------------------------- what one principal does


def test_thirty_things_of_a_kind_are_one_message_with_their_names() -> None:
    people = People()
    people.announce(*(credential(number) for number in range(30)))
    assert people.chat.titles == []
    people.wait(COLLECT_SECONDS)
    [(_, message)] = people.chat.got
    assert message.title == "lifecycle policy of repository made/n00 was changed (29 more alerts)"
    for number in range(30):
        assert sum(f"made/n{number:02} was changed" in line for line in message.lines) == 1


def test_what_is_critical_is_said_at_once_its_extent_after_twenty_seconds_and_the_rest_when_it_is_quiet() -> None:
    people = People()
    for burst in range(3):
        people.announce(*(opened(100 * burst + number) for number in range(10)))
        people.wait(COLLECT_SECONDS)
    people.wait(LONG)
    assert [(title.rpartition(" (")[2], transition) for title, transition in said(people)] == [
        ("*) could pull from shop/r00", Transition.CLOSED),
        ("9 targets)", Transition.GREW),
        ("20 targets)", Transition.OVER),
    ]
    assert len({message.incident for _, message in people.chat.got}) == 1
    people.wait(LONG)
    people.announce(opened(999))
    assert people.chat.titles[-1].endswith("shop/r999")
    assert people.chat.got[-1][1].incident != people.chat.got[0][1].incident, (
        "after a quiet time it is another incident"
    )


def test_a_critical_alert_behind_lesser_ones_of_the_same_principal_is_the_first_of_their_message() -> None:
    people = People()
    people.announce(*(credential(number) for number in range(30)), opened(7))
    people.wait(COLLECT_SECONDS)
    [(_, message)] = people.chat.got
    assert message.severity is Severity.CRITICAL
    assert "shop/r07" in message.title
    assert "shop/r07" in message.lines[2]


def test_what_is_repaired_and_opened_again_is_said_twice_and_summed_up_when_it_is_quiet() -> None:
    people = People()
    for number in range(200):
        people.announce(opened(1, run_id=f"r-{number}", cause=by("abc"[number % 3]), at=number * 3))
        people.wait(3)
    people.wait(LONG)
    assert [transition for _, transition in said(people)] == [Transition.CLOSED, Transition.AGAIN, Transition.OVER]
    assert all(message.first_line.startswith("CRITICAL closed") for _, message in people.chat.got)
    assert people.chat.got[1][1].first_line.startswith("CRITICAL closed again")
    in_all = next(field.text for field in people.chat.got[-1][1].fields if field.label == "In all")
    assert in_all.startswith("200 times since ")


def test_an_apply_of_many_targets_is_one_message() -> None:
    people = People()
    asked = Cause(CauseKind.CALLER, "c-1", "reconcile", actor=MALLORY)
    for number in range(30):
        drift = replace(CLOSED, address=repository_policy(replace(REPOSITORY, name=f"shop/r{number:02}")))
        people.announce(report(drift, cause=asked, run_id=f"r-{number}"))
    assert people.chat.titles == []
    people.wait(COLLECT_SECONDS)
    assert [title.partition(" (")[2] for title in people.chat.titles] == ["30 targets)"]


def deployed(account: str, number: int) -> OwnChanged:
    """A StackSet has a role of its own in each account."""
    role = replace(MALLORY, issuer=f"arn:aws:iam::{account}:role/stacksets-exec", invoked_by=BY_CLOUDFORMATION)
    return OwnChanged(
        Cause(CauseKind.EVENT, f"d-{account}-{number}", "iam:PutRolePolicy", actor=role), account, "role r"
    )


def of_stack(account: str, state: WireState) -> WiringChanged:
    wire = Wire(f"stack of the member {account}", "its roles", state, mark="" if state is WireState.ON else state)
    sweep = Cause(CauseKind.SWEEP, f"s-{state}")
    return WiringChanged(sweep, account, *(((), (wire,)) if state is WireState.ON else ((wire,),)))


def test_a_roll_out_of_sixty_stacks_is_one_message_and_what_is_cut_meanwhile_another_at_once() -> None:
    people = People()
    accounts = [f"{number:012}" for number in range(60)]
    for account in accounts:
        people.announce(of_stack(account, WireState.OUTDATED))
        people.announce(deployed(account, 1), deployed(account, 2))
        people.wait(5)
    assert people.chat.titles == []
    cut = Wire("rule ecr-warden-sweep", "the schedule", WireState.MISSING, mark="missing")
    people.announce(WiringChanged(Cause(CauseKind.SWEEP, "s-9"), "hub", (cut,)))
    people.wait(COLLECT_SECONDS)
    [title] = people.chat.titles
    assert title.startswith("the rule ecr-warden-sweep is missing")
    people.wait(ROLL_OUT_SECONDS)
    [_, title] = people.chat.titles
    assert title == "60 things that ecr-warden works through are not as they should be (120 more alerts)"
    people.wait(ROLL_OUT_SECONDS)
    people.announce(*(of_stack(account, WireState.ON) for account in accounts))
    people.wait(2 * ROLL_OUT_SECONDS)
    assert people.chat.titles[2:] == ["in order again: 60 things that ecr-warden works through"], said(people)


# ---------------------------------------------------------------- what all principals do together


def test_what_waits_for_a_channel_can_be_seen_until_it_left() -> None:
    people = People()
    people.announce(*(opened(number, cause=by(str(number))) for number in range(SINGLES + 3)))
    assert [len(people.incidents.waiting(name)) for name in ("chat", "e-mail")] == [3, 3]
    people.wait(DIGEST_SECONDS)
    assert [len(people.incidents.waiting(name)) for name in ("chat", "e-mail")] == [0, 0]


def test_each_channel_has_its_own_count() -> None:
    people = People()
    people.chat.works = False
    people.announce(*(opened(number, cause=by(str(number))) for number in range(SINGLES)))
    people.chat.works = True
    people.wait(DIGEST_SECONDS)
    assert (len(people.mail.got), len(people.chat.got)) == (SINGLES, 1)
    assert people.chat.titles[0].startswith(f"{SINGLES} incidents, {SINGLES} of them critical")


# ---------------------------------------------------------------- channels that are down

ALERTS = pytest.mark.parametrize("alert", [REFUSED, ACCEPTED], ids=["at once", "collected"])


@ALERTS
@pytest.mark.parametrize("down", ["chat", "mail"])
def test_only_the_channel_that_was_down_gets_the_message_later(alert: Alert, down: str) -> None:
    people = People()
    getattr(people, down).works = False
    people.announce(alert)
    people.wait(COLLECT_SECONDS)
    getattr(people, down).works = True
    people.wait(DIGEST_SECONDS)
    assert people.chat.titles == people.mail.titles == [message_of([alert]).title]
    people.wait(600)
    assert people.chat.titles == people.mail.titles == [message_of([alert]).title]


def test_a_channel_that_is_down_is_tried_each_minute_and_the_other_gets_nothing_again() -> None:
    """A topic that was deleted, SNS that throttles, a webhook that answers 500: all are errors of their channel."""
    people = People()
    people.chat.works = False
    people.announce(CALL)
    people.wait(600)
    assert (people.chat.got, len(people.mail.got)) == ([], 1)
    assert {str(error) for error in people.failures} == {"out of order; repair it"}
    assert 8 <= len(people.failures) <= 10
    assert people.warnings[0] == "not delivered to chat: out of order; repair it"
    assert len(people.waiting) <= 2, "one chain of flushes, however long it lasts"
    people.wait(6 * 3600)
    assert len(people.waiting) <= 2
    people.chat.works = True
    people.wait(DIGEST_SECONDS)
    assert people.chat.titles == people.mail.titles


def test_what_came_while_a_channel_was_down_is_one_message() -> None:
    people = People()
    people.chat.works = False
    for number in range(40):
        people.announce(opened(number, cause=by(str(number))))
        people.wait(30)
    people.chat.works = True
    people.wait(DIGEST_SECONDS)
    assert len(people.chat.got) == 1
    assert people.chat.titles[0].startswith("40 incidents, 40 of them critical")


def test_people_read_users_with_the_alias_of_their_account_and_the_arn_without() -> None:
    def silent() -> dict[str, str]:
        raise PermissionMissing("denied")

    people, made = People(), "access key of {}/push-user was made"
    for aliases, user in ((lambda: {HOME: "registry"}, "registry:user"), (silent, f"user/{HOME}")):
        people.aliases = aliases
        call = replace(by(user), action="iam:CreateAccessKey")
        people.announce(HarmfulCall(call, UserTarget(HOME, "push-user")))
        people.wait(COLLECT_SECONDS)
        assert people.chat.titles[-1].startswith(made.format(user))
    assert people.warnings == ["sent without the aliases of accounts: denied"]


def test_a_channel_that_is_no_longer_configured_gets_nothing() -> None:
    people = People()
    people.chat.works = False
    people.announce(CALL)
    people.wait(COLLECT_SECONDS)
    SendAlerts(people.incidents, {E_MAIL: people.mail}, print, people.clock).flush(waiting_key("chat"))
    people.chat.works = True
    people.wait(600)
    assert (people.chat.got, len(people.mail.got)) == ([], 1)
    assert people.incidents.waiting("chat") == []


def test_what_the_version_before_left_for_a_channel_is_delivered() -> None:
    people = People()
    for key, alert in (("undelivered/chat/first/abc/critical", REFUSED), ("first/abc/critical", ACCEPTED)):
        people.incidents.add(key, [dumps(alert_to_json(alert))])
        people.incidents.open(key, seconds=20)
    people.wait(60)
    assert sorted(people.chat.titles) == sorted(message_of([alert]).title for alert in (ACCEPTED, REFUSED))
    assert people.mail.titles == [message_of([ACCEPTED]).title]


# ---------------------------------------------------------------- a table that is silent, a process that dies

SILENCED: dict[str, Alert] = {
    "at once": REFUSED,
    "collected": ACCEPTED,
    "critical": opened(1),
}


@pytest.mark.parametrize("name", SILENCED)
def test_a_message_leaves_while_the_table_is_silent_and_the_log_says_why(name: str) -> None:
    people = People()
    people.incidents.silent = True
    people.announce(SILENCED[name])
    assert people.chat.titles == people.mail.titles == [message_of([SILENCED[name]]).title]
    assert all("dynamodb:PutItem" in warning for warning in people.warnings)
    assert {warning.partition(",")[0] for warning in people.warnings} == {
        "sent at once",
        "sent to e-mail all the same",
        "sent to chat all the same",
    }


def test_what_was_collected_before_the_table_fell_silent_leaves_once_it_answers() -> None:
    people = People()
    people.announce(ACCEPTED)
    people.incidents.silent = True
    people.wait(300)
    assert people.chat.got == []
    people.incidents.silent = False
    people.wait(720)
    assert people.chat.titles == people.mail.titles == [message_of([ACCEPTED]).title]


def test_an_alert_that_can_neither_be_sent_nor_kept_is_an_error_so_that_the_event_is_delivered_again() -> None:
    people = People()
    people.incidents.silent, people.chat.works = True, False
    with pytest.raises(PermissionMissing, match="dynamodb"):
        people.announce(REFUSED)
    assert len(people.mail.got) == 1, "the other channel has it all the same"


@dataclass(slots=True)
class Dying:
    """A channel whose process dies before it sends, once."""

    died: bool = False

    def notify(self, message: Message) -> None:
        if not self.died:
            self.died = True
            raise RuntimeError("killed")


def test_a_process_that_dies_between_counting_and_sending_has_the_alert_sent_later() -> None:
    people = People()
    with pytest.raises(RuntimeError):
        SendAlerts(people.incidents, {"chat": Dying()}, print, people.clock).announce(opened(1), NOW)
    people.announce(opened(1))
    assert people.chat.got == []
    people.wait(COLLECT_SECONDS)
    assert people.chat.titles == ["anyone (*) could pull from shop/r01"]


def test_a_process_that_dies_with_a_digest_has_it_sent_by_the_next_delivery() -> None:
    people = People()
    people.announce(*(opened(number, cause=by(str(number))) for number in range(SINGLES + 5)))
    key = waiting_key("chat")
    with pytest.raises(RuntimeError):
        SendAlerts(people.incidents, {"chat": Dying()}, print, people.clock).flush(key)
    people.clock.advance(timedelta(minutes=6))
    people.send.flush(key)
    assert people.chat.titles[-1].startswith("5 incidents, 5 of them critical")


class Fuller(MemoryChannel):
    """A channel that takes two of those that waited and no third one, once."""

    def notify(self, message: Message) -> None:
        if len(self.got) == SINGLES + 2 and self.works:
            self.works = False
            raise ChannelError("answered 429", retryable=True)
        self.got.append((self.clock.now(), message))


def test_a_channel_for_programs_gets_each_incident_that_waited_once_although_it_had_enough_in_between() -> None:
    people = People()
    pager = Fuller(people.clock)
    send = SendAlerts(people.incidents, {PAGER: pager}, print, people.clock)
    for number in range(SINGLES + 5):
        send.announce(opened(number, cause=by(str(number))), NOW)
        people.clock.advance(GATHER)
        send.flush(incident(opened(number, cause=by(str(number)))))
    with pytest.raises(ChannelError):
        send.flush(waiting_key(PAGER))
    people.clock.advance(timedelta(seconds=DIGEST_SECONDS))
    send.flush(waiting_key(PAGER))
    assert sorted(pager.titles) == sorted(f"anyone (*) could pull from shop/r{n:02}" for n in range(SINGLES + 5))
    assert len({message.incident for _, message in pager.got}) == SINGLES + 5


@dataclass(slots=True)
class Picky(MemoryChannel):
    """A channel that refuses for good what is about one repository."""

    def notify(self, message: Message) -> None:
        if "r00" in message.title:
            raise ChannelError("answered 400", remedy="look at the integration")
        MemoryChannel.notify(self, message)


def test_what_a_channel_for_programs_refuses_for_good_holds_back_nothing_and_stays() -> None:
    people = People()
    pager = Picky(people.clock, works=False)
    send = SendAlerts(people.incidents, {PAGER: pager}, print, people.clock)
    for number in range(3):
        send.announce(opened(number, cause=by(str(number))), NOW)
    pager.works = True
    with pytest.raises(ChannelError, match="answered 400"):
        send.flush(waiting_key(PAGER))
    assert sorted(pager.titles) == ["anyone (*) could pull from shop/r01", "anyone (*) could pull from shop/r02"]
    assert len(people.incidents.waiting(PAGER)) == 1


# What is heard, in this order, each with how many seconds later than the first moment it was seen; what lasts.
PAUSED = TargetsPaused(ASKED, ("x",), "a migration", NOW)
RESUMED = TargetsResumed(ASKED, ("x",))
HEARD_LATE: dict[str, tuple[list[tuple[Alert, int]], bool]] = {
    "a pause after its own end": ([(PauseEnded(ASKED, ("x",), "a migration", NOW), 60), (PAUSED, 0)], False),
    "a pause after the end of the one before": ([(RESUMED, 0), (PAUSED, 60)], True),
    "a pause of the second in which another ended": ([(RESUMED, 0), (PAUSED, 0)], True),
    "a pause of two, of which one has ended": ([(RESUMED, 60), (replace(PAUSED, targets=("x", "y")), 0)], True),
    "that nothing is written, after that all is": (
        [(WritesSwitched(ASKED, ""), 60), (WritesSwitched(ASKED, "a migration"), 0)],
        False,
    ),
}


@pytest.mark.parametrize("name", HEARD_LATE)
def test_nobody_is_reminded_of_what_ended_before_it_was_heard_of(name: str) -> None:
    heard, lasts = HEARD_LATE[name]
    people = People()
    first = people.clock.now()
    people.wait(60)
    for alert, seen in heard:
        people.send.announce(alert, first + timedelta(seconds=seen))
        people.wait(LONG)
    people.wait(timedelta(hours=2).seconds)
    assert (Transition.STILL in [transition for _, transition in said(people)]) is lasts


def test_a_message_does_not_say_of_what_ended_meanwhile_that_it_lasts() -> None:
    people = People()
    people.announce(PAUSED)
    people.wait(25)
    people.announce(*(replace(PAUSED, targets=(name,)) for name in "yz"), replace(RESUMED, targets=("y",)))
    people.wait(60)
    *_, (_, message) = people.chat.got
    shown = "\n".join([message.title, *message.lines])
    assert ["1 target (y) resumed" in line for line in shown.splitlines() if "(y)" in line] == [True]
    assert "(z)" in shown


def test_an_alert_that_ends_things_of_two_incidents_is_said_in_the_words_of_neither() -> None:
    people = People()
    for name in "yz":
        people.announce(replace(PAUSED, targets=(name,), cause=by(name)))
    people.wait(60)
    people.announce(replace(RESUMED, targets=("y", "z"), cause=by("carol")))
    people.wait(60)
    over = [message for _, message in people.chat.got if message.transition is Transition.OVER]
    assert sorted(re.findall(r"\((\w)\)", "".join(one.title for one in over))) == ["y", "z"]
    assert not any(line for one in over for line in one.lines)


# What somebody does whose finding lasts, after it; how the message on that begins, and what else lasts.
BESIDE: dict[str, tuple[Alert, str, str]] = {
    "what is critical and over": (opened(50), "CRITICAL open for 20 s: 999999999999:user/eve can pull and push", ""),
    "what is critical and lasts": (
        OwnChanged(EVENT, HOME, "role ecr-warden-read"),
        "CRITICAL open: ecr-warden's own role ecr-warden-read was changed",
        "999999999999:user/eve can pull and push shop/checkout",
    ),
    "what is lesser": (
        credential(50),
        "WARNING open: lifecycle policy of repository made/n50 was changed",
        "999999999999:user/eve can pull and push shop/checkout",
    ),
}


@pytest.mark.parametrize("is_digest", [False, True])
@pytest.mark.parametrize("name", BESIDE)
def test_the_message_on_more_says_who_still_gets_in_which_is_all_that_a_digest_has(name: str, is_digest: bool) -> None:
    alert, first_line, still = BESIDE[name]
    people = People(ManualClock(report(OPENED).started_at))
    people.announce(*(opened(number, cause=by(str(number))) for number in range(SINGLES if is_digest else 0)))
    people.announce(audited(GROUP), alert)
    people.wait(DIGEST_SECONDS)
    *_, (_, message) = people.chat.got
    assert message.first_line.startswith(first_line)
    assert [field.text for field in message.fields if field.label == STILL_OPEN] == [still] * bool(still)
    if not still:
        assert [field.text for field in message.fields if field.label == TO_DO] == [GROUP.finding.remedy]
        assert any("could pull from shop/r50" in line for line in message.lines)


AT_ROLE = report(trust_drift(trusts(f"arn:aws:iam::{HOME}:root")))
GOES_ON = replace(AT_ROLE, goes_on=AT_ROLE.finished_at + timedelta(hours=12), ending="aws iam put-role-policy")
INTRUDER = report(result=Result.IN_SYNC, intruder=True)


def seen_again(run: RunEnded, number: int) -> RunEnded:
    """By another run, an hour later."""
    later = run.finished_at + timedelta(hours=1)
    return replace(run, cause=replace(EVENT, id=f"e-{number}"), run_id=f"r-{number}", finished_at=later)


# What a run finds and an hour later another one of the same target, and when people hear that it is over.
OUTLASTS: dict[str, tuple[RunEnded, RunEnded, int | None]] = {
    "sessions that go on when the role is opened and repaired again": (GOES_ON, seen_again(AT_ROLE, 2), 12),
    "sessions that go on when the role is in sync": (
        GOES_ON,
        seen_again(replace(report(result=Result.IN_SYNC, cause=SWEEP), target=AT_ROLE.target), 2),
        12,
    ),
    "an intruder who was repaired": (report(OPENED, intruder=True), seen_again(opened(7), 2), None),
    "an intruder, then again": (INTRUDER, seen_again(INTRUDER, 2), None),
    "an intruder where all is in sync": (
        INTRUDER,
        seen_again(report(result=Result.IN_SYNC, cause=SWEEP), 2),
        None,
    ),
}


@pytest.mark.parametrize("name", OUTLASTS)
def test_no_later_run_says_that_what_it_cannot_end_is_over(name: str) -> None:
    first, second, hours = OUTLASTS[name]
    people = People(ManualClock(first.finished_at))
    people.announce(first)
    people.wait(3600)
    people.announce(second)
    people.wait(13 * 3600)
    about = [(at, one) for at, one in people.chat.got if one.transition is Transition.OVER or "INTRUDER" in one.title]
    over = [at for at, message in about if message.state is MessageState.CLOSED]
    assert over == ([] if hours is None else [first.finished_at + timedelta(hours=hours)])
    assert not people.incidents.incidents, "it has ended"


def test_whoever_makes_much_that_is_lesser_takes_the_words_of_nothing_critical() -> None:
    """It is said a minute after the message before, and more alerts came meanwhile than an incident keeps words of."""
    people = People()
    people.announce(OwnChanged(EVENT, HOME, "role ecr-warden-read"), credential(1000))
    people.wait(COLLECT_SECONDS + 5)
    people.announce(OwnChanged(EVENT, HOME, "role ecr-warden-write"))
    for number in range(300):
        people.announce(credential(number))
        people.wait(0.1)
    people.wait(60)
    assert [title for title in people.chat.titles if "role ecr-warden-write was changed" in title]


def test_of_an_alert_that_another_version_wrote_what_it_changes_is_said_and_nothing_behind_it_is_held_back() -> None:
    people = People()
    people.announce(credential(1))
    [(key, collected)] = people.incidents.collected.items()
    [(text, at)] = collected.values()
    written = text.replace("harmful-call", "call-of-a-later-version")
    people.incidents.collected[key] = {written: (written, at)}
    people.announce(credential(2))
    people.wait(COLLECT_SECONDS)
    [(_, message)] = people.chat.got
    assert message.title == "lifecycle policy of repository made/n02 was changed"
    assert {warning.partition(":")[0] for warning in people.warnings} == {"not read"}


def pauses_by(*names: str) -> list[Alert]:
    return [replace(PAUSED, targets=(name,), cause=by(name)) for name in names]


@dataclass(slots=True)
class Stormy(Silenceable):
    """A table that does not find the storm, once."""

    found: bool = False

    def find(self, key: str) -> Incident | None:
        if key == STORM and not self.found:
            self.found = True
            raise PermissionMissing("throttled")
        return self.incidents.get(key)


def test_what_joins_the_storm_is_said_although_the_look_at_the_storm_fails() -> None:
    people = People()
    people.incidents = Stormy(people.clock)
    people.announce(*pauses_by(*"abcde"))
    people.wait(COLLECT_SECONDS)
    people.announce(*pauses_by("f"))
    people.wait(60)
    assert [str(error) for error in people.failures] == ["throttled"]
    assert [title for title in people.chat.titles if "(f)" in title]


def test_an_incident_that_was_kept_while_it_was_gathered_does_not_join_and_stay() -> None:
    people = People()
    people.announce(*pauses_by(*"abcde"))
    people.wait(COLLECT_SECONDS)
    people.announce(*pauses_by("f"))
    people.wait(5)
    people.send.flush(incident(*pauses_by("f")))  # a flush message may come twice, and early
    people.wait(60)
    people.announce(replace(RESUMED, targets=tuple("abcdef"), cause=by("carol")))
    people.wait(LONG)
    assert people.incidents.incidents == {}


@dataclass(slots=True)
class Overtaken(Silenceable):
    """A table in which something else happens before it forgets facts, once."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def forget(self, facts: Iterable[str]) -> None:
        while self.meanwhile:
            self.meanwhile.pop()()
        for fact in facts:
            self.facts.pop(fact, None)


def test_what_opens_again_while_its_incident_ends_has_an_end() -> None:
    people = People()
    people.incidents = table = Overtaken(people.clock)
    people.announce(PAUSED)
    people.wait(COLLECT_SECONDS)
    people.announce(RESUMED)
    table.meanwhile.append(lambda: people.announce(PAUSED))
    people.wait(LONG)
    assert (people.incidents.facts, len(people.incidents.incidents)) == ({}, 1), "it is open, and nobody knows where"
    people.announce(RESUMED)
    people.wait(2 * LONG)
    assert people.incidents.incidents == {}


# ---------------------------------------------------------------- what the bus delivers

OWN = OwnChanged(EVENT, HOME, "role ecr-warden-read")
OTHER_CALL = replace(CALL, cause=replace(CALL.cause, id="e-2", actor=Actor("IAMUser", arn="arn:aws:iam::1:user/eve")))

# What the bus delivers, after how many seconds each, whether the table answers; how many messages people get.
HEARD: dict[str, tuple[tuple[Alert, ...], int, bool, int]] = {
    "a call that is reported twice": ((CALL, CALL), 0, True, 1),
    "and once people have heard of it": ((CALL, CALL), 60, True, 1),
    "two calls": ((CALL, OTHER_CALL, CALL, OTHER_CALL), 0, True, 2),
    "a part of ours, at once and again": ((OWN, OWN, OWN), 30, True, 1),
    "a run that is delivered twice": ((REFUSED, REFUSED), 0, True, 1),
    "a repair": ((opened(1), opened(1)), 30, True, 1),
    "a call that is reported twice while the table does not answer": ((CALL, CALL), 0, False, 2),
}


@pytest.mark.parametrize("name", HEARD)
def test_what_the_bus_delivers_twice_is_announced_once(name: str) -> None:
    alerts, after, answers, times = HEARD[name]
    people, recorded = People(), list[Alert]()
    people.incidents.silent = not answers
    hear = AnnounceAlerts(people.send, lambda alert, _: recorded.append(alert))
    for alert in alerts:
        hear.hear(alert, people.clock.now())
        people.wait(after)
    people.wait(LONG)
    assert [message.title for _, message in people.chat.got if "more" in message.title] == []
    assert (len(people.chat.got), recorded) == (times, [*alerts])


def fails(_: Alert, __: datetime) -> None:
    raise PermissionMissing("the log takes nothing")


def test_what_could_not_be_recorded_is_recorded_again_and_announced_once() -> None:
    people = People()
    with pytest.raises(PermissionMissing):
        AnnounceAlerts(people.send, fails).hear(REFUSED, NOW)
    AnnounceAlerts(people.send, lambda *_: None).hear(REFUSED, NOW)
    people.wait(COLLECT_SECONDS)
    assert len(people.chat.got) == 1


# ---------------------------------------------------------------- jobs that failed


@dataclass(slots=True)
class Kept:
    """Dead letters."""

    bodies: list[str] = field(default_factory=list)

    def keep(self, body: str, *, message_id: str) -> None:
        self.bodies.append(body)


def exhausted(people: People, kept: Kept, queue: Queue, record: Callable[[Alert, datetime], None]) -> None:
    ReportExhausted(AnnounceAlerts(people.send, record), kept, people.clock).report("{}", queue=queue, message_id="m-1")


@pytest.mark.parametrize("record", [fails, lambda *_: None], ids=["not recorded", "recorded"])
def test_a_failed_job_that_cannot_be_collected_is_reported_by_itself_and_kept(
    record: Callable[[Alert, datetime], None],
) -> None:
    people, kept = People(), Kept()
    people.incidents.silent = True
    exhausted(people, kept, Queue.REPAIR, record)
    title = "a job that cannot be read: nothing was done"
    assert people.chat.titles == people.mail.titles == [title]
    assert kept.bodies == ["{}"]


@pytest.mark.parametrize("queue", [Queue.ACCEPT, Queue.COLLECT, Queue.AUDIT])
def test_a_failed_job_of_a_queue_that_each_tick_fills_anew_is_reported_with_its_log_and_not_kept(queue: Queue) -> None:
    people, kept, recorded = People(), Kept(), list[Alert]()
    exhausted(people, kept, queue, lambda alert, _: recorded.append(alert))
    people.wait(COLLECT_SECONDS)
    [(_, message)] = people.chat.got
    assert f"ecr-warden-{queue.function}" in str(message.fields)
    assert "dlq" not in str(message.fields)
    assert (kept.bodies, len(recorded)) == ([], 1)
