"""The chat's address is changed under the deployed alert function, which is not restarted for it."""

import socket
import threading
import time

from local.demo.places import CI, REGION
from local.testing.waiting import until
from tests.contracts.webhook import answer, served
from tests.e2e.house import House
from tests.e2e.roles import refresh

WEBHOOK = "/ecr-warden/webhook"
GONE = answer(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")
WELL = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
TAMPER = b"repository policy of shop/checkout"


def test_a_message_in_transit_goes_to_the_new_webhook_while_the_old_one_is_removed(house: House) -> None:
    ssm = house.stage.aws.client(CI, "ssm", REGION)

    def put(url: str) -> None:
        ssm.put_parameter(Name=WEBHOOK, Value=url, Type="SecureString", Overwrite=True)

    def replaced(connection: socket.socket, stop: threading.Event) -> None:
        if TAMPER not in old.requests[-1]:  # what was still to be said of the time before
            WELL(connection, stop)
            return
        put(f"{house.stage.chat.url}\n")  # as file:// puts it
        GONE(connection, stop)

    try:
        with served(replaced) as old:
            put(f"\ufeff{old.url}\r\n")
            refresh(house, "alert")
            began, since = time.time(), house.now()
            house.tamper()
            until(
                lambda: [run for run in house.runs(began) if run.applied and house.messages(since, run.id)],
                what="the message at the new address",
            )
            assert len([request for request in old.requests if TAMPER in request]) == 1
    finally:
        put(house.stage.chat.url)
