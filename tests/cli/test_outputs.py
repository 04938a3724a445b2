"""Files that a verb writes, where the disk has no room for them."""

import resource
from pathlib import Path

import pytest

from ecr_warden_cli.terminal.context import Failure
from ecr_warden_cli.terminal.outputs import write_output


def test_of_a_file_for_which_there_is_no_room_nothing_stays(tmp_path: Path) -> None:
    file = tmp_path / "access.yaml"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(Failure, match="cannot be written: File too large"):
            write_output(str(file), "x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not file.exists()
    write_output(str(file), "x" * 100)
    assert file.read_text() == "x" * 100
