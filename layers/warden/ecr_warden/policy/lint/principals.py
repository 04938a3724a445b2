"""Rules on who is let in.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import re

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Named, Part, Subject, Term, quoted
from ecr_warden.policy.lint.ties import names_source, ties_caller, ties_to_principal

_UNIQUE_ID = re.compile(r"A(?:IDA|ROA|GPA|KIA|SIA|NPA|NVA|PKA|SCA|BIA|CCA)[A-Z0-9]{12,124}(?::.*)?")
_ROOT = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):root")
_AWS_ARN = re.compile(
    r"arn:aws(?:-[a-z]+)*:(?:iam::[0-9]{12}:(?:root|user/.+|role/.+)"
    r"|sts::[0-9]{12}:(?:assumed-role/[^/]+/.+|federated-user/.+|self))"
)
_SERVICE = re.compile(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|amazonaws\.eu)"
)
# EC2 and Lambda send neither SourceAccount nor SourceArn when they assume a function's or an instance's role.
_SEND_NO_SOURCE = frozenset({"ec2.amazonaws.com", "ec2.amazonaws.com.cn", "lambda.amazonaws.com"})
# GitHub's subjects begin with repo:OWNER/.
_EVERY_SUBJECT = re.compile(r"(?:repo:)?\*")
_WEB_PROVIDERS = frozenset(
    {"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}
)


def check_principals(subject: Subject) -> None:
    """Report strangers, dead names and services that act for anyone."""
    if subject.kind is DocumentKind.IDENTITY:
        return
    for part in subject.parts:
        for named in part.principals:
            _check_form(subject, named)
        given = part.statement.principals
        if not part.allows or given is None:
            continue
        if given.negated:
            subject.add(Rule.ALLOW_NOT_PRINCIPAL, f"{part.place}.NotPrincipal")
            continue
        for named in part.principals:
            _check_allowed(subject, part, named)


def _check_form(subject: Subject, named: Named) -> None:
    kind, value = named.principal
    if kind == "Service" and value != "*" and not _SERVICE.fullmatch(value):
        subject.add(Rule.PRINCIPAL_SERVICE, named.place, f"{quoted(value)} is unlike a service's name")
    if kind != "AWS" or value == "*" or ACCOUNT_ID.fullmatch(value) or (_AWS_ARN.fullmatch(value) and "*" not in value):
        return
    if "*" in value or "?" in value:
        subject.add(
            Rule.PRINCIPAL_PATTERN, named.place, f"{quoted(value)}: a pattern in a principal, which AWS refuses"
        )
    elif _UNIQUE_ID.fullmatch(value):
        subject.add(Rule.PRINCIPAL_UNIQUE_ID, named.place, f"{quoted(value)} is the id of a user or role that is gone")
    else:
        subject.add(Rule.PRINCIPAL_MALFORMED, named.place, f"{quoted(value)} is no account, user, role or session")


def _check_allowed(subject: Subject, part: Part, named: Named) -> None:
    kind, value = named.principal
    if value == "*":
        if not part.terms:
            subject.add(Rule.PRINCIPAL_ANYONE, named.place, "the principal * without a Condition is anybody")
        elif not ties_caller(part):
            subject.add(Rule.PRINCIPAL_ANYONE_CONDITIONED, named.place)
        return
    match kind:
        case "AWS":
            root = _ROOT.fullmatch(value)
            account = root[1] if root else value
            if ACCOUNT_ID.fullmatch(account) and not ties_to_principal(part):
                subject.add(Rule.PRINCIPAL_ACCOUNT, named.place, f"whoever account {account} lets")
        case "Service" if not names_source(part):
            _check_service(subject, named)
        case "Federated" if subject.kind is DocumentKind.TRUST:
            _check_federated(subject, part, named)
        case _:
            pass


def _check_service(subject: Subject, named: Named) -> None:
    value = named.principal.value
    if subject.kind is DocumentKind.REPOSITORY:
        message = f"{quoted(value)} acts for any of its customers: no condition says for whom"
        subject.add(Rule.SERVICE_WITHOUT_SOURCE, named.place, message)
    elif value not in _SEND_NO_SOURCE:
        message = f"no condition says for whom {quoted(value)} assumes the role"
        subject.add(Rule.SERVICE_WITHOUT_SOURCE_IN_TRUST, named.place, message)


def _check_federated(subject: Subject, part: Part, named: Named) -> None:
    value = named.principal.value
    oidc = ":oidc-provider/" in value or value in _WEB_PROVIDERS
    wanted = "sts:assumerolewithwebidentity" if oidc else "sts:assumerolewithsaml"
    known = oidc or ":saml-provider/" in value
    texts = {action.text.lower() for action in part.actions.values}
    if known and not part.actions.negated and "sts:assumerole" in texts and wanted not in texts:
        subject.add(Rule.FEDERATED_ACTION, named.place, f"{quoted(value)} cannot call sts:AssumeRole")
    if ":oidc-provider/" in value and not any(term.certain and _narrows(term) for term in part.terms):
        subject.add(
            Rule.FEDERATED_WITHOUT_SUBJECT, named.place, f"every identity of {quoted(value)} may assume the role"
        )


def _narrows(term: Term) -> bool:
    """A claim that says who, or AWS's own key made of one, with values that are no patterns for everybody's."""
    if term.key.startswith(("aws:", "sts:")) or term.key.endswith((":aud", ":iss", ":oaud", ":azp")):
        return False
    return not any(_EVERY_SUBJECT.match(value.text) for value in term.values)
