"""The HTTP door: one file per resource: parse, permit, call, render."""
