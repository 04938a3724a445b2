"""`EmulatedAws`: an AWS of many accounts on loopback that tests and the demo start, query, control and stop."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from bisect import bisect_right
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from local.aws.behaviour.switches import Switches, switches_to_json
from local.aws.calls import Call
from local.aws.faults import Fault, FaultState, fault_from_json, fault_to_json

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / ".venv-emulator" / "bin" / "python"
START_SECONDS = 30.0
CONTROL_SECONDS = 30.0
STOP_SECONDS = 5.0
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from local.aws.emulator.main import main; main()"
_QUIET = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 2})


class EmulatorDied(Exception):
    """The emulator did not start or has stopped; the message ends with its last output."""


class EmulatedAws:
    """A context manager around the emulator's process.

    `log_level` is ministack's, INFO shows what functions print.
    """

    def __init__(self, *, log_level: str = "WARNING", interpreter: Path = INTERPRETER) -> None:
        self._log_level, self._interpreter = log_level, interpreter
        self._home = Path(tempfile.mkdtemp(prefix="ecr-warden-aws-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[tuple[str, ...], Any] = {}  # making one takes longer than most calls
        self._fetched: list[Call] = []
        self._fetching = threading.Lock()
        self.endpoint_url = ""

    def __enter__(self) -> Self:
        """Start. Raises EmulatorDied if it does not answer within START_SECONDS."""
        try:
            with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
                port = listener.getsockname()[1]
                self.endpoint_url = f"http://127.0.0.1:{port}"
                self._process = self._spawn(listener.fileno(), port)
            self.control("GET", "ready", timeout=START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def log(self) -> Path:
        """The emulator's own log."""
        return self._home / "emulator.log"

    def _spawn(self, listener: int, port: int) -> subprocess.Popen[bytes]:
        if not self._interpreter.exists():
            raise EmulatorDied(f"{self._interpreter} is missing: make the emulator's environment first (make setup)")
        environment = {
            **_minimal(self._home),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": self._log_level,
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
            "LOCAL_SOCKET": str(listener),
        }
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [str(self._interpreter), "-I", "-c", _BOOT, str(ROOT)],
                env=environment,
                cwd=self._home,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(listener,),
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the process and all functions it runs; calling it twice is fine."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()  # the child ends its whole group on this
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)
        shutil.rmtree(self._home, ignore_errors=True)

    def session(self, account: str, region: str = "eu-central-1") -> boto3.Session:
        """A session of an account's root user, which may do everything there."""
        return boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)

    def client(self, account: str, service: Any, region: str = "eu-central-1") -> Any:
        """A client with an account's root user."""
        return self.client_with(account, "test", "", service, region)

    def user_keys(self, account: str, user: str) -> tuple[str, str]:
        """A new access key, id and secret, of an existing IAM user."""
        key = self.client(account, "iam").create_access_key(UserName=user)["AccessKey"]
        return str(key["AccessKeyId"]), str(key["SecretAccessKey"])

    def user_client(self, account: str, user: str, service: Any, region: str = "eu-central-1") -> Any:
        """A client of an existing IAM user, under a new access key."""
        key, secret = self.user_keys(account, user)
        return self.client_with(key, secret, "", service, region)

    def client_with(self, key: str, secret: str, token: str, service: Any, region: str = "eu-central-1") -> Any:
        """A client with given credentials, created once; the token may be empty."""
        name = (key, secret, token, service, region)
        if name not in self._clients:
            session = boto3.Session(key, secret, token or None, region_name=region)
            self._clients[name] = session.client(service, endpoint_url=self.endpoint_url, config=_QUIET)
        return self._clients[name]

    def assumed_client(self, credentials: Mapping[str, Any], service: Any, region: str = "eu-central-1") -> Any:
        """A client of a role session, from the `Credentials` of an AssumeRole answer."""
        key, secret, token = (str(credentials[name]) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return self.client_with(key, secret, token, service, region)

    def environment(self, account: str, region: str = "eu-central-1") -> dict[str, str]:
        """The whole environment for a command that acts as an account's root user here."""
        return {
            **_minimal(self._home),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def mark(self) -> int:
        """A point in time, as the number of the last call."""
        return int(self.control("GET", "ready")["sequence"])

    def calls(self, since: int = 0) -> tuple[Call, ...]:
        """All API calls after a mark, in order, without control calls."""
        with self._fetching:
            # Whoever waits asks again and again: each call comes over once.
            last = self._fetched[-1].sequence if self._fetched else 0
            self._fetched += [Call(**one) for one in self.control("GET", f"calls?since={last}")]
            after = bisect_right(self._fetched, since, key=attrgetter("sequence"))
            return tuple(self._fetched[after:])

    def writes_since(self, mark: int, service: str = "", account: str = "") -> tuple[Call, ...]:
        """The successful writes after a mark, of a service and in an owner's account if these are given."""
        return tuple(
            call
            for call in self.calls(mark)
            if call.write and service in ("", call.service) and account in ("", call.owner)
        )

    def reset_counts(self) -> None:
        """Forget all calls."""
        with self._fetching:
            self._fetched.clear()
            self.control("DELETE", "calls")

    def add_fault(self, fault: Fault) -> int:
        """Activate a fault; returns its ID."""
        return int(self.control("POST", "faults", fault_to_json(fault))["fault_id"])

    def faults(self) -> tuple[FaultState, ...]:
        """The active faults with how often each was matched and applied."""
        return tuple(
            FaultState(one["fault_id"], fault_from_json(one["fault"]), one["matched"], one["reached"])
            for one in self.control("GET", "faults")
        )

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "faults")

    def undelivered(self) -> tuple[dict[str, str], ...]:
        """The events that a rule's target rejected: rule_arn, target_arn, event_id, error_code, error_message."""
        return tuple(self.control("GET", "undelivered"))

    def set_switches(self, switches: Switches) -> None:
        """Set AWS's behaviour from now on, and the rates and delays of all accounts."""
        self.control("POST", "settings", switches_to_json(switches))

    def set_propagation(self, seconds: float) -> None:
        """Set how long a new user or role is not yet a visible principal (aws-facts 1.3, 2.6); all else by default."""
        self.set_switches(Switches(propagation=seconds))

    def fire_schedule(self, account: str, region: str, rule: str, bus: str = "default") -> None:
        """Fire an enabled scheduled rule now. Raises ControlRefused if there is none."""
        self.control("POST", "fire", {"account": account, "region": region, "rule": rule, "bus": bus})

    def put_aws_event(
        self, account: str, region: str, source: str, detail_type: str, detail: Mapping[str, Any]
    ) -> None:
        """Put an event on a default bus as AWS's services do; clients may not."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        self.control("POST", "event", {"account": account, "region": region, "entry": entry})

    def control(self, method: str, what: str, given: Any = None, timeout: float = CONTROL_SECONDS) -> Any:
        """A request to the control endpoint. Raises ControlRefused, EmulatorDied."""
        data = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(f"{self.endpoint_url}/_local/{what}", data=data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise ControlRefused(f"{method} {what}: {refusal.read().decode()}") from refusal
        except OSError as problem:
            words = self.log.read_text(errors="replace")[-4000:] if self.log.exists() else "(no log)"
            raise EmulatorDied(f"no answer from the emulator ({problem}); it said:\n{words}") from problem


class ControlRefused(Exception):
    """The control endpoint refused a request; the message says why."""


def _minimal(home: Path) -> dict[str, str]:
    """An environment without the machine's own settings: no AWS_CA_BUNDLE, no proxies, no profiles."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
