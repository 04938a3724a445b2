"""What all adapters on AWS share: clients, errors, the table, the bucket, the queues."""
