"""Who administers accounts, for `who-can admin`: by name where there are repositories, elsewhere how many."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from ecr_warden.audit.administrators import Administrators, administrators, calls
from ecr_warden.audit.answer_texts import named, unread_text
from ecr_warden.audit.judge import Judge
from ecr_warden.core.estate import EcrAccount
from ecr_warden_cli.asking.access_text import STYLES, chain_to_json, lines_of, not_looked_at, who_of
from ecr_warden_cli.asking.estate_input import OpenedEstate
from ecr_warden_cli.terminal.console import Style
from ecr_warden_cli.terminal.context import Context
from iam_access.document.document import Document
from iam_access.evaluate.request_principal import is_service_linked_role
from iam_access.who_can.federating import own_policies
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.powers import CHANGES


class Administering(Struct, frozen=True):
    """The administrators of an account, whoever can give themselves any access first."""

    account: str
    paths: Sequence[AccessPath]
    unlimited: frozenset[str]
    """As of Administrators."""
    is_named: bool
    """Whether it has repositories."""


def administering(asked: OpenedEstate) -> Iterator[Administering]:
    """The administrators of each account that was read, those of accounts with repositories first."""
    left_out = _left_out(asked)
    for account in sorted(asked.estate.accounts.values(), key=lambda one: (not _has_repositories(one), one.id)):
        found = administrators(asked.graph, account)
        paths = [path for path in (*found.iam.values(), *found.of_registries.values()) if not left_out(path)]
        paths.sort(key=lambda path: (_is_limited(path, found), path.order))
        yield Administering(account.id, paths, found.unlimited, _has_repositories(account))


def administrators_in(asked: OpenedEstate) -> dict[str, list[str]]:
    """The names of the administrators by account, of the accounts whose users and roles were read."""
    accounts = asked.estate.accounts
    return {
        one.account: sorted(named(path.subject) for path in one.paths)
        for one in administering(asked)
        if accounts[one.account].is_listed
    }


def undecided(asked: OpenedEstate) -> tuple[str, ...]:
    """The parts that were not read of the users and roles who may be administrators."""
    may = [
        one
        for one in asked.graph.subjects.values()
        if any(asked.graph.may_allow(one, action) for action in (*CHANGES, *calls(asked.graph)))
    ]
    policies = chain(*map(own_policies, may), (one.identity.trust for one in may if one.identity is not None))
    return tuple(dict.fromkeys(unread_text(one) for one in policies if one and not isinstance(one.document, Document)))


def _left_out(asked: OpenedEstate) -> Callable[[AccessPath], bool]:
    """The roles that only AWS can use, with a spec and a hub ecr-warden's own too."""
    if asked.spec is not None:
        return Judge(asked.graph, asked.spec.compiled, asked.hub).is_left_out
    return lambda path: is_service_linked_role(path.subject.arn)


def _has_repositories(account: EcrAccount) -> bool:
    return any(registry.repositories for registry in account.registries.values())


def _is_limited(path: AccessPath, found: Administrators | Administering) -> bool:
    return path.subject.arn not in found.unlimited


def administering_to_json(found: Sequence[Administering], asked: OpenedEstate) -> dict[str, Any]:
    accounts = [
        {
            "account": one.account,
            "number": len(one.paths),
            "administrators": [_to_json(path, one) for path in one.paths] if one.is_named else None,
        }
        for one in found
    ]
    return {
        "accounts": accounts,
        "unknown": list(undecided(asked)),
        "notLookedAt": list(not_looked_at(asked)),
    }


def _to_json(path: AccessPath, found: Administering) -> dict[str, Any]:
    return {
        "principal": path.subject.written,
        "answer": path.answer.value,
        "call": _call(path),
        "anyAccess": not _is_limited(path, found),
        "chain": chain_to_json(path),
        "conditions": list(path.conditions),
    }


def _call(path: AccessPath) -> str:
    """The call by which they administer the account."""
    return path.steps[-1].permissions[0].action


def show_administering(found: Sequence[Administering], asked: OpenedEstate, context: Context) -> None:
    """Each with the call that shows it, and whether they can give themselves any access."""
    console = context.console
    for one in found:
        for path in one.paths if one.is_named else ():
            power = "" if _is_limited(path, one) else "any access"
            console.line(f"{path.answer.value:<13}{power:<13}{who_of(path, asked.estate)}", STYLES[path.answer])
            for label, text in (("by", _call(path)), *lines_of(path)):
                console.line(f"{'':<13}{label:<13}{text}", Style.FAINT)
        administer = "administers" if len(one.paths) == 1 else "administer"
        console.line(f"{len(one.paths)} {administer} account {one.account}, {asked.basis}", Style.HEADING)
    console.notes(undecided(asked))
