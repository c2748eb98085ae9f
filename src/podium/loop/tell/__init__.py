"""Telling: what happened and how things stand, for people, doors and meters. It changes nothing."""
