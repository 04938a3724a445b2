"""Rules on the document as a whole: size, Sids, characters, variables."""

import json
import re
from collections import Counter
from collections.abc import Iterator

from ecr_warden.policy.catalogue import is_condition_key, nearest_key, owns_key
from ecr_warden.policy.document import (
    LITERAL_VERSION,
    REPOSITORY_POLICY_QUOTA,
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    USER_INLINE_QUOTA,
    DocumentKind,
    policy_size,
)
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Subject, Value, quoted

# An identity policy by the largest that may hold it: which user, group or role it is of is not known here.
QUOTAS = {
    DocumentKind.REPOSITORY: REPOSITORY_POLICY_QUOTA,
    DocumentKind.TRUST: TRUST_POLICY_QUOTA,
    DocumentKind.IDENTITY: ROLE_INLINE_QUOTA,
}
_NEAR = 0.8
_SID = re.compile(r"[A-Za-z0-9]*")
# botocore's IAM model: the pattern of policyDocumentType.
_REFUSED = re.compile("[^\t\n\r\x20-\xff]")
# Bounded: an opening brace that is never closed must not be searched to the end of the text from each place.
_VARIABLE = re.compile(r"\$\{([^}]{0,200})\}")
_LITERALS = frozenset("*?$")


def check_whole(subject: Subject) -> None:
    """Report what no single element shows."""
    _check_size(subject)
    _check_variables(subject)
    if subject.kind is DocumentKind.REPOSITORY:
        return  # ECR's own documents hold Sids with spaces; whether it wants them unique is not known.
    _check_sids(subject)
    text = json.dumps(json.loads(subject.document.text), ensure_ascii=False)
    if found := _REFUSED.search(text):
        subject.add(Rule.CHARACTERS, "", f"the character {quoted(found[0])}, which IAM refuses")


def _check_size(subject: Subject) -> None:
    size, quota = policy_size(subject.document), QUOTAS[subject.kind]
    used = f"{size} characters, {quota} are allowed"
    if size > quota:
        subject.add(Rule.SIZE_OVER, "", used)
    elif size > _NEAR * quota:
        subject.add(Rule.SIZE_NEAR, "", used)
    if subject.kind is DocumentKind.IDENTITY and USER_INLINE_QUOTA < size <= quota:
        subject.add(Rule.SIZE_OVER_USER, "", f"{size} characters, a user's inline policies have {USER_INLINE_QUOTA}")


def _check_sids(subject: Subject) -> None:
    seen: Counter[str] = Counter()
    for part in subject.parts:
        sid = part.statement.sid
        if not sid:
            continue
        seen[sid] += 1
        if seen[sid] > 1:
            subject.add(Rule.SID_REPEATED, f"{part.place}.Sid", f"the Sid {quoted(sid)} is another statement's too")
        if not _SID.fullmatch(sid):
            subject.add(Rule.SID_CHARACTERS, f"{part.place}.Sid", f"{quoted(sid)}: IAM takes letters and digits only")


def _check_variables(subject: Subject) -> None:
    for value in _texts(subject):
        for inside in _VARIABLE.findall(value.text):
            name = inside.partition(",")[0].strip()
            if subject.document.version == LITERAL_VERSION:
                subject.add(Rule.VARIABLES_IN_2008, value.place, f"${{{name}}} is taken literally in {LITERAL_VERSION}")
                break
            prefix = name.partition(":")[0]
            if name not in _LITERALS and owns_key(prefix) and not is_condition_key(name):
                near = subject.hint(nearest_key, name)
                subject.add(Rule.VARIABLE_UNKNOWN, value.place, f"no key {quoted(name)} for a variable{near}")


def _texts(subject: Subject) -> Iterator[Value]:
    for part in subject.parts:
        if part.resources is not None:
            yield from part.resources.values
        for term in part.terms:
            yield from term.values
