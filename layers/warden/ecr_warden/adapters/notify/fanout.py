"""Several channels as one: a broken one does not stop the others."""

from collections.abc import Mapping

from ecr_warden.model.alert import Message
from ecr_warden.ports import Notifier, NotifyError, PortError


class ChannelsError(NotifyError):
    """Some channels did not get the message; `failed` has their names, the others have got it."""

    def __init__(self, errors: Mapping[str, PortError]) -> None:
        super().__init__(
            "not delivered to " + "; ".join(f"{name}: {error}" for name, error in errors.items()),
            retryable=any(error.retryable for error in errors.values()),
        )
        self.failed = tuple(errors)


class FanOut:
    """Tells every channel; with none it does nothing."""

    def __init__(self, channels: Mapping[str, Notifier]) -> None:
        self._channels = dict(channels)

    def notify(self, message: Message) -> None:
        """Deliver to all channels in turn; raises ChannelsError, a NotifyError, after the last."""
        errors: dict[str, PortError] = {}
        for name, channel in self._channels.items():
            try:
                channel.notify(message)
            except PortError as error:
                errors[name] = error
        if errors:
            raise ChannelsError(errors)
