"""Builds the running program from settings. It decides nothing: what is built here is described where it lives."""
