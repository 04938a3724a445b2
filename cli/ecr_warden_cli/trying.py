"""A grant that is tried before somebody is advised to write it: the spec takes it, and it gives this alone."""

import shlex
from collections.abc import Iterator
from datetime import datetime

from ecr_warden.access_spec import Invalid, Valid, load_spec
from ecr_warden.access_spec.spec import SpecRepository
from ecr_warden.audit.advice import Advice
from ecr_warden.audit.changes import access_changes
from ecr_warden.core.access_change import AccessChange
from ecr_warden.core.actions import Access
from ecr_warden_cli.advising import Asking
from ecr_warden_cli.context import Failure
from ecr_warden_cli.inputs import DEFAULT_SPEC
from ecr_warden_cli.spec_edit import GrantEdit, edited
from iam_access.text.printable import printable


def tried_grant(spec: Valid, asking: Asking, who: str, arn: str) -> Advice:
    """The command, if the spec takes it and it gives this alone."""
    target = asking.target
    assert target is not None
    where = printable(target.name, 200)
    entry = next((one for one in spec.spec.repositories if target in one.targets), None)
    if entry is None:
        return Advice(f"add an entry for {where} under repositories:, with {who} in {asking.what}:", in_spec=True)
    if asking.what == Access.PUSH and not entry.push:
        lines = f"{{role: NAME, by: [{who}]}} under push: of {where}"
        return Advice(f"write {lines}, with a name for the new push role", in_spec=True)
    refused = []
    for edit in _grants(spec, asking, who, entry):
        given = _tried(spec, edit, asking.now)
        if isinstance(given, str):
            refused.append(given)
        elif [(one.principal, one.repository, one.access) for one in given] == [(arn, target.key, edit.access)]:
            return Advice(commands=(_command(edit, asking.file),), in_spec=True)
        else:
            refused.append("it gives more than this" if given else "the spec gives it already: see ecr-warden plan")
    return Advice(f"no grant gives this alone: {refused[0]}", in_spec=True)


def _grants(spec: Valid, asking: Asking, who: str, entry: SpecRepository) -> Iterator[GrantEdit]:
    """The grants that may give it: by each push role, the first of the entry first."""
    target, roles = asking.target, [push.role.name for push in entry.push]
    assert target is not None
    is_alone = sum(target.name in {each.name for each in one.targets} for one in spec.spec.repositories) == 1
    name = target.name if is_alone else f"{spec.spec.aliases[target.account]}/{target.region}/{target.name}"
    if asking.what == Access.PULL:
        yield GrantEdit("pull", name, who)
        return
    for role in dict.fromkeys(roles):
        yield GrantEdit("push", name, who, role=role if len(set(roles)) > 1 else "")


def _tried(spec: Valid, edit: GrantEdit, now: datetime) -> tuple[AccessChange, ...] | str:
    """What a grant changes for anybody, or why the spec does not take it."""
    try:
        text = edited(spec.text, spec.spec, edit)
    except Failure as error:
        return f"{error.message}; {error.remedy}"
    loaded = load_spec(text.encode(), now=now)
    if isinstance(loaded, Invalid):
        problem = next(one for one in loaded.problems if one.is_error)
        return f"{problem.message}; {problem.remedy}"
    found = access_changes(spec.compiled, loaded.compiled)
    is_sure = not found.undecided and not found.others
    return found.changes if is_sure else "what it gives is not known"


def _command(edit: GrantEdit, file: str | None) -> str:
    path = f" {shlex.quote(file)}" if file not in (None, "-", DEFAULT_SPEC) else ""
    role = f" --role {edit.role}" if edit.role else ""
    return f"ecr-warden grant {edit.access} {printable(edit.repository, 200)}{path} --to {edit.who}{role}"
