"""`policy VERB`: the policy engine for people and scripts; reads no account and no spec."""

import argparse
from types import ModuleType

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context
from ecr_warden_cli.verbs import policy_compare, policy_evaluate, policy_lint

SUMMARY = "ask the policy engine about documents"
EXAMPLE = "ecr-warden policy evaluate < requests.jsonl"
JSON_HELP = "as of the verb: see ecr-warden policy VERB --help"

VERBS: dict[str, ModuleType] = {"compare": policy_compare, "evaluate": policy_evaluate, "lint": policy_lint}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="policy_verb", metavar="VERB", required=True, title="verbs")
    for name, module in VERBS.items():
        verb = verbs.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(verb)
        verb.set_defaults(prog=verb.prog)
        # Suppressed, so that the flag before the verb is not forgotten again.
        verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=module.JSON_HELP)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    code: Exit = VERBS[arguments.policy_verb].run(arguments, context)
    return code
