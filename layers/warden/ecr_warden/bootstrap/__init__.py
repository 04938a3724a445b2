"""Builds the use cases with their adapters, a module for each function; only it imports both.

A function imports its own module and what that shares, so that no other function's code bears on it. A module that only
one kind of job needs is imported with the first such job: a cold reconcile loads neither YAML nor chat.
"""
