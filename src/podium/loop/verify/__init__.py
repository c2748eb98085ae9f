"""Verifying: what a command was expected to do, by when, and the verdict."""
