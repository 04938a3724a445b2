"""A grant that is tried before somebody is advised to write it: the spec takes it, and it gives this alone."""

import shlex
from datetime import datetime
from typing import Literal

from ecr_warden.access_spec import Invalid, Valid, load_spec
from ecr_warden.audit.advice import Advice
from ecr_warden.core.actions import Access
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.versions.access_changes import access_changes
from ecr_warden_cli.asking.asked_access import Asking
from ecr_warden_cli.editing.spec_edit import GrantEdit, edited
from ecr_warden_cli.terminal.context import Failure
from ecr_warden_cli.terminal.inputs import DEFAULT_SPEC
from iam_access.text.printable import printable


def tried_grant(
    spec: Valid, asking: Asking, target: RepositoryTarget, who: str, arn: str, *, is_beside: bool
) -> Advice | None:
    """The command, if the spec takes it and it gives this alone.

    None if the spec lets in the whole account already, and all that is missing is beside the spec (`is_beside`).
    """
    where = printable(target.name, 200)
    access: Literal["pull", "push"] = "pull" if asking.what == Access.PULL else "push"
    entry = next((one for one in spec.spec.repositories if target in one.targets), None)
    if entry is None:
        return Advice(f"add an entry for {where} under repositories:, with {who} in {access}:", in_spec=True)
    # A pull needs no role; for a push every push role of the entry is tried, in their order in the spec.
    roles = dict.fromkeys(push.role.name for push in entry.push) if access == "push" else {"": None}
    is_alone = sum(target.name in {each.name for each in one.targets} for one in spec.spec.repositories) == 1
    name = target.name if is_alone else f"{spec.spec.aliases[target.account]}/{target.region}/{target.name}"
    refused = f"write {{role: NAME, by: [{who}]}} under push: of {where}, with a name for the new push role"
    for role in roles:
        edit = GrantEdit(access, name, who, role=role if len(roles) > 1 else "")
        why = _refused(spec, edit, [(arn, target.key, access)], asking.now, is_beside=is_beside)
        if not why:
            return None if why is None else Advice(commands=(_command(edit, asking.file),), in_spec=True)
        refused = f"no grant gives this alone: {why}"
    return Advice(refused, in_spec=True)


def _refused(
    spec: Valid, edit: GrantEdit, wanted: list[tuple[str, str, str]], now: datetime, *, is_beside: bool
) -> str | None:
    """Why a grant is not to be written: the spec does not take it, or it gives something else; "" if it gives this.

    None as of `tried_grant`.
    """
    try:
        loaded = load_spec((text := edited(spec.text, spec.spec, edit)).encode(), now=now)
    except Failure as error:
        return f"{error.message}; {error.remedy}"
    if isinstance(loaded, Invalid):
        problem = next(one for one in loaded.problems if one.is_error)
        return f"{problem.message}; {problem.remedy}"
    found = access_changes(spec.compiled, loaded.compiled)
    if found.undecided or found.others:
        return "what it gives is not known"
    if [(one.principal, one.repository, one.access) for one in found.changes] == wanted:
        return ""
    already = None if is_beside and text != spec.text else "the spec gives it already: see ecr-warden plan"
    return "it gives more than this" if found.changes else already


def _command(edit: GrantEdit, file: str | None) -> str:
    path = f" {shlex.quote(file)}" if file not in (None, "-", DEFAULT_SPEC) else ""
    role = f" --role {edit.role}" if edit.role else ""
    return f"ecr-warden grant {edit.access} {printable(edit.repository, 200)}{path} --to {edit.who}{role}"
