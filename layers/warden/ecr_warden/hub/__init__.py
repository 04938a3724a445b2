"""What people ask and command."""
