"""What a person brings and sees: arguments, files, credentials; lines and JSON."""
