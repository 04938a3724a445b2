"""The command line: its verbs and options, and the messages on wrong ones."""

import argparse
import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, assert_never

from ecr_warden.policy.nearest import advice, nearest
from ecr_warden.policy.printable import cut

from ecr_warden_cli.context import Group, UsageError, Verb
from ecr_warden_cli.verbs.access import CAN, CAN_I, WHO_CAN
from ecr_warden_cli.verbs.apply import APPLY
from ecr_warden_cli.verbs.denial import EXPLAIN_DENIAL
from ecr_warden_cli.verbs.diff import DIFF
from ecr_warden_cli.verbs.event import EXPLAIN
from ecr_warden_cli.verbs.history import HISTORY, SHOW
from ecr_warden_cli.verbs.hold import ACCEPT, HELD, REJECT
from ecr_warden_cli.verbs.importing import IMPORT
from ecr_warden_cli.verbs.pause import PAUSE, RESUME
from ecr_warden_cli.verbs.plan import PLAN
from ecr_warden_cli.verbs.policy_compare import COMPARE
from ecr_warden_cli.verbs.policy_evaluate import EVALUATE
from ecr_warden_cli.verbs.policy_lint import LINT
from ecr_warden_cli.verbs.publish import PUBLISH
from ecr_warden_cli.verbs.report import REPORT
from ecr_warden_cli.verbs.snapshot import SNAPSHOT
from ecr_warden_cli.verbs.spec import RENDER, VALIDATE
from ecr_warden_cli.verbs.status import GRANTS, STATUS
from ecr_warden_cli.verbs.verify import VERIFY

VERBS: Mapping[str, Verb | Group] = {
    "validate": VALIDATE,
    "render": RENDER,
    "diff": DIFF,
    "plan": PLAN,
    "verify": VERIFY,
    "status": STATUS,
    "grants": GRANTS,
    "history": HISTORY,
    "show": SHOW,
    "apply": APPLY,
    "publish": PUBLISH,
    "held": HELD,
    "accept": ACCEPT,
    "reject": REJECT,
    "pause": PAUSE,
    "resume": RESUME,
    "can-i": CAN_I,
    "who-can": WHO_CAN,
    "can": CAN,
    "explain-denial": EXPLAIN_DENIAL,
    "snapshot": SNAPSHOT,
    "import": IMPORT,
    "report": REPORT,
    "policy": Group(
        "compare, evaluate and lint policy documents", {"compare": COMPARE, "evaluate": EVALUATE, "lint": LINT}
    ),
    "event": Group("explain events", {"explain": EXPLAIN}),
}

_DESCRIPTION = """\
Keeps the policy documents that let one AWS account push to and pull from another
account's ECR repositories equal to a spec. This command never writes to an account;
apply has the deployed hub do it."""
_EPILOG = """\
example:
  ecr-warden validate access.yaml && ecr-warden plan access.yaml --profile ci=ci-read

exit codes: 0 fine, 1 error, 2 something differs"""
_SHOWN = 500


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and exit with 2, which means a difference here."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(cut(message, _SHOWN), remedy=f"see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse offers the nearest choice from Python 3.14 on.
        if action.metavar == "VERB" and action.choices is not None and value not in action.choices:
            meant = advice(nearest(str(value), action.choices))
            raise UsageError(f"there is no verb {cut(str(value), _SHOWN)!a}", remedy=f"{meant}see {self.prog} --help")
        super()._check_value(action, value)


class _Version(argparse.Action):
    """Looks the version up when asked for it: the look-up takes as long as a small validate."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        print(f"ecr-warden {importlib.metadata.version('ecr-warden')}")
        parser.exit()


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The verb and its arguments; raises UsageError, and SystemExit(0) after --help and --version."""
    parser = _Parser(
        prog="ecr-warden",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    _add_verbs(parser, VERBS)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # argparse's own error would name the help of the whole command, not of the verb.
        raise UsageError(
            f"unrecognized arguments: {cut(' '.join(unknown), _SHOWN)}", remedy=f"see {arguments.prog} --help"
        )
    return arguments


def _add_verbs(parser: argparse.ArgumentParser, verbs: Mapping[str, Verb | Group], **json: Any) -> None:
    """`json`: settings of --json. A verb in a group leaves it unset, so that `policy --json lint` keeps the flag."""
    choices = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    for name, verb in verbs.items():
        sub = choices.add_parser(
            name,
            help=verb.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        sub.description = f"{verb.summary[0].upper()}{verb.summary[1:]}."
        match verb:
            case Verb():
                sub.description = verb.description or sub.description
                sub.epilog = f"example:\n  {verb.example}"
                verb.add_arguments(sub)
                sub.set_defaults(run=verb.run, prog=sub.prog)
                sub.add_argument("--json", action="store_true", help=verb.json_help, **json)
            case Group():
                _add_verbs(sub, verb.verbs, default=argparse.SUPPRESS)
                sub.add_argument("--json", action="store_true", help="see the help of each verb")
            case _:
                assert_never(verb)
