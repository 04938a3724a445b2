"""A snapshot file to an estate: what the AWS CLI prints of IAM and ECR, joined account by account (docs/who-can.md).

Only a file that is not a snapshot at all is refused (`accounts` says what becomes of its parts).
"""

import json
from collections import Counter
from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime
from typing import Any

from ecr_warden.core.codec.accounts import ecr_account_of
from ecr_warden.core.estate import Estate
from iam_access.document.document import Document, Effect, parse_document
from iam_access.inventory.accounts import AccountReader, ControlKind, Parsed
from iam_access.inventory.inventory import Levels, Policy, Unread
from iam_access.inventory.printed import DOCUMENTS, Json, SnapshotError, slim, text_of_document
from iam_access.inventory.unique_ids import arns_by_id, with_arns

SCHEMA = 1
_REMEDY = "write a snapshot with: ecr-warden snapshot --spec SPEC > FILE"
MAX_BYTES = 128 * 1024 * 1024


def load_snapshot(text: str | bytes) -> Json:
    """The JSON of a snapshot, without versions of policies that nobody can set; raises SnapshotError.

    Policy documents are text: as objects they take some ten times the room.
    """
    if len(text) > MAX_BYTES:
        raise SnapshotError(
            f"the snapshot has {len(text)} bytes, at most {MAX_BYTES} are allowed",
            remedy="write a snapshot for each group of accounts that trust each other",
        )
    raw = _loaded(text, _REMEDY, _with_texts)
    if not isinstance(raw, dict):
        raise SnapshotError("not an object", remedy=_REMEDY)
    return raw


def estate_of(raw: Json, *, at: datetime) -> Estate:
    """The estate of a snapshot.

    `at` stands in for a time that it does not give. Raises SnapshotError.
    """
    if raw.get("schema") != SCHEMA or isinstance(raw["schema"], bool):
        given = "no schema" if "schema" not in raw else f"schema {raw['schema']!r:.20}"
        raise SnapshotError(f"{given}; this version reads schema {SCHEMA}", remedy=_REMEDY)
    accounts = raw.get("accounts")
    if not isinstance(accounts, dict):
        raise SnapshotError("accounts: not an object", remedy='write {"ACCOUNT ID": {"iam": ..., "ecr": ...}}')
    parsed = Parsed()
    found = {name: ecr_account_of(name, part, parsed) for name, part in accounts.items()}
    return _with_arns(Estate(_moment(raw.get("takenAt"), at), found))


def control_policies(text: str | bytes, kind: ControlKind, account: str) -> Levels:
    """Control policies from a file of their own: a list per level, or the documents of one level, or one document.

    A document may be as `aws organizations describe-policy` prints it. Documents of one level that only deny are
    attached beside FullAWSAccess, as AWS does by default. Raises SnapshotError.
    """
    raw = _loaded(text, _CONTROL)
    levels = raw if isinstance(raw, list) and all(isinstance(one, list) for one in raw) else None
    one = [_described(each) for each in (raw if isinstance(raw, list) else [raw])] if levels is None else []
    reader = AccountReader(account, {}, Parsed())
    reader.place = f"control policies of {account}"
    found = reader.levels(levels or [one], kind.value) or ()
    if not all(found):
        # A level without a policy would deny everything, and an export that failed looks the same.
        raise SnapshotError("no policy document, or a level without one", remedy=_CONTROL)
    policies = [policy for level in found for policy in level]
    if unread := next((policy.document for policy in policies if isinstance(policy.document, Unread)), None):
        raise SnapshotError(f"{unread.what}: {unread.why}", remedy=_CONTROL)
    allows = any(statement.effect is Effect.ALLOW for policy in policies for statement in policy.statements)
    if kind is ControlKind.SERVICE and levels is None and not allows:
        found = ((*found[0], Policy("policy FullAWSAccess", parse_document(_FULL_ACCESS))),)
    return found


_CONTROL = "give a policy document, or a list of documents for each level"
_FULL_ACCESS = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _described(raw: object) -> object:
    """The document within the answer of describe-policy, any other as it is."""
    match raw:
        case {"Policy": {"Content": content}}:
            return content
        case _:
            return raw


type _PairsHook = Callable[[list[tuple[str, object]]], dict[str, Any]]


def _loaded(text: str | bytes, remedy: str, hook: _PairsHook | None = None) -> object:
    """JSON of which no object has two equal keys; raises SnapshotError."""
    try:
        return json.loads(text, object_pairs_hook=hook or unique_keys)
    except RecursionError:
        raise SnapshotError("nested too deeply", remedy=remedy) from None
    except ValueError as error:
        where = f" at line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SnapshotError(f"not JSON{where}", remedy=remedy) from None


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    """An object, without what `slim` leaves out; of two equal keys one would hide the other, so they are refused."""
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise SnapshotError(f"the key {name[:80]!r} occurs twice in one object", remedy="keep one of them")
    return slim(found) if "PolicyVersionList" in found else found


def _with_texts(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    """An object, with its policy documents as text."""
    return {
        key: text_of_document(one) if key in DOCUMENTS and isinstance(one, dict) else one
        for key, one in unique_keys(pairs).items()
    }


def _with_arns(estate: Estate) -> Estate:
    """The estate with ARNs where a policy has the unique ID of a user or role in it."""
    arns = arns_by_id(estate)

    def read(policy: Policy | None) -> Policy | None:
        if policy is None or not isinstance(policy.document, Document):
            return policy
        document = with_arns(policy.document, arns)
        return policy if document is policy.document else replace(policy, document=document)

    return replace(
        estate,
        accounts={
            account.id: replace(
                account,
                identities={
                    arn: replace(identity, trust=read(identity.trust)) for arn, identity in account.identities.items()
                },
                registries={
                    region: replace(
                        registry,
                        policy=read(registry.policy),
                        repositories={
                            name: replace(repository, policy=read(repository.policy))
                            for name, repository in registry.repositories.items()
                        },
                    )
                    for region, registry in account.registries.items()
                },
            )
            for account in estate.accounts.values()
        },
    )


def _moment(raw: object, otherwise: datetime) -> datetime:
    if raw is None:
        return otherwise
    try:
        found = datetime.fromisoformat(raw if isinstance(raw, str) else "")
    except ValueError:
        raise SnapshotError("takenAt: not a time", remedy="write 2026-11-24T22:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
