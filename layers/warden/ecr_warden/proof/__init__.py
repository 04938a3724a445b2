"""Who can do what with which repository, through which chain of roles, and what those who cannot are missing; pure."""
