"""Accounts that nobody planned: repositories and policies as people, tools and AWS leave them behind over the years.

The same numbers always make the same accounts. They can be had as a snapshot, and be created through boto3.

The shares of `_HABITS` are guesses at what registries look like. Nothing in them is made for how ecr-warden works.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from local.testing.printed import complete

CI, REGISTRY, RUN = "111111111111", "222222222222", "333333333333"
UNKNOWN = "999999999999"
ORGANIZATION = "o-a1b2c3d4e5"
HOME, OTHER = "eu-central-1", "us-east-1"
GITHUB = "token.actions.githubusercontent.com"

type Json = dict[str, Any]

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
CHECK = "ecr:BatchCheckLayerAvailability"
TOKEN = "ecr:GetAuthorizationToken"
PUSH = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart", CHECK]
_DEPARTMENTS = ("shop", "billing", "search", "data", "platform", "mobile")
_PARTS = ("api", "web", "worker", "cron", "proxy", "loader", "admin", "events")
_READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"


@dataclass(slots=True)
class Person:
    """A user or role. `inline`: policies by name; `trust` is None for a user; `gone`: it was deleted later."""

    arn: str
    inline: dict[str, Json] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    trust: Json | None = None
    gone: bool = False

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def unique_id(self) -> str:
        """The ID that AWS shows in a policy once the user or role is gone."""
        letters = "".join(character for character in self.name.upper() if character.isalnum())
        return f"{'AIDA' if self.trust is None else 'AROA'}{letters:X<17}"


@dataclass(slots=True)
class Image:
    """A repository; `policy` is the text as somebody wrote it, None for none."""

    account: str
    region: str
    name: str
    policy: str | None = None


@dataclass(slots=True)
class Grown:
    """The accounts."""

    people: list[Person]
    images: list[Image]
    providers: list[str]
    accounts: tuple[str, ...] = (CI, REGISTRY, RUN)

    def moved(self, *accounts: str) -> "Grown":
        """The same in other accounts, given in the order of `accounts`."""

        def moved(value: Any) -> Any:
            text = json.dumps(value)
            for old, new in zip(self.accounts, accounts, strict=True):
                text = text.replace(old, new)
            return json.loads(text)

        people = [Person(**moved(asdict(person))) for person in self.people]
        images = [Image(**moved(asdict(image))) for image in self.images]
        return Grown(people, images, moved(self.providers), accounts)

    def snapshot(self, taken_at: str = "2026-11-27T04:00:00Z") -> Json:
        """What `ecr-warden snapshot` would write of the accounts."""
        accounts: Json = {account: {"iam": self._iam(account), "ecr": {}} for account in self.accounts}
        gone = {person.arn: person.unique_id for person in self.people if person.gone}
        for image in self.images:
            policy = image.policy
            for arn, unique_id in gone.items():
                policy = policy and policy.replace(f'"{arn}"', f'"{unique_id}"')
            registry = accounts[image.account]["ecr"].setdefault(image.region, {"repositories": []})
            registry["repositories"].append({"repositoryName": image.name, "policy": policy})
        for arn in self.providers:
            accounts[arn.split(":")[4]].setdefault("oidcProviders", []).append(arn)
        return complete({"schema": 1, "takenAt": taken_at, "accounts": accounts})

    def _iam(self, account: str) -> Json:
        users, roles = [], []
        for person in self.people:
            if person.account != account or person.gone:
                continue
            kind = "User" if person.trust is None else "Role"
            inline = [{"PolicyName": name, "PolicyDocument": one} for name, one in person.inline.items()]
            entry: Json = {"Arn": person.arn, f"{kind}Id": person.unique_id, f"{kind}PolicyList": inline}
            entry["AttachedManagedPolicies"] = [
                {"PolicyArn": arn, "PolicyName": arn.rpartition("/")[2]} for arn in person.attached
            ]
            if person.trust is None:
                users.append(entry)
            else:
                roles.append(entry | {"AssumeRolePolicyDocument": person.trust})
        versions = [{"VersionId": "v3", "IsDefaultVersion": True, "Document": _read_only()}]
        policies = [{"Arn": _READ_ONLY, "PolicyVersionList": versions}]
        return {"UserDetailList": users, "RoleDetailList": roles, "GroupDetailList": [], "Policies": policies}

    def seed(self, client: Callable[[str, str, str], Any]) -> None:
        """Create everything; `client`: (account, service, region) to a boto3 client.

        AWS's managed policy becomes an inline one of its name: an embedded AWS need not have it.
        """
        for arn in self.providers:
            client(arn.split(":")[4], "iam", HOME).create_open_id_connect_provider(
                Url=f"https://{arn.rpartition('oidc-provider/')[2]}", ClientIDList=["sts.amazonaws.com"]
            )
        # Whoever is trusted has to be there first: users, then roles in the order in which they were made.
        for person in sorted(self.people, key=lambda one: one.trust is not None):
            _create(person, client(person.account, "iam", HOME))
        for image in self.images:
            ecr = client(image.account, "ecr", image.region)
            ecr.create_repository(repositoryName=image.name)
            if image.policy is not None:
                ecr.set_repository_policy(repositoryName=image.name, policyText=image.policy)
        for person in self.people:
            if person.gone:
                client(person.account, "iam", HOME).delete_user(UserName=person.name)


def _create(person: Person, iam: Any) -> None:
    inline = dict(person.inline) | {arn.rpartition("/")[2]: _read_only() for arn in person.attached}
    if person.trust is None:
        iam.create_user(UserName=person.name)
        for name, document in inline.items():
            iam.put_user_policy(UserName=person.name, PolicyName=name, PolicyDocument=json.dumps(document))
    else:
        iam.create_role(RoleName=person.name, AssumeRolePolicyDocument=json.dumps(person.trust))
        for name, document in inline.items():
            iam.put_role_policy(RoleName=person.name, PolicyName=name, PolicyDocument=json.dumps(document))


def grown(repositories: int = 200, seed: int = 1) -> Grown:
    """Three accounts: one that builds, one that has most of the images, one that runs them."""
    return _Growth(Random(seed)).grow(repositories)


def _document(*statements: Json, version: str = "2012-10-17") -> Json:
    return {"Version": version, "Statement": list(statements)}


def _allow(actions: str | list[str], **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, **more}


def _read_only() -> Json:
    more = ["ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:GetRepositoryPolicy"]
    return _document(_allow([TOKEN, CHECK, *PULL, *more], Resource="*"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a repository is."""

    account: str
    department: str


class _Growth:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._people: list[Person] = []
        self._images: list[Image] = []
        self._clusters: list[Person] = []
        self._builders: list[Person] = []
        self._gone: list[Person] = []

    def grow(self, repositories: int) -> Grown:
        for department in _DEPARTMENTS:
            self._settle(department)
        names = self._names(repositories)
        for name in names:
            self._add_image(name)
        for department in _DEPARTMENTS:
            self._add_pushers(department)
        return Grown(self._people, self._images, [f"arn:aws:iam::{REGISTRY}:oidc-provider/{GITHUB}"])

    def _names(self, number: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < number:
            department, part = self._random.choice(_DEPARTMENTS), self._random.choice(_PARTS)
            found[f"{department}/{part}-{self._random.randrange(10 * number)}"] = None
        return list(found)

    # Who is there

    def _settle(self, department: str) -> None:
        for stage in ("dev", "prod"):
            role = self._person(RUN, f"role/{department}-{stage}-nodes", trust=_service("ec2.amazonaws.com"))
            role.attached.append(_READ_ONLY)
            self._clusters.append(role)
        task = self._person(RUN, f"role/{department}-tasks", trust=_service("ecs-tasks.amazonaws.com"))
        arns = f"arn:aws:ecr:{HOME}:{REGISTRY}:repository/{department}/*"
        task.inline["pull"] = _document(_allow(TOKEN, Resource="*"), _allow([*PULL, CHECK], Resource=arns))
        self._clusters.append(task)
        builder = self._person(CI, f"user/{department}-builder")
        builder.inline["ecr"] = _document(_allow("ecr:*", Resource="*"))
        self._builders.append(builder)
        # Somebody who was named in policies, and was never given a policy of their own.
        self._clusters.append(self._person(RUN, f"role/{department}-debug", trust=_service("ec2.amazonaws.com")))
        left = self._person(CI, f"user/{department}-left-us")
        left.gone = True
        self._gone.append(left)

    def _person(self, account: str, resource: str, *, trust: Json | None = None) -> Person:
        made = Person(f"arn:aws:iam::{account}:{resource}", trust=trust)
        self._people.append(made)
        return made

    def _add_pushers(self, department: str) -> None:
        arn = f"arn:aws:ecr:{HOME}:{REGISTRY}:repository/{department}/*"
        policy = _document(_allow(TOKEN, Resource="*"), _allow([*PUSH, *PULL], Resource=arn))
        if self._random.random() < 0.5:
            subject = {
                "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
                "StringLike": {f"{GITHUB}:sub": f"repo:acme/{department}:*"},
            }
            provider = {"Federated": f"arn:aws:iam::{REGISTRY}:oidc-provider/{GITHUB}"}
            trust = _allow("sts:AssumeRoleWithWebIdentity", Principal=provider, Condition=subject)
            self._person(REGISTRY, f"role/github-{department}", trust=_document(trust)).inline["push"] = policy
            return
        builder = next(one for one in self._builders if one.name.startswith(department))
        trust = _allow("sts:AssumeRole", Principal={"AWS": builder.arn})
        role = self._person(REGISTRY, f"role/{department}-pusher", trust=_document(trust))
        role.inline["push"] = policy
        builder.inline["assume"] = _document(_allow("sts:AssumeRole", Resource=role.arn))

    # What the repositories' policies say

    def _add_image(self, name: str) -> None:
        account = RUN if self._random.random() < 0.1 else REGISTRY
        habits, shares = zip(*_HABITS, strict=True)
        habit = self._random.choices(habits, shares)[0]
        policy = habit(self, _Place(account, name.partition("/")[0]))
        regions = (HOME, OTHER) if self._random.random() < 0.1 else (HOME,)
        for region in regions:
            text = None if policy is None else json.dumps(policy).replace("REGION", region)
            # Somebody forgot the other region.
            forgotten = region == OTHER and self._random.random() < 0.3
            self._images.append(Image(account, region, name, None if forgotten else text))

    def _pullers(self, department: str) -> list[str]:
        own = [one for one in self._clusters if one.name.startswith(department)]
        usual = [one for one in own if not one.name.endswith("-debug")]
        named = usual if self._random.random() < 0.92 else own
        number = self._random.randint(1, len(named))
        return [one.arn for one in sorted(self._random.sample(named, number), key=lambda one: one.arn)]

    def _written(self, values: list[str]) -> str | list[str]:
        return values[0] if len(values) == 1 and self._random.random() < 0.5 else values

    def _aws(self, department: str) -> Json:
        return {"AWS": self._written(self._pullers(department))}

    def _plain(self, to: _Place) -> Json:
        # The console still writes the old version.
        version = self._random.choice(("2012-10-17", "2008-10-17"))
        return _document(_allow(self._shuffled(PULL), Sid="pull", Principal=self._aws(to.department)), version=version)

    def _shuffled(self, values: Sequence[str]) -> list[str]:
        found = list(values)
        self._random.shuffle(found)
        return found

    def _split(self, to: _Place) -> Json:
        names = self._pullers(to.department)
        statements = [_allow(action, Principal={"AWS": name}) for name in names for action in self._shuffled(PULL)]
        return _document(*statements, *statements[:1])

    def _account(self, _to: _Place) -> Json:
        who = self._random.choice((RUN, f"arn:aws:iam::{RUN}:root", [f"arn:aws:iam::{CI}:root", RUN]))
        return _document(_allow(PULL, Sid="AllowCrossAccountPull", Principal={"AWS": who}))

    def _of_lambda(self, to: _Place) -> Json:
        condition = {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:REGION:{to.account}:function:*"}}
        actions = [*PULL, "ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy", "ecr:GetRepositoryPolicy"]
        own = _allow(
            actions,
            Sid="LambdaECRImageRetrievalPolicy",
            Principal={"Service": "lambda.amazonaws.com"},
            Condition=condition,
        )
        return _document(own) if self._random.random() < 0.3 else _document(*self._plain(to)["Statement"], own)

    def _organization(self, _to: _Place) -> Json:
        condition = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
        return _document(_allow(PULL, Principal="*", Condition=condition))

    def _codebuild(self, _to: _Place) -> Json:
        condition = {"StringEquals": {"aws:SourceAccount": CI}}
        return _document(_allow(PULL, Principal={"Service": "codebuild.amazonaws.com"}, Condition=condition))

    def _with_gone(self, to: _Place) -> Json:
        gone = self._random.choice(self._gone).arn
        return _document(_allow(PULL, Principal={"AWS": [*self._pullers(to.department), gone]}))

    def _with_login(self, to: _Place) -> Json:
        return _document(_allow([*PULL, TOKEN], Principal=self._aws(to.department)))

    def _with_check(self, to: _Place) -> Json:
        return _document(_allow([CHECK, *PULL], Principal=self._aws(to.department)))

    def _reading(self, to: _Place) -> Json:
        more = [CHECK, "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages"]
        return _document(_allow([*PULL, *more], Principal=self._aws(to.department)))

    def _public(self, _to: _Place) -> Json:
        return _document(_allow(PULL, Principal="*"))

    def _unknown(self, to: _Place) -> Json:
        return _document(
            _allow(PULL, Principal={"AWS": [*self._pullers(to.department), f"arn:aws:iam::{UNKNOWN}:root"]})
        )

    def _pushing(self, to: _Place) -> Json:
        builder = next(one.arn for one in self._builders if one.name.startswith(to.department))
        pushed = _allow([*PUSH, *PULL], Sid="push", Principal={"AWS": builder})
        return _document(pushed, _allow(PULL, Principal=self._aws(to.department)))

    def _conditioned(self, to: _Place) -> Json:
        condition = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
        return _document(_allow(PULL, Principal=self._aws(to.department), Condition=condition))

    def _everything(self, _to: _Place) -> Json:
        return _document(_allow("ecr:*", Principal={"AWS": f"arn:aws:iam::{RUN}:root"}))

    def _denying(self, to: _Place) -> Json:
        denied = {
            "Effect": "Deny",
            "NotPrincipal": {"AWS": self._pullers(to.department)},
            "Action": "ecr:BatchGetImage",
        }
        return _document(_allow(PULL, Principal=self._aws(to.department)), denied)


def _no_policy(_growth: _Growth, _to: _Place) -> None:
    return None


type _Habit = Callable[[_Growth, _Place], Json | None]
_HABITS: list[tuple[_Habit, int]] = [
    (_no_policy, 8),
    (_Growth._plain, 32),
    (_Growth._split, 8),
    (_Growth._account, 18),
    (_Growth._of_lambda, 8),
    (_Growth._organization, 4),
    (_Growth._codebuild, 2),
    (_Growth._with_gone, 4),
    (_Growth._with_login, 3),
    (_Growth._with_check, 6),
    (_Growth._reading, 3),
    (_Growth._public, 2),
    (_Growth._unknown, 2),
    (_Growth._pushing, 2),
    (_Growth._conditioned, 1),
    (_Growth._everything, 1),
    (_Growth._denying, 1),
]
"""How a repository got its policy, and how often in proportion to the others."""


def _service(name: str) -> Json:
    return _document(_allow("sts:AssumeRole", Principal={"Service": name}))


def repositories_of(snapshot: Json) -> Iterator[Json]:
    """Every repository's entry of a snapshot."""
    for account in snapshot["accounts"].values():
        for registry in account["ecr"].values():
            yield from registry["repositories"]
