"""What would be deployed, as files for a pipeline of one's own."""

import json
from pathlib import Path

from ecr_warden_cli.deployment.release import Release
from ecr_warden_cli.deployment.stacks import OWN_SWITCH, external_id, stacks_of
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.terminal.context import Failure

_ABOVE = ("CallAs", "ManagementAccount", "OrganizationRoot")
"""What AWS alone knows of an organization, and nobody asks it here: CloudFormation names those that are missing."""


def emit(deployment: Deployment, release: Release, folder: str) -> list[str]:
    """Write templates, parameters as CloudFormation takes them and code to a new folder; raises Failure.

    Returns the names of the files.
    """
    files = {**release.code, **{f"{name}.json": text.encode() for name, text in release.templates.items()}}
    for wanted in stacks_of(deployment, external_id(deployment)):
        # Nobody but the stack makes the stop switch there.
        given = [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in wanted.parameters.items()
            if name not in (*_ABOVE, OWN_SWITCH)
        ]
        place = wanted.place
        files[f"parameters/{wanted.template}-{place.account}-{place.region}.json"] = json.dumps(
            given, indent=1
        ).encode()
    try:
        Path(folder).mkdir(parents=True)
        (Path(folder) / "parameters").mkdir()
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
    except OSError as error:
        raise Failure(f"{folder} cannot be written: {error.strerror}", remedy="give another folder") from error
    return sorted(files)
