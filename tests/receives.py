"""How often a message of each kind of queue is received before SQS gives it up, as template.yaml says."""

MAX_RECEIVES = 60
"""Of the queue of repairs.

More than ATTEMPTS, because a message that meets another run's lease is received too: 38 times while a lease lasts.
"""
LATER_RECEIVES = 6
"""Of the other queues: a process that is killed each time uses up its attempts."""
FLUSH_RECEIVES = 8
"""Of the incidents queue: a flush that fails is retried for half an hour."""
