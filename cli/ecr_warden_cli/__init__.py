"""The command `ecr-warden`: the library at a terminal; it reads accounts and never writes to one."""
