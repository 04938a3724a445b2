"""Every field of ecr-warden.yaml; docs/schema/deployment.schema.json is written from these tables."""

from ecr_warden.access_spec.problems import Code
from ecr_warden.access_spec.shapes import AccountId, ListOf, MapOf, Record, SpecField, TextShape, Whole
from ecr_warden.core.own_access import Writes

FORMAT_VERSION = 1
# As stacks/member.yaml has them: no entry covers all users or roles, and none our own.
_NAME = "(?!ecr-warden/)[A-Za-z0-9+=.@_/-]*[A-Za-z0-9+=.@_-]"
OWNER, ROLE = rf"(user|role)/{_NAME}(/\*)?", f"role/{_NAME}"
# A sweep is late after SweepAlarmHours, which are 24 at most.
_RATE = r"rate\((1 minute|1 hour|([2-9]|[1-9][0-9]{1,2}) minutes|([2-9]|1[0-9]|2[0-3]) hours)\)"
_CRON = r"cron\(([A-Za-z0-9*?,/#-]+ ){5}[A-Za-z0-9*?,/#-]+\)"
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html - letters of any language, and a few signs.
TAG_SIGNS = r"[^\x00-\x1f\x7f!-*,;<>?\[-^`{-~]"
EMAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}\.[A-Za-z]{2,63}"
BOUNDARY = "([A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]+"
ROLE_NAME = "[A-Za-z0-9+=,.@_/-]{1,512}"
WEBHOOK = "ssm:/[A-Za-z0-9_./-]{1,1000}|secretsmanager:[A-Za-z0-9_/+=.@-]{1,512}"

_ACCOUNT = TextShape("an account's alias or ID")
_REGIONS = ListOf(TextShape("a region"))
_WRITES = TextShape("a choice of writes", tuple(Writes))
_OWNERS = ListOf(TextShape("a user, a role or a path of them", form=OWNER, example="user/NAME, role/NAME or user/ci/*"))
_WRITES_MEANING = (
    "What ecr-warden may write there: none; identities, inline policies of the owners; all, also repository policies "
    "and push roles."
)
_OWNERS_MEANING = (
    "Users and roles whose inline policies ecr-warden may write: user/NAME, role/PATH/NAME, or a path such as "
    "user/ci/*, which covers whoever is in it later."
)
_ALIAS_OR_ID = "an account's alias under accounts:, or the 12 digits of another account in quotes."

PARAMETERS = Record(
    "list of parameters",
    (
        SpecField("Architecture", TextShape("an architecture", ("arm64", "x86_64")), "Of the functions."),
        SpecField("SweepShare", Whole(10, 100), "Percent of the calls that AWS answers which sweeps may use."),
        SpecField("SessionCutoffMargin", Whole(0, 900), "Seconds after a repair in which sessions are still denied."),
        SpecField("VerdictPatience", Whole(60, 86400), "Seconds after which a spec that nobody could judge waits."),
        SpecField(
            "MaxRemoved",
            Whole(0, 100_000),
            "How many grants versions of the spec may remove within 24 hours before one waits for a person; by default "
            "20 % of those that there are, and at least 5.",
        ),
        SpecField("ReservedForRepairs", Whole(10, 9999), "Concurrent executions that only repairs may use."),
        SpecField(
            "LogRetentionDays",
            Whole(7, 3653, choices=(7, 14, 30, 60, 90, 120, 180, 365, 400, 545, 731, 1096, 1827, 3653)),
            "Of the functions' logs.",
        ),
        SpecField("LogLevel", TextShape("a log level", ("DEBUG", "INFO", "WARNING", "ERROR")), "Of the functions."),
        SpecField("SweepAlarmHours", Whole(1, 24), "Hours without a finished sweep after which an alarm fires."),
    ),
)
"""Those of template.yaml that no other field sets."""

DEPLOYMENT = Record(
    "deployment",
    (
        SpecField(
            "version",
            Whole(FORMAT_VERSION, FORMAT_VERSION, Code.VERSION, 'version "{}" is not supported'),
            "The version of this format: 1.",
            required=True,
        ),
        SpecField(
            "hub",
            Record(
                "hub",
                (
                    SpecField("account", _ACCOUNT, f"Where the hub runs: {_ALIAS_OR_ID}", required=True),
                    SpecField("region", TextShape("a region"), "The hub's region.", required=True),
                ),
            ),
            "The account and region where ecr-warden runs.",
            required=True,
        ),
        SpecField(
            "accounts",
            MapOf(
                Record(
                    "member account",
                    (
                        SpecField("id", AccountId(), "The 12 digits, in quotes.", required=True),
                        SpecField("regions", _REGIONS, "The regions of its repositories."),
                        SpecField("writes", _WRITES, _WRITES_MEANING, required=True),
                        SpecField("owners", _OWNERS, _OWNERS_MEANING),
                        SpecField(
                            "roles",
                            ListOf(TextShape("a role", form=ROLE, example="role/NAME")),
                            "Roles of others that literal documents name, as role/NAME: their trust policies may be "
                            "written, too.",
                        ),
                        SpecField(
                            "profile",
                            TextShape("a profile"),
                            needless="profiles differ by person; pass --profile ALIAS=PROFILE",
                        ),
                    ),
                )
            ),
            "The members that get stacks of their own, each by the alias that it has in the spec.",
        ),
        SpecField(
            "organization",
            Record(
                "organization",
                (
                    SpecField(
                        "id",
                        TextShape("an organization's ID", form="o-[a-z0-9]{10,32}", example="o-a1b2c3d4e5"),
                        "The organization whose accounts may send events to the hub.",
                        required=True,
                    ),
                    SpecField(
                        "account",
                        _ACCOUNT,
                        f"The delegated administrator of StackSets, or the management account: {_ALIAS_OR_ID}",
                    ),
                    SpecField(
                        "units",
                        ListOf(
                            TextShape(
                                "an organizational unit or a root",
                                form="ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}",
                                example="ou-ab12-34567890",
                            ),
                            nonempty=True,
                        ),
                        "The units whose accounts are members by StackSets, beside those under accounts:.",
                    ),
                    SpecField("regions", _REGIONS, "The regions of their repositories."),
                    SpecField("writes", _WRITES, _WRITES_MEANING),
                    SpecField("owners", _OWNERS, _OWNERS_MEANING),
                ),
            ),
            "The AWS organization.",
        ),
        SpecField(
            "alerts",
            Record(
                "list of channels",
                (
                    SpecField(
                        "email",
                        TextShape("an e-mail address", form=EMAIL, example="team@example.com"),
                        "Where AWS sends alerts and alarms; whoever reads it has to confirm twice.",
                    ),
                    SpecField(
                        "webhook",
                        TextShape(
                            "a place of the webhook's URL",
                            form=WEBHOOK,
                            example="ssm:/NAME or secretsmanager:NAME; the URL is a secret and stays there",
                        ),
                        "Where the URL of a chat's webhook is stored: ssm:/NAME or secretsmanager:NAME.",
                    ),
                    SpecField(
                        "pagerduty",
                        TextShape(
                            "a place of an integration's key",
                            form=WEBHOOK,
                            example="ssm:/NAME or secretsmanager:NAME; the key is a secret and stays there",
                        ),
                        "Where the key of a PagerDuty integration (Events API v2) is stored, alone or after its URL "
                        "and a space: ssm:/NAME or secretsmanager:NAME.",
                    ),
                ),
            ),
            "How people are informed.",
        ),
        SpecField(
            "schedule",
            TextShape(
                "a schedule of at most 23 hours",
                form=f"{_RATE}|{_CRON}",
                example="rate(15 minutes), rate(1 hour) or cron(0 * * * ? *)",
            ),
            "How often everything is compared; by default every 15 minutes up to 20 members, and hourly above.",
        ),
        SpecField(
            "assume_role",
            TextShape("a role's name", form=ROLE_NAME, example="OrganizationAccountAccessRole"),
            "The role that whoever deploys assumes in each account; by default their own credentials for it.",
        ),
        SpecField(
            "role_boundary",
            TextShape(
                "a managed policy",
                form=BOUNDARY,
                example="its name with its path, such as company/boundary; it is one of each account",
            ),
            "The permissions boundary that your company demands on roles, by its name with its path, in each account.",
        ),
        SpecField(
            "tags",
            MapOf(TextShape("a tag's value", form=f"{TAG_SIGNS}{{1,256}}", example="letters, digits and _.:/=+-@")),
            "Tags of every stack, which CloudFormation gives to what is in it.",
        ),
        SpecField("parameters", PARAMETERS, "Further parameters of the hub's template."),
    ),
)
