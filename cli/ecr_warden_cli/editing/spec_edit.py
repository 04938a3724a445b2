"""Grants and revocations as changes of the spec's text: what to write where, or why not."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import yaml
from msgspec import Struct

from ecr_warden.access_spec import Spec
from ecr_warden.access_spec.problems import Place
from ecr_warden.access_spec.spec import SpecRepository
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.editing.yaml_edit import Text, Value, Verbatim, not_editable, text_of
from ecr_warden_cli.terminal.context import Failure
from iam_access.document.pattern import pattern_covers
from iam_access.gather import gather
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import count, cut, listed, show_time

type Access = Literal["pull", "push"]


class GrantEdit(Struct, frozen=True):
    """`who` shall have the access, until a time (UTC; None: no end)."""

    access: Access
    repository: str
    who: str
    until: datetime | None = None
    role: str = ""
    """Of a push, "" where there is only one."""
    is_new: bool = False
    """It need not be there."""


class Revoke(Struct, frozen=True):
    """`who` shall not have the access any more."""

    access: Access
    repository: str
    who: str
    role: str = ""
    from_team: bool = False
    """By leaving every team that has it."""


type Edit = GrantEdit | Revoke


def edited(text: str, spec: Spec, edit: Edit) -> str:
    """The text of a valid spec with the edit; the same text if there is nothing to do. Raises Failure."""
    document = text_of(text)
    repository = _find(edit.repository, spec)
    number = _number(document, repository)
    _refuse_list(repository, edit)
    match edit:
        case GrantEdit():
            return _granted(document, _entry(document, number), edit).text
        case Revoke():
            return _revoked(document, number, edit).text


def _refuse_list(repository: SpecRepository, edit: Edit) -> None:
    """Raises Failure if an entry is about several repositories."""
    others = len({target.name for target in repository.targets}) - 1
    if others:
        line = repository.place.line
        raise Failure(
            f"{edit.repository} has no entry of its own: the one on line {line} has {count(others, 'name')} more",
            code="only-in-list",
            remedy=f"give it an entry of its own, or edit line {line} by hand if all of them are meant",
        )


def _find(text: str, spec: Spec) -> SpecRepository:
    """The entry by its name, or by ACCOUNT/REGION/NAME."""

    def names(repository: SpecRepository) -> Iterator[str]:
        for target in repository.targets:
            yield target.name
            yield f"{target.account}/{target.region}/{target.name}"
            yield f"{spec.aliases[target.account]}/{target.region}/{target.name}"

    found = [repository for repository in spec.repositories if text in names(repository)]
    match found:
        case [repository]:
            return repository
        case []:
            raise _no_entry(text, spec)
        case _:
            firsts = (next(one for one in repository.targets if one.name == text) for repository in found)
            full = [f"{spec.aliases[first.account]}/{first.region}/{first.name}" for first in firsts]
            raise Failure(
                f"{cut(text, 300)} is in several entries",
                code="no-such-repository",
                remedy=f"write one of {listed(full, 5)}",
            )


def _no_entry(text: str, spec: Spec) -> Failure:
    """The reason why a repository has no entry for grants: a pattern covers it, it is literal, or there is none."""
    shown = cut(text, 300)
    patterns = [
        repository
        for repository in spec.repositories
        if repository.is_pattern and pattern_covers(repository.targets[0].name, text)
    ]
    covering = [
        repository for repository in patterns if not any(pattern_covers(each, text) for each in repository.excluded)
    ]
    if covering:
        pattern = covering[0].targets[0].name
        return Failure(
            f"{shown} has no entry of its own: the pattern {pattern} on line {covering[0].place.line} covers it",
            code="only-by-pattern",
            remedy=f"name the pattern, '{pattern}', if all that match it are meant; "
            "else add the repository to its except: and under repositories:",
        )
    if (place := literal_place(text, spec)) is not None:
        return Failure(
            f"the policy of {shown} is a literal document, on line {place.line}, which has no grants",
            code="literal-document",
            remedy="edit it by hand, or write grants under repositories: in its place",
        )
    near = advice(
        nearest(
            text, sorted({target.name for repository in spec.repositories for target in repository.targets}), most=3
        )
    )
    return Failure(
        f"the spec has no repository {shown!a}",
        code="no-such-repository",
        remedy=f"{near}if it is new, add it under repositories:",
    )


def literal_place(text: str, spec: Spec) -> Place | None:
    """The place of the literal policy of a repository, by its name or ACCOUNT/REGION/NAME."""
    for literal in spec.literals:
        for one in (address.target for address in literal.addresses):
            if isinstance(one, RepositoryTarget):
                full = (f"{account}/{one.region}/{one.name}" for account in (one.account, spec.aliases[one.account]))
                if text in (one.name, *full):
                    return literal.place
    return None


def _role_of(item: yaml.Node) -> str:
    """The role of a push grant."""
    role = _get(item, "role")
    return "" if role is None else role.value


def _get(node: yaml.Node | None, key: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line + 1
    return line


def _number(document: Text, repository: SpecRepository) -> int:
    """Which entry it is: the one whose `name:` stands where the repository's does. No edit changes it."""
    for number, entry in enumerate(_items(_get(document.root, "repositories"))):
        mark = next(key for key, _ in entry.value if key.value == "name").start_mark
        if (mark.line + 1, mark.column + 1) == (repository.place.line, repository.place.column):
            return number
    raise not_editable(document.root)


def _entry(document: Text, number: int) -> yaml.MappingNode:
    entry: yaml.MappingNode = _get(document.root, "repositories").value[number]
    return entry


def _is_text(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode)


def _index(node: yaml.Node | None, who: str) -> int | None:
    """The index of somebody in a list."""
    return next((index for index, item in enumerate(_items(node)) if _is_text(item) and item.value == who), None)


def _teams(document: Text, who: str) -> dict[str, yaml.Node]:
    """The teams with this member."""
    teams = _get(document.root, "teams")
    pairs = teams.value if isinstance(teams, yaml.MappingNode) else ()
    return {name.value: members for name, members in pairs if _index(members, who) is not None}


class _Limits(Struct, frozen=True):
    """When and from where a grant gives access."""

    until: str = ""
    source_ip: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"until {self.until}"] if self.until else []
        parts += [f"from {' and '.join(self.source_ip)}"] if self.source_ip else []
        return " ".join(parts) or "without end"


def _limits_of(item: yaml.Node) -> _Limits:
    until = _get(item, "until")
    networks = tuple(one.value for one in _items(_get(item, "source_ip")))
    return _Limits("" if until is None else show_time(datetime.fromisoformat(until.value.upper())), networks)


def _granted(document: Text, entry: yaml.MappingNode, edit: GrantEdit) -> Text:
    limits = _Limits("" if edit.until is None else show_time(edit.until))
    names = (edit.who, *_teams(document, edit.who))
    match edit.access:
        case "pull":
            if _is_given(_items(_get(entry, "pull")), names, limits, edit):
                return document
            value: Value = {"by": [edit.who], "until": limits.until} if limits.until else edit.who
            return _add(document, entry, "pull", value)
        case "push":
            role = _role(entry, edit)
            grants = [item for item in _items(_get(entry, "push")) if _role_of(item) == role]
            if _is_given(grants, names, limits, edit):
                return document
            if alike := [grant for grant in grants if _limits_of(grant) == limits]:
                return document.append(_get(alike[0], "by"), edit.who)
            return _add(document, entry, "push", _push_grant(role, limits, edit, grants))


def _is_given(items: list[yaml.Node], names: tuple[str, ...], wanted: _Limits, edit: GrantEdit) -> bool:
    """Whether a grant names one of them; raises Failure where its limits are others."""
    for item in items:
        by = _get(item, "by")
        named = {item.value} if _is_text(item) else {one.value for one in _items(by) if _is_text(one)}
        if named.isdisjoint(names):
            continue
        if (limits := _limits_of(item)) != wanted:
            raise Failure(
                f"line {_line(item)} is a grant of {edit.access} to {edit.who} already, {limits}",
                code="other-limits",
                remedy=f"revoke that first, or edit line {_line(item)} by hand",
            )
        return True
    return False


def _role(entry: yaml.MappingNode, edit: GrantEdit) -> str:
    """The push role that is meant; raises Failure. A misspelt name would make a second one."""
    roles = list(dict.fromkeys(role for item in _items(_get(entry, "push")) if (role := _role_of(item))))
    if edit.role and (edit.is_new or edit.role in roles or not roles):
        return edit.role
    if len(roles) == 1 and not edit.role:
        return roles[0]
    has = f"{len(roles)} push roles" if roles else "no push role yet"
    remedy = f"add --role with one of {listed(roles, 5)}" if roles else "add --role with the name of the role to create"
    if edit.role:
        has = f"no push role {edit.role}"
        remedy = f"{advice(nearest(edit.role, roles))}{remedy}, or --new-role if it is to be created"
    raise Failure(f"{edit.repository} has {has}", code="which-role", remedy=remedy)


_OF_ROLE = ("pull", "max_session_duration")
"""Settings that all grants of a role have alike."""


def _push_grant(role: str, limits: _Limits, edit: GrantEdit, others: list[yaml.Node]) -> Value:
    given = gather((name, _get(one, name)) for name in _OF_ROLE for one in others if _get(one, name) is not None)
    settings = {name: Verbatim(values[0].value) for name, values in given.items()}
    return {"role": role, "by": [edit.who], **settings, **({"until": limits.until} if limits.until else {})}


def _add(document: Text, entry: yaml.MappingNode, key: str, value: Value) -> Text:
    node = _get(entry, key)
    return document.add_key(entry, key, [value]) if node is None else document.append(node, value)


class _Place(Struct, frozen=True):
    """A grant's number in its list, its line, and somebody's number in its `by`; None if it is the name alone."""

    grant: int
    line: int
    by: int | None = None


def _places(entry: yaml.MappingNode, who: str, edit: Revoke) -> list[_Place]:
    """The places at which the grants of an entry name somebody."""
    found = []
    for number, item in enumerate(_items(_get(entry, edit.access))):
        if _is_text(item):
            if item.value == who:
                found.append(_Place(number, _line(item)))
        elif edit.role in ("", _role_of(item)):
            index = _index(_get(item, "by"), who)
            if index is not None:
                found.append(_Place(number, _line(item), index))
    return found


def _revoked(document: Text, number: int, edit: Revoke) -> Text:
    entry = _entry(document, number)
    giving = {name: places for name in _teams(document, edit.who) if (places := _places(entry, name, edit))}
    if giving and not edit.from_team:
        line = next(iter(giving.values()))[0].line
        raise Failure(
            f"{edit.who} may {edit.access} as a member of {listed([*giving], 5)}, by line {line}",
            code="through-team",
            remedy="add --from-team, which takes away all that the team gives, or revoke it from the whole team",
        )
    if not giving and not _places(entry, edit.who, edit):
        raise _not_granted(entry, edit)
    for name in giving:
        document = _left(document, name, edit.who)
    while places := _places(_entry(document, number), edit.who, edit):
        document = _without(document, _entry(document, number), places[0], edit.access)
    return document


def _left(document: Text, team: str, who: str) -> Text:
    """Without a member of a team, each time that it lists it."""
    while (members := _teams(document, who).get(team)) is not None:
        if len(members.value) == 1:
            raise Failure(
                f"{who} is the only member of {team}",
                code="through-team",
                remedy=f"revoke it from the whole team, --from {team}",
            )
        index = _index(members, who)
        assert index is not None
        document = document.remove(members, index)
    return document


def _without(document: Text, entry: yaml.MappingNode, place: _Place, access: Access) -> Text:
    """Without one mention; what is empty then goes too."""
    grants = _get(entry, access)
    by = _get(grants.value[place.grant], "by")
    if place.by is not None and len(by.value) > 1:
        return document.remove(by, place.by)
    return document.remove(grants, place.grant) if len(grants.value) > 1 else document.remove_key(entry, access)


def _not_granted(entry: yaml.MappingNode, edit: Revoke) -> Failure:
    alias = edit.who.partition(":")[0]
    grants = [grant for grant in _items(_get(entry, edit.access)) if edit.role in ("", _role_of(grant))]
    items = [one for grant in grants for one in (grant, *_items(_get(grant, "by")))]
    for item in items:
        account = _get(item, "account")
        if account is not None and account.value == alias:
            return Failure(
                f"no grant names {edit.who}, but {{account: {alias}}} on line {_line(item)} lets its account in",
                code="not-granted",
                remedy="replace that grant by those who should have it, by hand",
            )
    message = f"no grant of {edit.repository} names {edit.who} under {edit.access}"
    # What all names begin with, such as ci:user/, makes any two alike.
    near = nearest(edit.who, [one.value for one in items if isinstance(one, yaml.ScalarNode)], cutoff=0.85)
    return Failure(message, code="not-granted", remedy=f"{advice(near)}ecr-warden who-can says who has access, and why")
