"""Who can do what with which repository, through which chain of roles, and what is missing for whoever cannot; pure."""
