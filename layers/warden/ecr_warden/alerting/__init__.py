"""From alerts to messages: how severe each is, when it is sent, and what it says; pure."""
