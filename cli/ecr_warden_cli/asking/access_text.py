"""Answers about access as JSON and in lines for people."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from textwrap import indent
from typing import Any

from msgspec import Struct

from ecr_warden.access.docker import ByDocker
from ecr_warden.access.missing import Edit, unmet
from ecr_warden.audit.advice import Advice
from ecr_warden.audit.answer_texts import (
    AllowingStatement,
    because_of,
    class_of,
    edit_text,
    edit_to_json,
    named,
    unmet_text,
    unread_text,
    verb_of,
)
from ecr_warden.audit.grounds import Ground
from ecr_warden.audit.unread import lines, not_surveyed, readable, unread_of
from ecr_warden.core.estate import Estate
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.asking.access import CanI, Question, Reach, WhoCan, is_class, passed_to
from ecr_warden_cli.asking.estate_input import OpenedEstate
from ecr_warden_cli.asking.spec_places import Basis
from ecr_warden_cli.report.policies_not_given import not_given
from ecr_warden_cli.terminal.console import Style
from ecr_warden_cli.terminal.context import Context
from iam_access.text.printable import count, printable
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath

NOT_ACCOUNTS = "accounts' administrators can give themselves access: see ecr-warden who-can admin, without REPOSITORY"
"""Beside a no about access."""

type Given = Callable[[AccessPath], Basis | None]
"""On what ground a path leads to a repository; None without a spec."""


STYLES: Mapping[str, Style] = {
    Answer.YES: Style.GOOD,
    Answer.NO: Style.BAD,
    Answer.CONDITIONAL: Style.ODD,
    Answer.UNKNOWN: Style.ODD,
}


class AccessNames(Struct, frozen=True):
    """What people know repositories by."""

    repositories: Mapping[str, int]

    def repository(self, target: RepositoryTarget) -> str:
        """`shop/checkout`, or `account/region/name` as people write it in a question."""
        place = "" if self.repositories[target.name] < 2 else f"{target.account}/{target.region}/"
        return place + printable(target.name, 200)


def names_of(estate: Estate) -> AccessNames:
    """The names of an estate."""
    return AccessNames(Counter(repository.target.name for repository in estate.repositories()))


def given_to_json(given: Basis | None) -> dict[str, Any]:
    """Whether the spec gives it, and where; on what other ground it is no finding; null without a spec."""
    if given is None:
        return {"inSpec": None, "place": None, "ground": None}
    return {"inSpec": given.ground is Ground.SPEC, "place": given.place or None, "ground": given.ground.value}


def can_i_to_json(found: CanI, asked: OpenedEstate, *beside: str) -> dict[str, Any]:
    """`beside`: what else was not looked at."""
    path, change = found.path, found.change
    return {
        "answer": found.answer.value,
        "chain": chain_to_json(path) if path else [],
        "because": [_because_to_json(statement) for statement in because_of(path)] if path else [],
        "missing": [_edit_to_json(edit, found, asked.estate) for edit in change.edits] if change else [],
        "via": list(change.via) if change else [],
        "conditions": list(path.conditions) if path else [],
        "docker": _docker_to_json(found.docker),
        "unknown": [unread_text(policy) for policy in path.unread] if path else [],
        "passedTo": list(passed_to(path.subject)) if path else [],
        **given_to_json(found.given),
        "notLookedAt": [*beside, *not_looked_at(asked)],
        "do": found.advice.text or None,
        "commands": list(found.advice.commands),
        "specChange": (found.advice.commands or (found.advice.text,))[0] if found.advice.in_spec else None,
    }


def _edit_to_json(edit: Edit, found: CanI, estate: Estate) -> dict[str, Any]:
    texts = [unmet_text(*one) for one in unmet(edit, estate)]
    form = edit_to_json(edit) | {"unmet": texts, "inSpec": found.places.get(edit) or None}
    return form if edit in found.advice.edits else form | {"add": None}


def _docker_to_json(found: ByDocker | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"answer": found.answer.value, "missing": list(found.lacking), "conditions": list(found.conditions)}


def _because_to_json(statement: AllowingStatement) -> dict[str, Any]:
    return {"policy": statement.policy, "statement": statement.statement, "sid": statement.sid, "text": str(statement)}


def show_can_i(found: CanI, does: str, arn: str, asked: OpenedEstate, context: Context) -> None:
    """The answer, what to do, and what both rest on; `does`: such as `push shop/checkout`."""
    show_answer(found.answer, says_of(found.answer, does, arn), found.advice, context)
    show_details(found, asked, context)


def says_of(answer: Answer, does: str, arn: str) -> str:
    """`arn:aws:iam::111111111111:user/newcomer cannot push shop/checkout`."""
    verb = {Answer.NO: "cannot", Answer.UNKNOWN: "may or may not"}.get(answer, "can")
    return f"{printable(arn, 200)} {verb} {does}"


def show_answer(verdict: str, says: str, advice: Advice, context: Context) -> None:
    """The line that answers, and the one that says what to do; commands are not folded, so that they can be pasted."""
    console = context.console
    console.line(f"{verdict}: {says}", STYLES.get(verdict, Style.HEADING))
    if not advice.text and len(advice.commands) == 1:
        console.block(f"do: {advice.commands[0]}")
        return
    if advice.text:
        console.line(f"do: {advice.text}")
    for command in advice.commands:
        console.block(f"    {command}")


def show_details(found: CanI, asked: OpenedEstate, context: Context) -> None:
    """What an answer rests on."""
    for label, text, statement in _details(found, asked):
        context.console.line(detail(label, text))
        if statement is not None:
            context.console.line(detail("add", "this statement:"))
            context.console.block(indent(json.dumps(statement, indent=2), " " * 4))


def detail(label: str, text: str) -> str:
    """A line below the answer of `can-i`."""
    return f"{'':<13}{label:<10}{text}"


def _details(found: CanI, asked: OpenedEstate) -> Iterator[tuple[str, str, object]]:
    """(label, text, the statement to add or None)."""
    if found.path is not None:
        yield from ((label, text, None) for label, text in lines_of(found.path))
        if found.given is not None:
            yield "spec", str(found.given), None
        yield from (("because", str(statement), None) for statement in because_of(found.path))
        if found.docker is not None and found.docker.answer is not found.answer:
            yield "docker", f"by API {found.answer.value}; by docker {found.docker.text}", None
    if found.change is not None:
        yield from (("as", printable(arn, 200), None) for arn in found.change.via)
        for edit in found.change.edits:
            lines = [edit_text(edit), *(("but", unmet_text(*one)) for one in unmet(edit, asked.estate))]
            yield from ((label, text, None) for label, text in lines[:-1])
            is_written = edit in found.advice.edits and edit.index is None and not found.places.get(edit)
            yield *lines[-1], edit.statement if is_written else None
    elif found.path is None and found.answer is Answer.NO and not found.advice.text:
        yield "missing", "no change of a policy would allow it", None
    yield from (("not read", text, None) for text in could_not_be_read(asked))


def lines_of(path: AccessPath) -> Iterator[tuple[str, str]]:
    yield from (("as", printable(arn, 200)) for arn in path.chain[1:])
    if services := passed_to(path.subject):
        yield "passed to", printable(", ".join(services), 300)
    yield from (("if", condition) for condition in path.conditions)
    yield from (("unknown", unread_text(policy)) for policy in path.unread)


def not_looked_at(asked: OpenedEstate) -> Iterator[str]:
    """All that no answer takes into account."""
    yield from not_given(asked.estate)
    yield "entitlements of account access managers: not read, so not taken into account"
    yield from could_not_be_read(asked)


def could_not_be_read(asked: OpenedEstate) -> tuple[str, ...]:
    """What of the accounts could not be read, which each answer says to people; the documentation says the rest."""
    estate, known = asked.estate, readable(asked.estate).accounts
    found = chain.from_iterable(unread_of(account, known[account.id]) for account in estate.accounts.values())
    absent = () if asked.spec is None or asked.is_spec_alone else not_surveyed(asked.spec.compiled, estate)
    return lines((*found, *absent))


def chain_to_json(path: AccessPath) -> list[str]:
    """Whoever begins it as a policy writes them, then the ARNs of the roles."""
    return [path.subject.written, *path.chain[1:]]


def path_to_json(path: AccessPath, given: Basis | None, docker: ByDocker | None) -> dict[str, Any]:
    return {
        "principal": path.subject.written,
        "answer": path.answer.value,
        "chain": chain_to_json(path),
        "because": [_because_to_json(statement) for statement in because_of(path)],
        **given_to_json(given),
        "conditions": list(path.conditions),
        "docker": _docker_to_json(docker),
        "via": _via(path),
        "passedTo": list(passed_to(path.subject)),
    }


def _via(path: AccessPath) -> str:
    if len(path.steps) == 1:
        return "direct"
    return "federated-user" if path.is_federated else "role"


def show_who_can(
    found: WhoCan,
    what: Question,
    given: Given,
    asked: OpenedEstate,
    context: Context,
    *,
    names: AccessNames,
    closing: Callable[[AccessPath], str],
) -> None:
    """The worst first; `closing`: what ends a path that the spec does not give, as a finding says it."""
    console = context.console
    verb, name = verb_of(what.what), names.repository(what.repository.target)
    rows = [(given(path), path) for path in (*found.classes, *found.identities)]
    width = max((13, *(len(str(basis)) + 2 for basis, _ in rows)))
    for basis, path in sorted(rows, key=lambda row: row[0] is not None and not row[0].is_extra):
        in_spec = "" if basis is None else f"{basis!s:<{width}}"
        is_extra = basis is not None and basis.is_extra
        _show_path(path, in_spec, found.docker.get(path.subject.arn), asked.read, context, is_extra=is_extra)
        if is_extra and (ends := closing(path)):
            console.line(f"{'':<13}{'to end it':<13}{ends}", Style.FAINT)
    paths = {path.subject.arn: path for path in (*found.classes[::-1], *found.identities[::-1])}.values()
    unknown = sum(path.answer is Answer.UNKNOWN for path in paths)
    says = (
        f"it is unknown who can {verb} {name}: {len(paths) - unknown} can, {unknown} may"
        if found.unread or unknown
        else f"{len(paths)} can {verb} {name}"
    )
    console.line(f"{says}, {asked.basis}", Style.HEADING)
    console.notes(map(unread_text, found.unread))
    console.notes(
        f"{named(path.subject)} can {verb_of(path.steps[-1].permissions[0].action)} {name}: half of a pull"
        for path in found.halves
    )


def who_of(path: AccessPath, estate: Estate) -> str:
    """Whose way it is: an ARN, or a class in words."""
    if is_class(path.subject):
        return class_of(path.subject, path.steps[0].permissions[0].action, estate)
    return printable(path.subject.arn, 200)


def _show_path(
    path: AccessPath, in_spec: str, docker: ByDocker | None, estate: Estate, context: Context, *, is_extra: bool
) -> None:
    context.console.line(
        f"{path.answer.value:<13}{in_spec}{who_of(path, estate)}", Style.BAD if is_extra else STYLES[path.answer]
    )
    lines = [*lines_of(path)]
    if docker is not None and docker.answer is not path.answer:
        lines.append(("docker", docker.text))
    for label, text in lines:
        context.console.line(f"{'':<13}{label:<13}{text}", Style.FAINT)


def show_reach(
    rows: Sequence[Reach], unread: Sequence[str], principal: str, asked: OpenedEstate, context: Context
) -> None:
    """`principal`: an ARN, or the ID of an account, of which each row says by whom."""
    names, console = names_of(asked.estate), context.console
    for row in rows:
        others = row.by.chain if row.by.chain[0] != principal else row.by.chain[1:]
        through = f" as {' -> '.join(others)}" if others else ""
        conditions = f" if {' and '.join(row.conditions)}" if row.conditions else ""
        given = "" if row.given is None else f": {row.given}"
        where = names.repository(row.repository.target)
        console.line(
            f"{row.by.answer:<13}{row.access:<8}{where}{through}{conditions}{given}",
            Style.BAD if row.given is not None and row.given.is_extra else STYLES[row.by.answer],
        )
    unknown = sum(row.by.answer is Answer.UNKNOWN for row in rows)
    says = count(len(rows) - unknown, "kind of access") + (f", and {unknown or 'what else'} unknown" if unread else "")
    console.line(f"{principal}: {says}, {asked.basis}", Style.HEADING)
    console.notes((*unread, *(() if rows else (NOT_ACCOUNTS,))))
