"""Whom no user or role of the spec stands for: jobs with a token of an issuer, permission sets, pods of a cluster.

A trust policy that is too wide lets anybody on the internet push, so every doubtful form is refused.
"""

import re

from ecr_warden.access_spec.accounts import SpecAccounts
from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.nodes import Scalar
from ecr_warden.access_spec.problems import Code, ProblemReport, bare, quote
from ecr_warden.access_spec.spec import Federated, PermissionSet, Pods
from ecr_warden.core.target import IAM_NAME
from iam_access.document.principal import IDENTITY_CENTER_NAME

GITHUB = "token.actions.githubusercontent.com"
# Source: https://github.com/aws-actions/configure-aws-credentials (its input audience)
_GITHUB_AUDIENCE = "sts.amazonaws.com"
# GitHub's names of accounts and repositories contain no @, * or /, so that the forms of a subject cannot be mixed up.
_GITHUB_REPOSITORY = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,38})/([A-Za-z0-9._-]{1,100})")
_REFS = {"branch": "ref:refs/heads/", "tag": "ref:refs/tags/", "environment": "environment:"}
# Git forbids the colon in names of branches and tags, and GitHub writes that of an environment as %3A. A $ would begin
# a policy variable.
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+=,#-]*(\*[A-Za-z0-9._/@+=,#-]*)*")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._/@+=,#-]{0,254}")
_ISSUER = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_AUDIENCE = re.compile(r"[!-~]{1,255}")
_SUBJECT = re.compile(r"[!-~]([ -~]*[!-~])?")
_MAX_SUBJECT = 255
# `repo`, an owner and a repository; `project_path`, a group and a project.
_COMPLETE_PARTS = 3
_PERMISSION_SET = 32
# Sources: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html (name) and
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS labels and subdomains)
_CLUSTER = re.compile(r"arn:aws:eks:[a-z0-9-]+:([0-9]{12}):cluster/[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]+(-+[a-z0-9]+)*(\.[a-z0-9]+(-+[a-z0-9]+)*)*")


def build_github(entry: Fields, report: ProblemReport) -> Federated | None:
    """Jobs of one GitHub repository, on a branch, for a tag or in an environment."""
    name = _github_repository(entry.text("github"), report)
    ids = _github_ids(entry, report)
    ref = _github_ref(entry, report)
    if name is None or ref is None or entry.text("github") is None:
        return None
    owner, repository = name
    plain = f"repo:{owner}/{repository}:{ref}"
    if ids is None:
        return Federated(GITHUB, _GITHUB_AUDIENCE, (plain, f"repo:{owner}@*/{repository}@*:{ref}"))
    owner_id, repository_id = ids
    # Without the owner's name it would be met by whatever form others give their subjects.
    by_id = f"repo:{owner}@{owner_id}/*@{repository_id}:{ref}"
    return Federated(GITHUB, _GITHUB_AUDIENCE, (plain, by_id), repository_id)


def _github_repository(name: Scalar | None, report: ProblemReport) -> tuple[str, str] | None:
    if name is None:
        return None
    match = _GITHUB_REPOSITORY.fullmatch(name.text)
    if match is None or match[2] in (".", ".."):
        report.add(Code.GITHUB_REPOSITORY, name.place, f"{quote(name.text)} is not one GitHub repository")
        return None
    return match[1], match[2]


def _github_ids(entry: Fields, report: ProblemReport) -> tuple[str, str] | None:
    """The IDs of owner and repository; None if they are not given, which is a warning."""
    owner, repository = entry.text("owner_id"), entry.text("repository_id")
    if owner is not None and repository is not None:
        return owner.text, repository.text
    given = [name for name in ("owner_id", "repository_id") if name in entry.keys]
    if len(given) == 1:
        report.add(Code.GITHUB_IDS, entry.place_of(given[0]), f"{given[0]} alone")
    elif not given:
        report.add(Code.GITHUB_BY_NAME, entry.place_of("github"))
    return None


def _github_ref(entry: Fields, report: ProblemReport) -> str | None:
    """The end of the subject; a job with an environment has no branch or tag in it."""
    given = [name for name in _REFS if name in entry.keys]
    if len(given) != 1:
        said = " and ".join(given) or "none of branch, tag and environment"
        report.add(Code.GITHUB_JOBS, entry.place, f"{said}, instead of exactly one of branch, tag and environment")
        return None
    value = entry.text(given[0])
    if value is None:
        return None
    form = _ENVIRONMENT if given[0] == "environment" else _REF
    if not form.fullmatch(value.text):
        report.add(Code.GITHUB_REF, value.place, f"{quote(value.text)} as {given[0]}")
        return None
    return _REFS[given[0]] + value.text


def build_oidc(entry: Fields, report: ProblemReport) -> Federated | None:
    """Jobs of any issuer: an audience and a subject, which must name one owner and one project of theirs."""
    issuer, audience, subject = (entry.text(name) for name in ("oidc", "audience", "subject"))
    fits = [
        issuer is not None and _is_issuer(issuer, report),
        audience is not None and _is_audience(audience, report),
        subject is not None and _is_subject(subject, report),
    ]
    if not all(fits) or issuer is None or audience is None or subject is None:
        return None
    return Federated(issuer.text, audience.text, (subject.text,))


def _is_issuer(issuer: Scalar, report: ProblemReport) -> bool:
    text = issuer.text
    remedy: str | None = None
    if text == GITHUB:
        remedy = "write {github: OWNER/REPO, owner_id: ID, repository_id: ID, branch: NAME}"
    elif _ISSUER.fullmatch(text):
        return True
    elif _ISSUER.fullmatch(meant := text.partition("://")[2].rstrip("/") if "://" in text else text.rstrip("/")):
        remedy = f"write {bare(meant)}"
    report.add(Code.ISSUER, issuer.place, f"{quote(text)} as issuer", remedy=remedy)
    return False


def _is_audience(audience: Scalar, report: ProblemReport) -> bool:
    if _AUDIENCE.fullmatch(audience.text) and not set(audience.text) & set("*?$"):
        return True
    report.add(Code.AUDIENCE, audience.place, f"{quote(audience.text)} as audience")
    return False


def _is_subject(subject: Scalar, report: ProblemReport) -> bool:
    text = subject.text
    if len(text) > _MAX_SUBJECT or not _SUBJECT.fullmatch(text) or set(text) & set("?$"):
        why = "is not a subject without ? and $"
    elif "*" not in text:
        return True
    elif len(re.findall(r"[^:/]+[:/]", text.partition("*")[0])) < _COMPLETE_PARTS:
        why = "could be the subject of others"
    else:
        return True
    report.add(Code.SUBJECT, subject.place, f"{quote(text)} {why}")
    return False


def build_permission_set(entry: Fields, accounts: SpecAccounts, report: ProblemReport) -> PermissionSet | None:
    """A permission set of IAM Identity Center, in an account under `accounts:`."""
    name, account = entry.text("permission_set"), accounts.referred(entry.text("account"), report)
    if name is None:
        return None
    is_role = name.text.startswith(IDENTITY_CENTER_NAME)
    if is_role or len(name.text) > _PERMISSION_SET or not all(IAM_NAME.fullmatch(character) for character in name.text):
        report.add(Code.PERMISSION_SET, name.place, f"{quote(name.text)} is not the name of a permission set")
        return None
    return None if account is None else PermissionSet(name.text, account.id)


def is_one_workload(cluster: str, namespace: str, service_account: str) -> bool:
    """Whether these name one service account of an EKS cluster, each without a wildcard."""
    parts = ((_CLUSTER, cluster), (_DNS_LABEL, namespace), (_DNS_SUBDOMAIN, service_account))
    return all(form.fullmatch(text) for form, text in parts)


def build_pods(entry: Fields, accounts: SpecAccounts, report: ProblemReport) -> Pods | None:
    """The pods of one service account of an EKS cluster, in an account under `accounts:`."""
    parts = [entry.text(name) for name in ("cluster", "namespace", "serviceAccount")]
    forms = (_CLUSTER, _DNS_LABEL, _DNS_SUBDOMAIN)
    fits = True
    for part, form, what in zip(parts, forms, ("ARN of an EKS cluster", "namespace", "service account"), strict=True):
        if part is not None and not form.fullmatch(part.text):
            report.add(Code.PODS, part.place, f"{quote(part.text)} is not the {what}")
            fits = False
    cluster, namespace, service_account = parts
    if not fits or cluster is None or namespace is None or service_account is None:
        return None
    pods = Pods(cluster.text, namespace.text, service_account.text)
    if accounts.with_id(pods.account) is None:
        report.add(
            Code.FOREIGN_PRINCIPAL, cluster.place, f"{quote(cluster.text)} is in an account that is not under accounts:"
        )
        return None
    return pods
