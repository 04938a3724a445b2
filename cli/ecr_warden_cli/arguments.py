"""The command line: its verbs and options, and how it says that it does not understand."""

import argparse
import difflib
import importlib.metadata
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from ecr_warden_cli.console import cut
from ecr_warden_cli.context import UsageError
from ecr_warden_cli.verbs import (
    apply,
    event,
    grants,
    history,
    pause,
    plan,
    policy,
    render,
    resume,
    show,
    status,
    validate,
    verify,
)

VERBS: dict[str, ModuleType] = {
    "validate": validate,
    "render": render,
    "plan": plan,
    "verify": verify,
    "status": status,
    "grants": grants,
    "history": history,
    "show": show,
    "apply": apply,
    "pause": pause,
    "resume": resume,
    "policy": policy,
    "event": event,
}

_DESCRIPTION = """\
Keeps the policy documents that let one AWS account push to and pull from another's
ECR repositories equal to a file. This command never writes to an account; apply has
the deployed hub do it."""
_EPILOG = """\
example:
  ecr-warden validate access.yaml && ecr-warden plan access.yaml --profile ci=ci-read

exit codes: 0 fine, 1 error, 2 something differs"""
_SHOWN = 500
_JSON_HELP = "one JSON object on stdout; docs/cli.md describes it"


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and exit with 2, which means a difference here."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(cut(message, _SHOWN), remedy=f"see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse offers the nearest choice from Python 3.14 on.
        if action.metavar == "VERB" and action.choices is not None and value not in action.choices:
            near = difflib.get_close_matches(str(value), [*action.choices], n=1)
            meant = f"did you mean {near[0]}? " if near else ""
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
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.SUMMARY,
            description=f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}.",
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(verb)
        verb.add_argument("--json", action="store_true", help=getattr(module, "JSON_HELP", _JSON_HELP))
        # A verb of a verb sets its own: it is asked later.
        verb.set_defaults(run=module.run, prog=verb.prog)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # Only here, for argparse itself would name the help of all verbs.
        raise UsageError(
            f"unrecognized arguments: {cut(' '.join(unknown), _SHOWN)}", remedy=f"see {arguments.prog} --help"
        )
    return arguments
