"""Where people are told: a chat webhook, e-mail through SNS, or both."""
