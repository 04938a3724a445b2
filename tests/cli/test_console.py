"""Colour, progress and escaping."""

import pytest

from ecr_warden.core.address import repository_policy
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import CHECKOUT, SPEC_FILE
from tests.cli.command import HERE, Command
from tests.contracts.worlds import MemoryWorld, make_in_sync

SEED = str(SPEC_FILE)


@pytest.fixture
def terminal(world: MemoryWorld) -> Command:
    """The command on a terminal, over a world with one difference."""
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    return Command(LiveEstateReader(world.documents), terminal=True)


@pytest.mark.parametrize("verb", ["validate", "render", "plan"])
def test_no_verb_colours_its_output_without_a_terminal(world: MemoryWorld, terminal: Command, verb: str) -> None:
    ran = Command(LiveEstateReader(world.documents))(verb, SEED, *(HERE if verb == "plan" else ()))
    assert "\x1b" not in ran.out + ran.err
    assert ran.err == ""


def test_a_terminal_gets_colour_and_progress(terminal: Command) -> None:
    ran = terminal("check", SEED, *HERE)
    assert f"\x1b[33mdiffers     {CHECKOUT}: repository policy missing\x1b[0m\n" in ran.out
    assert "\r\x1b[Kreading accounts and registries 3 of 3" in ran.err
    assert ran.err.endswith("\r\x1b[K")


def test_no_color_is_respected(terminal: Command) -> None:
    terminal.environment["NO_COLOR"] = "1"
    assert "\x1b" not in terminal("plan", SEED, *HERE).out
    terminal.environment["NO_COLOR"] = ""
    assert "\x1b" in terminal("plan", SEED, *HERE).out


def test_a_dumb_terminal_gets_neither(terminal: Command) -> None:
    terminal.environment["TERM"] = "dumb"
    ran = terminal("plan", SEED, *HERE)
    assert "\x1b" not in ran.out + ran.err


def test_json_is_never_coloured(terminal: Command) -> None:
    assert "\x1b" not in terminal("plan", SEED, *HERE, "--json").out


def test_progress_is_erased_when_reading_is_interrupted(world: MemoryWorld, terminal: Command) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    world.documents.faults = interrupt
    ran = terminal("plan", SEED, *HERE)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.endswith("\r\x1b[K\x1b[31mecr-warden: interrupted; this command has written no policy\x1b[0m\n")
