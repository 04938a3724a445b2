"""Outcomes to messages for people; pure."""
