"""The only place that talks to AWS, chat and files."""
