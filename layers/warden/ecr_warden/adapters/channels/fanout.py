"""Several channels as one: a broken one does not stop the others."""

from collections.abc import Mapping

from ecr_warden.model.alert import Message
from ecr_warden.ports.alerts import Channel, ChannelsError
from ecr_warden.ports.errors import PortError


class FanOut:
    """Tells every channel; with none it does nothing."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    def notify(self, message: Message, *, only: str | None = None) -> None:
        """Deliver to all channels in turn, or to the one that is named; raises ChannelsError after the last.

        A channel that is configured no longer has nothing to get.
        """
        errors: dict[str, PortError] = {}
        for name, channel in self._channels.items():
            if only not in (None, name):
                continue
            try:
                channel.notify(message)
            except PortError as error:
                errors[name] = error
        if errors:
            raise ChannelsError(errors)
