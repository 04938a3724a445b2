"""What the AWS CLI prints of accounts, in files, as a snapshot: what no file answers is unread, never absent.

Each output is recognized by its shape. A file may hold several, one after the other, with the CLI's error messages
between them, as a loop leaves them behind, or lists of them, as scripts keep them. Only the messages that a policy does
not exist say that there is none.
"""

import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path, PurePath
from typing import Any

from msgspec import Struct, field

from ecr_warden.core.codec.accounts import LIST_CALL, POLICY_CALL, REGISTRY_CALL, SCOPE_CALL
from ecr_warden.core.codec.snapshot import MAX_BYTES, unique_keys
from ecr_warden.core.target import REGION
from ecr_warden_cli.context import Context, Failure
from ecr_warden_cli.inputs import name_of, read_file
from iam_access.arn import ACCOUNT_ID, parse_arn
from iam_access.errors import NamedError
from iam_access.inventory.accounts import IAM_CALL
from iam_access.inventory.printed import ALWAYS, DETAILS, is_of_aws, policies_of_aws_in
from iam_access.text.printable import listed, printable

_LISTS = ALWAYS[DETAILS]
_ERROR = re.compile(r"An error occurred \((\w{1,80})\) when calling the (\w{1,80}) operation[^:]{0,80}: (.{0,2000})")
_NO_POLICY = re.compile(r"repository with name '([^']{1,256})' in the registry with id '([0-9]{12})'")
_NO_REGISTRY_POLICY = re.compile(r"registry with id '([0-9]{12})'")
_CALLER = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):")
_REPOSITORY = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/")
_NOT_GIVEN = "not in the files"
_SCOPE = "REGISTRY_POLICY_SCOPE"
_READS = (
    "get-account-authorization-details, describe-repositories, get-repository-policy, get-registry-policy, "
    "get-account-setting, list-open-id-connect-providers and list-saml-providers"
)

type Json = dict[str, Any]
type Registry = tuple[str, str]
"""An account and a region."""


class DumpUnusable(Failure):
    """A file that is no output of the AWS CLI that a snapshot needs, or two that contradict each other."""

    code = "dump-unusable"


class Dump(Struct, frozen=True):
    """A file: its path, for messages and for the region in it, and its text."""

    path: str
    text: str


class _Policy(Struct, frozen=True):
    """A repository's policy, or with an empty name a registry's; `text` is None if there is none.

    `key`: where a registry has the text, if it is not its policy.
    """

    dump: Dump
    account: str
    name: str
    text: str | None
    key: str = "registryPolicy"


class _Found(Struct):
    """What the files say; `entries`: those of `lists` by account and ARN.

    `of_aws`: policies of AWS's by ARN, which are the same in all accounts.
    """

    lists: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    of_aws: dict[str, Json] = field(default_factory=dict)
    entries: dict[tuple[str, str], Json] = field(default_factory=dict)
    repositories: defaultdict[Registry, dict[str, Json]] = field(default_factory=lambda: defaultdict(dict))
    ended: set[Registry | str] = field(default_factory=set)
    policies: list[_Policy] = field(default_factory=list)
    providers: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    saml: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    denied: dict[tuple[str, Registry | str], str] = field(default_factory=dict)


def snapshot_accounts(dumps: Iterable[Dump], region: str | None = None) -> dict[str, Json]:
    """The `accounts` of a snapshot; raises DumpUnusable.

    `region`: where a policy is of which neither the path nor the list of repositories says it.
    """
    found = _Found()
    last_account, size = "", 0
    for dump in dumps:
        for part in _parts(dump):
            size += len(json.dumps(part))
            if size > MAX_BYTES:
                remedy = "make a snapshot for each group of accounts"
                raise DumpUnusable(f"a snapshot of more than {MAX_BYTES} bytes", remedy=remedy)
            if isinstance(part, str):
                _read_error(part, dump, found)
            else:
                last_account = _read(part, dump, found, last_account) or last_account
    registries: defaultdict[Registry, Json] = defaultdict(dict)
    for place, repositories in found.repositories.items():
        registries[place] = {"repositories": repositories}
    for policy in found.policies:
        place = policy.account, _region_of(policy, found.repositories, region)
        _add_policy(registries[place], policy)
    names = {account for account, _ in registries} | found.lists.keys() | found.providers.keys()
    return {account: _account(account, registries, found) for account in sorted(names)}


# One file


def _parts(dump: Dump) -> Iterator[Json | str]:
    """The JSON objects of a file, and the lines between them; raises DumpUnusable."""
    decoder = json.JSONDecoder(object_pairs_hook=unique_keys, parse_float=_number, parse_constant=_number)
    at, text = 0, dump.text
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] in "{[":
            try:
                part, at = decoder.raw_decode(text, at)
            except RecursionError:
                raise _unusable(dump, "nested too deeply") from None
            except ValueError as error:  # of a number also without a place
                where = (
                    f" at line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                )
                raise _unusable(dump, f"not JSON{where}") from None
            except NamedError as error:
                raise _unusable(dump, error.message) from None
            yield from _outputs(part, dump)
        else:
            line_end = text.find("\n", at) + 1 or len(text)
            yield text[at:line_end].strip()
            at = line_end


def _outputs(part: Any, dump: Dump) -> Iterator[Json]:
    """An output, or those of a list, which may have a list for each page; raises DumpUnusable."""
    waiting = [part]  # no recursion: the depth of lists is not bounded
    while waiting:
        match waiting.pop():
            case list(parts):
                waiting += reversed(parts)
            case dict(output):
                yield output
            case other:
                raise _unusable(dump, f"a list with what is no output: {printable(repr(other), 80)}")


def _number(text: str) -> float:
    """A number that JSON can write; raises ValueError for infinity and what is no number."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number


def _unusable(dump: Dump, what: str, remedy: str = f"give outputs of {_READS}") -> DumpUnusable:
    return DumpUnusable(f"{printable(dump.path, 300)}: {what}", remedy=remedy)


def _read_error(line: str, dump: Dump, found: _Found) -> None:
    """An error message of the CLI: there is no policy, or why something could not be read."""
    said = _ERROR.search(line)
    if said is None:
        raise _unusable(dump, f"neither JSON nor an error message of the AWS CLI: {printable(line, 80)}")
    code, operation, message = said.groups()
    if code == "RepositoryPolicyNotFoundException" and (named := _NO_POLICY.search(message)):
        found.policies.append(_Policy(dump, named[2], named[1], None))
    elif code == "RegistryPolicyNotFoundException" and (named := _NO_REGISTRY_POLICY.search(message)):
        found.policies.append(_Policy(dump, named[1], "", None))
    elif named := _REPOSITORY.search(message):
        found.denied[f"ecr:{operation}", (named[2], named[1])] = code
    elif caller := _CALLER.search(message):
        found.denied[f"iam:{operation}", caller[1]] = code


def _read(part: Json, dump: Dump, found: _Found, last_account: str) -> str:
    """Add one output; the account of its users and roles, if it has some."""
    match part:
        case {"policyText": str() | dict() as policy, "registryId": str(account)} if ACCOUNT_ID.fullmatch(account):
            text = policy if isinstance(policy, str) else json.dumps(policy)
            name = part.get("repositoryName", "")
            if not isinstance(name, str):
                raise _unusable(dump, "repositoryName is not text")
            found.policies.append(_Policy(dump, account, name, text))
        case {"repositories": list(repositories)}:
            _read_repositories(repositories, dump, found, is_last=_is_last(part))
        case {"name": "REGISTRY_POLICY_SCOPE", "value": str(scope)}:
            if (named := ACCOUNT_ID.search(PurePath(dump.path).name)) is None:
                raise _unusable(dump, "nothing in it says of which account it is", "name the file after its account")
            found.policies.append(_Policy(dump, named[0], "", scope, _SCOPE))
        case {"OpenIDConnectProviderList": list(providers)} | {"SAMLProviderList": list(providers)}:
            of_kind = found.saml if "SAMLProviderList" in part else found.providers
            for arn in _arns(providers, "Arn", dump):
                of_kind[arn.split(":")[4]].add(arn)
        case {"Arn": str(arn), "PolicyVersionList": list()} if is_of_aws(arn):
            _read_policy_of_aws(arn, part, found)
        case _ if any(key in part for key in _LISTS):
            return _read_iam(part, dump, found, last_account)
        case {"schema": _}:
            raise _unusable(dump, "already a snapshot", "give it to --snapshot as it is")
        case _:
            keys = listed([printable(key, 40) for key in part], 4) if part else "nothing"
            raise _unusable(dump, f"not an output that a snapshot is made of: it has {keys}")
    return ""


def _read_policy_of_aws(arn: str, policy: Json, found: _Found) -> None:
    """Of two versions, which accounts that were read one after the other may have, the later one."""
    before = found.of_aws.setdefault(arn, policy)
    if _version(before) < _version(policy):
        found.of_aws[arn] = policy


def _version(policy: Json) -> int:
    digits = str(policy.get("DefaultVersionId")).removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _is_last(page: Json) -> bool:
    return page.get("IsTruncated") is not True and not any(page.get(key) for key in ("NextToken", "nextToken"))


def _read_repositories(entries: list[Any], dump: Dump, found: _Found, *, is_last: bool) -> None:
    for text in _arns(entries, "repositoryArn", dump):
        arn = parse_arn(text)
        if arn is None or arn.service != "ecr" or not arn.resource.startswith("repository/"):
            raise _unusable(dump, f"not the ARN of a repository: {printable(text, 120)}")
        place, name = (arn.account, arn.region), arn.resource.removeprefix("repository/")
        found.repositories[place].setdefault(name, {"repositoryName": name})
        found.ended |= {place} if is_last else set()


def _arns(entries: list[Any], key: str, dump: Dump) -> Iterator[str]:
    for entry in entries:
        text = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(text, str) or parse_arn(text) is None:
            raise _unusable(dump, f"an entry without a usable {key}")
        yield text


def _read_iam(page: Json, dump: Dump, found: _Found, last_account: str) -> str:
    """A page of users, groups, roles and policies; one that has only policies of AWS belongs to the page before it."""
    lists: dict[str, list[Any]] = {}
    for key in (key for key in _LISTS if key in page):
        entries = page[key]
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise _unusable(dump, f"{key} is not a list of objects")
        lists[key] = entries
    arns = [str(entry.get("Arn")).split(":") for entries in lists.values() for entry in entries]
    accounts = {parts[4] for parts in arns if len(parts) > 5 and ACCOUNT_ID.fullmatch(parts[4])}
    if len(accounts) > 1:
        raise _unusable(dump, f"users and roles of {len(accounts)} accounts in one output", "give one for each account")
    account = accounts.pop() if accounts else last_account
    if not account:
        raise _unusable(dump, "nothing in it says of which account it is", "give it after another page of its account")
    known = found.lists.setdefault(account, {})
    for key, entries in lists.items():
        mine = known.setdefault(key, [])
        for entry in entries:
            arn = entry.get("Arn")
            before = found.entries.setdefault((account, arn), entry) if isinstance(arn, str) else entry
            if before != entry:
                remedy = "give files of one time, each page of an account once"
                raise _unusable(dump, f"another output has {printable(arn, 160)} otherwise", remedy)
            if before is entry:
                mine.append(entry)
    found.ended |= {account} if _is_last(page) else set()
    return account


# All files


def _region_of(policy: _Policy, repositories: Mapping[Registry, Mapping[str, Json]], given: str | None) -> str:
    """The region of a policy, which no output of the CLI has; raises DumpUnusable."""
    path = PurePath(policy.dump.path)
    if inside := [part for part in (*path.parent.parts, path.stem) if REGION.fullmatch(part)]:
        return inside[-1]
    mine = {region: names for (account, region), names in repositories.items() if account == policy.account}
    having = [region for region, names in mine.items() if not policy.name or policy.name in names]
    if len(having) == 1:
        return having[0]
    if given is not None:
        return given
    what = f"the policy of {printable(policy.name, 120)}" if policy.name else "the registry policy"
    where = f"{len(having)} regions have one" if having else "no list of repositories has it"
    remedy = "give the output of describe-repositories too, name the file's folder after the region, or add --region"
    raise _unusable(policy.dump, f"in which region is {what} of {policy.account}? {where}", remedy)


def _add_policy(registry: Json, policy: _Policy) -> None:
    key = "policy" if policy.name else policy.key
    entry = registry
    if policy.name:
        repositories = registry.setdefault("repositories", {})
        entry = repositories.setdefault(policy.name, {"repositoryName": policy.name})
    if entry.get(key, policy.text) != policy.text:
        what = f"the policy of {printable(policy.name, 120)}" if policy.name else f"the {policy.key}"
        raise _unusable(policy.dump, f"another file has {what} otherwise", "give files of one time, each region's once")
    entry[key] = policy.text


def _account(account: str, registries: Mapping[Registry, Json], found: _Found) -> Json:
    """An account's entry, with what none of the files answers under `unread`."""
    entry: Json = {}
    unread: list[Json] = []

    def note(call: str, place: Registry | str, why: str = _NOT_GIVEN) -> None:
        where = {} if isinstance(place, str) else {"region": place[1]}
        unread.append({"what": call, **where, "code": found.denied.get((call, place), why)})

    if account in found.lists:
        iam = entry["iam"] = found.lists[account]
        policies = iam.get("Policies", [])
        absent = policies_of_aws_in(iam) - {one.get("Arn") for one in policies}
        policies += [found.of_aws[arn] for arn in sorted(absent & found.of_aws.keys())]
    if account not in found.ended:
        note(IAM_CALL, account, "the last page is not in the files" if account in found.lists else _NOT_GIVEN)
    if account in found.providers:
        entry["oidcProviders"] = sorted(found.providers[account])
    if account in found.saml:
        entry["samlProviders"] = sorted(found.saml[account])
    for place, registry in sorted(registries.items()):
        if place[0] != account:
            continue
        repositories = [one for _, one in sorted(registry.get("repositories", {}).items())]
        settings = {"accountSettings": {_SCOPE: registry.pop(_SCOPE)}} if _SCOPE in registry else {}
        entry.setdefault("ecr", {})[place[1]] = {**registry, **settings, "repositories": repositories}
        if registry.get("registryPolicy") is not None and not settings:
            note(SCOPE_CALL, place)
        if place not in found.ended:
            is_listed = place in found.repositories
            note(LIST_CALL, place, "the last page is not in the files" if is_listed else _NOT_GIVEN)
        if any("policy" not in repository for repository in repositories):
            note(POLICY_CALL, place)
        if "registryPolicy" not in registry:
            note(REGISTRY_CALL, place)
    return entry | ({"unread": unread} if unread else {})


# Reading them


def read_dumps(paths: Iterable[str], context: Context) -> Iterator[Dump]:
    """The files, those in folders too, one by one; raises DumpUnusable."""
    files = [file for path in paths for file in _files(path)]
    yield from context.console.progress(_dumps(files, context), of=len(files), doing="files read")


def _files(path: str) -> tuple[str, ...]:
    """A file, or all files in a folder and its folders but hidden ones, sorted."""
    if path == "-" or not Path(path).is_dir():
        return (path,)
    return tuple(
        str(one)
        for one in sorted(Path(path).rglob("*"))
        if one.is_file() and not any(part.startswith(".") for part in one.relative_to(path).parts)
    )


def _dumps(paths: Sequence[str], context: Context) -> Iterator[Dump]:
    for path in paths:
        remedy = "give files that the AWS CLI wrote, or a folder of them"
        data = read_file(path, context.stdin, MAX_BYTES, code=DumpUnusable.code, remedy=remedy)
        if len(data) > MAX_BYTES:
            smaller = "leave AWS's own policies out of it, as docs/who-can.md does with --filter"
            raise DumpUnusable(f"{name_of(path)} has more than {MAX_BYTES} bytes", remedy=smaller)
        try:
            # A shell of Windows writes UTF-16, with the mark that says so.
            is_wide = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
            yield Dump(name_of(path), data.decode("utf-16" if is_wide else "utf-8-sig"))
        except UnicodeDecodeError as error:
            raise DumpUnusable(f"{name_of(path)} is not text in UTF-8", remedy=remedy) from error
