"""The command line: its verbs and options, and the messages on wrong ones."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ecr_warden import __version__
from ecr_warden_cli.terminal.context import Argument, Arguments, Lazy, UsageError
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut

_GROUPS: Mapping[str, Mapping[str, Lazy]] = {
    "the spec: who should have access?": {
        "validate": Lazy("find every mistake in a spec", "spec", "VALIDATE"),
        "render": Lazy("show the policy documents that a spec stands for", "spec", "RENDER"),
        "grant": Lazy("let somebody pull or push: change the spec's file", "edit", "GRANT"),
        "revoke": Lazy("take a grant back: change the spec's file", "edit", "REVOKE"),
        "import": Lazy("write the spec that describes the accounts as they are", "importing", "IMPORT"),
        "diff": Lazy("say who would gain and who would lose access by a file", "diff", "DIFF"),
        "plan": Lazy(
            "show what would be written to the accounts by a file, or by the accepted version", "plan", "PLAN"
        ),
        "apply": Lazy("upload a file: from now on it says who should have access", "apply", "APPLY"),
        "rollback": Lazy("go back to an earlier version of the spec", "apply", "ROLLBACK"),
        "versions": Lazy("list the versions of the spec, or print the text of one", "versions", "VERSIONS"),
    },
    "the truth: who has access?": {
        "can-i": Lazy("say whether somebody can pull or push, or list what they can do", "access", "CAN_I"),
        "who-can": Lazy("list everybody who can pull or push, directly and through roles", "access", "WHO_CAN"),
        "what-if": Lazy("say who would gain and who would lose if policies were different", "what_if", "WHAT_IF"),
        "explain-denial": Lazy("say why a call was denied, by its error message on stdin", "denial", "EXPLAIN_DENIAL"),
        "check": Lazy("say whether the accounts are as the spec says, and who else has access", "check", "CHECK"),
        "report": Lazy("write who can pull and push what, as a page or a table", "report", "REPORT"),
        "snapshot": Lazy("write the policies of the accounts to a file", "snapshot", "SNAPSHOT"),
    },
    "the hub: what does ecr-warden do?": {
        "status": Lazy("say whether all is well, and what is wrong, the worst first", "status", "STATUS"),
        "history": Lazy("list what happened, and show one run in full", "history", "HISTORY"),
        "pushed": Lazy("list who pushed to a repository, and what nobody had a right to push", "pushed", "PUSHED_TO"),
        "incidents": Lazy("list what people were alerted of: what lasts, and what is over", "incidents", "INCIDENTS"),
        "ack": Lazy("say that you work on an incident: nobody is reminded of it", "incidents", "ACK"),
        "test-alert": Lazy("send a test message by each channel, and wait until it leaves", "incidents", "TEST_ALERT"),
        "held": Lazy("list what waits for a person to accept or reject it", "hold", "HELD"),
        "accept": Lazy("let what waits take effect", "hold", "ACCEPT"),
        "reject": Lazy("keep what waits from taking effect", "hold", "REJECT"),
        "reconcile": Lazy("have what differs repaired now, and wait for it", "reconcile", "RECONCILE"),
        "pause": Lazy("have nothing repaired at a repository, role or user for a while", "pause", "PAUSE"),
        "resume": Lazy("end a pause early, and have what differs repaired now", "pause", "RESUME"),
        "stop": Lazy("stop all writes: from now on nothing is repaired anywhere", "switch", "STOP"),
        "start": Lazy("let the hub write and repair again", "switch", "START"),
    },
    "the deployment: what of ecr-warden is where?": {
        "init": Lazy("write access.yaml and ecr-warden.yaml by what is there", "init", "INIT"),
        "deploy": Lazy("bring about, bring up to date or repair what ecr-warden.yaml describes", "deploy", "DEPLOY"),
        "doctor": Lazy("say what is wrong with the deployment, and the command that repairs it", "doctor", "DOCTOR"),
        "remove": Lazy("take away all that deploy brought about, and say what stays", "remove", "REMOVE"),
    },
    "the command itself": {
        "completion": Lazy("print the script by which a shell completes this command", "completion", "COMPLETION"),
    },
}
"""The verbs by the question that a person has (docs/adr/0043-verbs-are-questions.md)."""
VERBS: Mapping[str, Lazy] = {name: verb for group in _GROUPS.values() for name, verb in group.items()}
_HEADINGS: Mapping[str, str] = {next(iter(group)): heading for heading, group in _GROUPS.items()}
"""What stands above a verb in the list of all."""

_GONE: Mapping[str, str] = {
    "publish": "ecr-warden apply FILE uploads a spec, ecr-warden rollback VERSION an earlier one",
    "spec": "ecr-warden versions VERSION prints the text of one, ecr-warden versions accepted of the one in force",
    "why": "ecr-warden can-i --as WHO lists what somebody can do, each with its line of the spec",
    "grants": "ecr-warden who-can lists who has access, ecr-warden can-i --as WHO what somebody can do",
    "dev": "ecr-warden completion stands alone; docs/triggers.md says what an event leads to",
    "apply --rollback": "write ecr-warden rollback VERSION",
    "apply --dry-run": "ecr-warden check FILE shows what differs, ecr-warden plan FILE what would be written",
    "reconcile --dry-run": "ecr-warden plan shows what would be written",
    "held --accept": "write ecr-warden accept ID",
    "held --reject": "write ecr-warden reject ID",
    "held --lift": "upload the version again: it is judged again",
    "history --versions": "write ecr-warden versions",
    "history --by": "ecr-warden history --json has by whom each entry and run is",
    "plan --short": "write ecr-warden check",
    "plan --hub": "leave it out: without FILE the hub is asked; TARGET is --target TARGET",
    "check --hub": "leave it out: without FILE the hub is asked; TARGET is --target TARGET",
    "diff --hub": "leave it out: NEW alone is compared with the version that the hub has accepted",
    "import --name": "change the alias in the spec, or give a --spec that names the accounts",
    "--tidy": "entries that are alike are grouped; see docs/import.md",
    "--narrow": "take the access out of the file: ecr-warden diff says who loses what",
    "--escalation": "ecr-warden who-can admin, without REPOSITORY, lists whoever can give themselves access",
    "--from": "give a snapshot, which ecr-warden snapshot writes: --snapshot FILE",
}
"""What replaced a verb that has gone, an option of a verb, or an option of several verbs."""

_MEANT: Mapping[str, str] = {
    "destroy": "remove",
    "delete": "remove",
    "uninstall": "remove",
    "undo": "rollback",
    "pending": "held",
    "alerts": "incidents",
    "acknowledge": "ack",
    "upgrade": "deploy",
    "logs": "history",
}
"""The verb that other commands call otherwise."""

_DESCRIPTION = (
    "Keeps the policy documents that let one AWS account push to and pull from another account's ECR repositories "
    "equal to a spec, a file that says who may pull and who may push. What is deployed of it, the hub, watches the "
    "accounts and repairs what differs. This command writes none of these documents; reconcile has the hub do it."
)
_HERE = Path(__file__).parents[1]
DOCS = _HERE / "docs" if (_HERE / "docs").is_dir() else _HERE.parents[1] / "docs"
"""The documentation that answers name: a wheel carries it, a checkout has it at its top."""
_EPILOG = f"""\
example:
  ecr-warden who-can push shop/checkout --example

exit codes: 0 fine, 1 error, 2 something differs

pages that answers name, such as docs/cli.md, are in
  {DOCS}"""
_SHOWN = 500

type _IsAsked = Callable[[str], bool]
"""Whether a verb is asked for."""


class _Gone(UsageError, code="gone"):
    """The word was one of the command, and is none any more."""

    def __init__(self, word: str) -> None:
        super().__init__(f"{word} has gone", remedy=_GONE[word])


class _Once(argparse._StoreAction):
    """An option with one value: of two argparse would take the last one and say nothing of the first."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if option is not None and getattr(namespace, self.dest, self.default) is not self.default:
            parser.error(f"{option} is given twice")
        super().__call__(parser, namespace, values, option)


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and exit with 2, which means a difference here."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.register("action", None, _Once)
        # No option begins with a digit: -1h is a value, and the option says what is wrong with it.
        self._negative_number_matcher = re.compile("-[0-9]")

    def error(self, message: str) -> NoReturn:
        raise UsageError(cut(message, _SHOWN), remedy=f"see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse offers the nearest choice from Python 3.14 on.
        if action.metavar == "VERB" and action.choices is not None and value not in action.choices:
            if value in _GONE:
                raise _Gone(value)
            other = _MEANT.get(str(value))
            meant = advice([other] if other else nearest(str(value), action.choices))
            raise UsageError(f"there is no verb {cut(str(value), _SHOWN)!a}", remedy=f"{meant}see {self.prog} --help")
        super()._check_value(action, value)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Wraps each paragraph of a description, and leaves the examples as they are: they are to be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return super()._fill_text(text, width, indent)
        wrap = argparse.HelpFormatter._fill_text
        return "\n\n".join(wrap(self, paragraph, width, indent) for paragraph in text.split("\n\n"))


class _Overview(_Help):
    """Lists the verbs under the question that each group answers."""

    def _format_action(self, action: argparse.Action) -> str:
        shown = super()._format_action(action)
        heading = _HEADINGS.get(action.dest) if isinstance(action, _CHOICE) else None
        return shown if heading is None else f"\n  {heading}\n{shown}"


_CHOICE = argparse._SubParsersAction._ChoicesPseudoAction
"""How argparse lists a verb."""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The verb and its arguments; raises UsageError, and SystemExit(0) after --help and --version."""
    if argv and argv[0] == "help":
        argv = [*argv[1:], "--help"]
    asked = next((one for one in argv if not one.startswith("-")), "")
    for option in (one.partition("=")[0] for one in argv if one.startswith("--")):
        if f"{asked} {option}" in _GONE:
            raise _Gone(f"{asked} {option}")
    arguments, unknown = _parser(asked.__eq__).parse_known_args(argv)
    if unknown:
        option = unknown[0].partition("=")[0]
        if option in _GONE:
            raise _Gone(option)
        # argparse's own error would name the help of the whole command, not of the verb.
        raise UsageError(
            f"unrecognized arguments: {cut(' '.join(unknown), _SHOWN)}",
            remedy=f"{_meant(option, arguments.options, arguments.prog)}see {arguments.prog} --help",
        )
    return arguments


def _meant(word: str, options: Sequence[str], prog: str) -> str:
    if word in options:
        return "options come after the verb; "
    if prog.endswith(" can-i") and not word.startswith("-"):
        return "name somebody with --as: ecr-warden can-i push shop/checkout --as WHO; "
    # Compared without their dashes, which would make any two alike.
    names = [option[2:] for option in options] if word.startswith("-") else []
    return advice(f"--{name}" for name in nearest(word.lstrip("-"), names))


def parser_of_all_verbs() -> argparse.ArgumentParser:
    """The whole command, with every verb loaded."""
    return _parser(lambda _: True)


def _parser(is_asked: _IsAsked) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ecr-warden",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Overview,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"ecr-warden {__version__}", help="print the version and exit"
    )
    choices = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    for name, lazy in VERBS.items():
        if is_asked(name):
            _add_verb(choices.add_parser(name, help=lazy.summary, formatter_class=_Help, allow_abbrev=False), lazy)
        else:
            # Of the others only the summary is shown: a parser for each takes longer than to answer a question.
            choices._choices_actions.append(_CHOICE(name, [], lazy.summary))
            choices._name_parser_map[name] = parser
    return parser


def _declare(parser: argparse._ActionsContainer, arguments: Arguments) -> None:
    for one in arguments:
        if isinstance(one, Argument):
            parser.add_argument(*one.names, **one.settings)
        elif one.heading:
            _declare(parser.add_argument_group(one.heading), one.arguments)
        else:
            _declare(parser.add_mutually_exclusive_group(required=True), one.arguments)


def _add_verb(parser: argparse.ArgumentParser, lazy: Lazy) -> None:
    """Load a verb, and add its arguments."""
    verb = lazy.load()
    parser.description = verb.description or f"{lazy.summary[0].upper()}{lazy.summary[1:]}."
    parser.epilog = f"example:\n  {verb.example}"
    _declare(parser, verb.arguments)
    parser.add_argument("--json", action="store_true", help=verb.json_help)
    parser.set_defaults(
        run=verb.run,
        prog=parser.prog,
        options=[option for action in parser._actions for option in action.option_strings],
    )
