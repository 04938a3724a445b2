"""The command `ecr-warden`: the library for the terminal; it reads accounts and never writes to one."""
