"""Questions about principals that go and come back, and about sessions."""

from typing import Any

from botocore.exceptions import ClientError

from local.smoke.probes import Answer, Lab, Probe, pull, refused_or
from local.smoke.throwaway import code_and_text, document

_TWO_HOURS = 7200


def _deleted_in_ecr(lab: Lab) -> Answer:
    user = lab.places.user("gone-1")
    lab.write_patiently(pull({"AWS": [user, lab.users[0]]}))
    lab.places.remove_user_now(user)
    changed = lab.wait_for(lambda: user not in lab.read())
    return Answer("unique id" if changed and "AIDA" in lab.read() else "ARN", lab.read())


def _sent_back(lab: Lab) -> Answer:
    user = lab.places.user("gone-2")
    lab.write_patiently(pull({"AWS": [user, lab.users[0]]}))
    lab.places.remove_user_now(user)
    lab.wait_for(lambda: user not in lab.read())
    return refused_or(lab, text=lab.read())


def _recreated_in_ecr(lab: Lab) -> Answer:
    user = lab.places.user("gone-3")
    lab.write_patiently(pull({"AWS": [user, lab.users[0]]}))
    lab.places.remove_user_now(user)
    lab.wait_for(lambda: user not in lab.read())
    lab.places.user("gone-3")
    return Answer("ARN again" if lab.wait_for(lambda: user in lab.read()) else "unique id", lab.read())


def _deleted_in_trust(lab: Lab) -> Answer:
    user, role = lab.places.user("gone-4"), lab.places.role("trusting", _deny(lab))
    iam = lab.places.registry.iam

    def trusted() -> bool:
        try:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(_let(user)))
        except ClientError as error:
            if "Invalid principal" in code_and_text(error):
                return False
            raise
        return True

    def kept() -> str:
        return str(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])

    lab.wait_for(trusted)
    lab.places.remove_user_now(user)
    lab.wait_for(lambda: user not in kept())
    gone = kept()
    lab.places.user("gone-4")
    if user in gone:
        return Answer("ARN", gone)
    return Answer("ARN once recreated" if lab.wait_for(lambda: user in kept()) else "unique id for ever", kept())


def _trust_quota(lab: Lab) -> Answer:
    role = lab.places.role("long", _deny(lab))
    condition = {"StringEquals": {"sts:ExternalId": ["x" * 1000 + str(number) for number in range(3)]}}
    statement = _deny(lab) | {"Condition": condition}
    try:
        lab.places.registry.iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(statement))
    except ClientError as error:
        words = code_and_text(error)
        known = "Cannot exceed quota for ACLSizePerRole: 2048"
        return Answer(known if known in words else "another text", words)
    return Answer("accepted")


def _source_identity(lab: Lab) -> Answer:
    """Who calls has to be allowed sts:SetSourceIdentity for this to say anything of the role's side."""
    ci = lab.places.ci.account
    role = lab.places.role("identity", _let(f"arn:aws:iam::{ci}:root"))
    arn = f"arn:aws:iam::{lab.places.registry.account}:role/{role}"
    sts = lab.places.ci.sts()

    def assumed(**more: str) -> bool:
        try:
            sts.assume_role(RoleArn=arn, RoleSessionName="ecrw-smoke", **more)
        except ClientError as error:
            if "AccessDenied" in code_and_text(error):
                return False
            raise
        return True

    if not lab.wait_for(assumed):
        return Answer("not even without one", "the CI profile may not call sts:AssumeRole")
    if assumed(SourceIdentity="ecrw-smoke"):
        return Answer("taken without the role's leave")
    both = _let(f"arn:aws:iam::{ci}:root") | {"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}
    lab.places.registry.iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(both))
    taken = lab.wait_for(lambda: assumed(SourceIdentity="ecrw-smoke"))
    return Answer("needs the role's leave" if taken else "refused with the role's leave")


def _chaining(lab: Lab) -> Answer:
    registry = lab.places.registry
    second = lab.places.role("chain-2", _let(f"arn:aws:iam::{registry.account}:root"), longest=_TWO_HOURS)
    first = lab.places.role("chain-1", _let(f"arn:aws:iam::{lab.places.ci.account}:root"))
    arn = f"arn:aws:iam::{registry.account}:role/"
    go_on = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn + second}
    registry.iam.put_role_policy(RoleName=first, PolicyName="chain", PolicyDocument=document(go_on))
    sts = lab.places.ci.sts()
    given: dict[str, Any] = {}

    def opened() -> bool:
        try:
            given.update(sts.assume_role(RoleArn=arn + first, RoleSessionName="ecrw-smoke")["Credentials"])
            _of(lab, given).assume_role(RoleArn=arn + second, RoleSessionName="ecrw-smoke")
        except ClientError as error:
            if "AccessDenied" in code_and_text(error):
                return False
            raise
        return True

    if not lab.wait_for(opened):
        return Answer("not even for an hour", "the CI profile may not call sts:AssumeRole")
    try:
        _of(lab, given).assume_role(RoleArn=arn + second, RoleSessionName="ecrw-smoke", DurationSeconds=_TWO_HOURS)
    except ClientError as error:
        return Answer("an hour at most", code_and_text(error))
    return Answer("longer than an hour")


def _of(lab: Lab, given: dict[str, Any]) -> Any:
    return lab.places.registry.sts(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def _let(principal: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}


def _deny(lab: Lab) -> dict[str, Any]:
    return _let(lab.places.registry.account) | {"Effect": "Deny"}


PRINCIPAL_PROBES = (
    Probe("1.6", "what does a repository policy show for a deleted user?", "unique id", _deleted_in_ecr),
    Probe("1.6", "can a policy with such an id be sent back?", "refused", _sent_back),
    Probe("9", "what does it show once a user of that name is recreated?", "unique id", _recreated_in_ecr),
    Probe("2.1", "what does a trust policy show then?", "unique id for ever", _deleted_in_trust),
    Probe(
        "2.3",
        "what does IAM say of a trust policy that is too long?",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        _trust_quota,
    ),
    Probe("9", "does SourceIdentity need the role's leave?", "needs the role's leave", _source_identity),
    Probe("2.1", "how long may a session be that a session opened?", "an hour at most", _chaining),
)
