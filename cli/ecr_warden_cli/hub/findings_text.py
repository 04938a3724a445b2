"""What an audit of access found, in lines."""

from ecr_warden.audit.finding_texts import causes, details, sentence, who
from ecr_warden.hub.reply import AccessStatus
from ecr_warden_cli.terminal.console import Style
from ecr_warden_cli.terminal.context import Context
from iam_access.text.printable import and_more, count, listed, show_time

_SHOWN = 20


def show_access(access: AccessStatus, context: Context, *, whole: str) -> None:
    """The gravest findings with their remedies, each account's administrators, and what was not taken into account.

    `whole`: where all findings are.
    """
    console = context.console
    if access.at is None:
        return
    number = len(access.findings) + access.left_out + len(access.left)
    console.line(
        f"{count(number, 'finding')} of access at {show_time(access.at)}, by the policies that could be read",
        Style.BAD if number else Style.GOOD,
    )
    console.lines((f"  {text}: left by its last run" for text in access.left), Style.BAD)
    shown = causes(access.findings)[:_SHOWN]
    for cause in shown:
        group, others = cause.group, cause.others
        console.line(f"  {sentence(group, len(others))} (found {show_time(group.first_seen)})", Style.BAD)
        console.lines((f"    {line.text}" for line in details(group, others).entries), Style.FAINT)
    if rest := number - len(access.left) - sum(cause.number for cause in shown):
        console.line(f"  {and_more(rest, 'finding')}; all of them: {whole}", Style.ODD)
    for account, names in access.administrators.items():
        if names:
            console.line(f"  administrators of {account}: {listed([who(name) for name in names], _SHOWN)}")
    console.lines((f"  not taken into account: {text}" for text in access.unread), Style.ODD)
