"""`completion`: the script by which a shell completes verbs, options and files."""

import argparse
import re
from collections.abc import Iterator

import shtab

from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import Context, Verb, argument
from ecr_warden_cli.verbs.arguments import parser_of_all_verbs

_SHELLS = ("bash", "zsh", "tcsh")
_FILES = ("SPEC", "FILE", "OLD", "NEW")


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    parser = parser_of_all_verbs()
    for action in _actions(parser):
        if isinstance(action.metavar, str) and action.metavar.startswith(_FILES):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks
    script = _corrected(shtab.complete(parser, arguments.shell), arguments.shell)
    if arguments.json:
        context.console.answer({"shell": arguments.shell, "script": script})
    else:
        context.console.block(script)
    return Exit.FINE


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Of the command and of all its verbs, each of which is described by its summary: zsh shows one line."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help for choice in action._choices_actions}
            for name, verb in action.choices.items():
                verb.description = summaries[name]
                yield from _actions(verb)


def _corrected(script: str, shell: str) -> str:
    """The script with the places where shtab leaves a second file uncompleted."""
    match shell:
        case "zsh":  # "(*)" excludes all other arguments; "*" is an argument that may be repeated
            return re.sub(r'"\(\*\)::?', '"*:', script)
        case "tcsh":  # its rules know the word before, not the verb; what no rule knows may be a file
            return script.replace("'p/*/()/'", "'p/*/f/'")
        case _:
            return script


COMPLETION = Verb(
    'eval "$(ecr-warden completion bash)"',
    (argument("shell", choices=_SHELLS, help="whose script"),),
    _run,
)
