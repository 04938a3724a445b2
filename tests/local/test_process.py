"""The emulator's process: starts fast, on loopback alone, not at all with a bridge that does not fit, ends with us."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws.launcher import INTERPRETER, ROOT, EmulatedAws, EmulatorDied
from local.testing.waiting import until

BOOT = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
BUILD = "from local.aws.emulator import main; main.build(); print('fits')"


def built(before: str) -> subprocess.CompletedProcess[str]:
    """The emulator assembled in its own interpreter after something was done to ministack."""
    environment = {"PATH": "/usr/bin:/bin", "AUTH": "true", "IOT_MTLS_ENABLED": "0"}
    arguments = [str(INTERPRETER), "-I", "-c", f"{BOOT}{before}\n{BUILD}"]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_bridges_fit_the_pinned_ministack() -> None:
    assert built("").stdout.endswith("fits\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("import importlib.metadata as m; m.version = lambda name: '9.9.9'", "found 9.9.9"),
        ("import ministack.services.eventbridge as e; del e._invoke_target", "_invoke_target is gone"),
        (
            "import ministack.core.iam_actions as a; a.request_tag_context = lambda service: {}",
            "request_tag_context takes ('service',)",
        ),
        (
            "import ministack.services.cloudformation.provisioners as p; "
            "p._RESOURCE_HANDLERS['AWS::Events::EventBusPolicy'] = {}",
            "drop this bridge",
        ),
    ],
)
def test_a_bridge_that_does_not_fit_stops_the_start(change: str, words: str) -> None:
    done = built(change)
    assert done.returncode != 0
    assert "BridgeBroken" in done.stderr
    assert words in done.stderr


def test_it_listens_on_loopback_alone() -> None:
    with EmulatedAws() as running:
        pid = int(running.control("GET", "ready")["pid"])
        assert listening(pid) == {("127.0.0.1", int(running.endpoint_url.rsplit(":", 1)[1]))}


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses on which a process accepts IPv4 connections; fails on any IPv6 one."""
    links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                assert name == "tcp"
                address, port = fields[1].split(":")
                found.add((socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)))
    return found


def test_it_ends_with_its_parent() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from local.aws.launcher import EmulatedAws\n"
        "aws = EmulatedAws().__enter__()\n"
        "print(aws.control('GET', 'ready')['pid'], flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(10)
    until(lambda: not running_still(child), what="the emulator's end")


def running_still(pid: int) -> bool:
    """Whether the process lives; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_missing_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmulatorDied, match="make setup"), EmulatedAws(interpreter=tmp_path / "python"):
        pass
