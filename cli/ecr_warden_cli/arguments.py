"""The command line: its verbs and options, and the messages on wrong ones."""

import argparse
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, assert_never

from ecr_warden_cli.context import Group, Lazy, UsageError
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut

VERBS: Mapping[str, Lazy | Group] = {
    "validate": Lazy("check a spec: list every problem with its place and remedy", "spec", "VALIDATE"),
    "render": Lazy("show the policy documents that a spec defines", "spec", "RENDER"),
    "diff": Lazy("show who gains and who loses what between two versions of the spec", "diff", "DIFF"),
    "grant": Lazy("add a grant to the spec's file, and show who gains by it", "edit", "GRANT"),
    "revoke": Lazy("remove a grant from the spec's file, and show who loses by it", "edit", "REVOKE"),
    "plan": Lazy("show what differs and what enforcing the spec would write; reads only", "plan", "PLAN"),
    "status": Lazy(
        "show each target's state and who has access, as the hub last saw it, and what is paused", "status", "STATUS"
    ),
    "grants": Lazy("list who may pull and push according to the accepted spec", "status", "GRANTS"),
    "history": Lazy(
        "list what happened, newest first: runs, pauses, stops, accepted and refused specs", "history", "HISTORY"
    ),
    "apply": Lazy("have the hub repair drift from the accepted spec now, and wait for it", "apply", "APPLY"),
    "publish": Lazy(
        "show who gains and who loses by a spec, ask, and upload it to the hub in your name", "publish", "PUBLISH"
    ),
    "held": Lazy("list what waits for a person, and accept or reject it", "hold", "HELD"),
    "pause": Lazy("have the hub watch and report targets for a while without writing to them", "pause", "PAUSE"),
    "resume": Lazy("end pauses early, have the hub reconcile what was paused, and wait for it", "pause", "RESUME"),
    "why": Lazy(
        "say which line of the accepted spec gives somebody access, since when, and whether they have it", "why", "WHY"
    ),
    "can-i": Lazy(
        "say whether a principal can pull, push, delete or administer, and what is missing", "access", "CAN_I"
    ),
    "who-can": Lazy("list everybody who can, directly and through roles", "access", "WHO_CAN"),
    "explain-denial": Lazy("explain the error message of a denied call: what is missing", "denial", "EXPLAIN_DENIAL"),
    "snapshot": Lazy(
        "write the policies of the spec's accounts to a file that these verbs read", "snapshot", "SNAPSHOT"
    ),
    "import": Lazy("write the spec that describes what is there", "importing", "IMPORT"),
    "report": Lazy("write who can pull and push what as one page of HTML, as a table, or as JSON", "report", "REPORT"),
    "dev": Group(
        "tools for people who write policies, build on ecr-warden, or complete commands with the tab key",
        "ecr-warden dev policy-lint examples/policy/live.json",
        {
            "policy-compare": Lazy("say which of two policy documents allows more", "policy_compare", "COMPARE"),
            "policy-evaluate": Lazy(
                "say whether policies allow requests (JSON Lines in and out)", "policy_evaluate", "EVALUATE"
            ),
            "policy-lint": Lazy("find problems in policy documents", "policy_lint", "LINT"),
            "event": Lazy("say what ecr-warden would do about an event of AWS", "event", "EXPLAIN"),
            "completion": Lazy("print the script by which a shell completes this command", "completion", "COMPLETION"),
        },
    ),
}

_DESCRIPTION = (
    "Keeps the policy documents that let one AWS account push to and pull from another account's ECR repositories "
    "equal to a spec. This command never writes to an account; apply has the deployed hub do it."
)
_EPILOG = """\
example:
  ecr-warden validate examples/seed/access.yaml
  ecr-warden who-can push shop/checkout --snapshot examples/who-can/estate.json

exit codes: 0 fine, 1 error, 2 something differs"""
_SHOWN = 500

type _IsAsked = Callable[..., bool]
"""Whether the verb by these words is asked for."""


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


class _Help(argparse.RawDescriptionHelpFormatter):
    """Wraps each paragraph of a description, and leaves the examples as they are: they are to be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return super()._fill_text(text, width, indent)
        wrap = argparse.HelpFormatter._fill_text
        return "\n\n".join(wrap(self, paragraph, width, indent) for paragraph in text.split("\n\n"))


class _Version(argparse.Action):
    """Looks the version up when asked for it: the look-up takes as long as a small validate."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        print(f"ecr-warden {importlib.metadata.version('ecr-warden')}")
        parser.exit()


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The verb and its arguments; raises UsageError, and SystemExit(0) after --help and --version."""
    words = [one for one in argv if not one.startswith("-")]
    arguments, unknown = _parser(lambda *path: [*path] == words[: len(path)]).parse_known_args(argv)
    if unknown:
        # argparse's own error would name the help of the whole command, not of the verb.
        meant = advice(nearest(unknown[0].partition("=")[0], arguments.options)) if unknown[0].startswith("-") else ""
        remedy = f"{meant}see {arguments.prog} --help"
        raise UsageError(f"unrecognized arguments: {cut(' '.join(unknown), _SHOWN)}", remedy=remedy)
    return arguments


def parser_of_all_verbs() -> argparse.ArgumentParser:
    """The whole command, with every verb loaded."""
    return _parser(lambda *_: True)


def _parser(is_asked: _IsAsked) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ecr-warden",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    _add_verbs(parser, VERBS, is_asked)
    return parser


def _add_verbs(
    parser: argparse.ArgumentParser, verbs: Mapping[str, Lazy | Group], is_asked: _IsAsked, *group: str, **json: Any
) -> None:
    """Add the verbs; only what is asked for is loaded, and has its arguments.

    `group`: the words before these verbs. `json`: settings of --json. A verb in a group leaves it unset, so that
    `policy --json lint` keeps the flag.
    """
    choices = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    for name, lazy in verbs.items():
        sub = choices.add_parser(
            name,
            help=lazy.summary,
            formatter_class=_Help,
            allow_abbrev=False,
        )
        sub.description = f"{lazy.summary[0].upper()}{lazy.summary[1:]}."
        if not is_asked(*group, name):
            continue
        match lazy:
            case Lazy():
                verb = lazy.load()
                sub.description = verb.description or sub.description
                sub.epilog = f"example:\n  {verb.example}"
                verb.add_arguments(sub)
                sub.add_argument("--json", action="store_true", help=verb.json_help, **json)
                options = [option for action in sub._actions for option in action.option_strings]
                sub.set_defaults(run=verb.run, prog=sub.prog, options=options)
            case Group():
                sub.epilog = f"example:\n  {lazy.example}"
                _add_verbs(sub, lazy.verbs, is_asked, *group, name, default=argparse.SUPPRESS)
                sub.add_argument("--json", action="store_true", help="see the help of each verb")
            case _:
                assert_never(lazy)
