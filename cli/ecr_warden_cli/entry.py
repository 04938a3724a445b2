"""The installed script `ecr-warden`: it ends without a traceback, however early somebody interrupts it."""


def main() -> int:
    """Load the command and run it; interrupted while it loads, say nothing."""
    try:
        from ecr_warden_cli.verbs.main import main as run  # noqa: PLC0415 - may be interrupted

        return run()
    except KeyboardInterrupt:
        return 130  # as shells report SIGINT
