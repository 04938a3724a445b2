"""Posts messages to a Slack-compatible incoming webhook, whose URL is a secret."""

from collections.abc import Callable

from ecr_warden.notify.formats import to_slack
from ecr_warden.notify.message import Message
from ecr_warden.notify.posting import TIMEOUT, Poster, Receiver

WEBHOOK = Receiver("the webhook", "the webhook's URL", "WebhookReference")


class WebhookChannel:
    """A chat channel. `url` is called for each message, so that a changed secret is used; `timeout`: as of Poster."""

    def __init__(self, url: Callable[[], str], *, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._poster = Poster(WEBHOOK, timeout)

    def notify(self, message: Message) -> None:
        """Post the message; raises ChannelError, whose text never contains the URL."""
        body = to_slack(message)
        # Slack's limits for blocks are not all documented: whoever refuses them may take the text alone.
        self._poster.post(self._url(), body, {key: one for key, one in body.items() if key != "blocks"})
