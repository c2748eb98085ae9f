"""What every folder of tests may ask for: one line per real server, and the rule on skips."""

pytest_plugins = [
    "tests.skips",  # under PODIUM_CI=1 nothing is skipped
    "tests.servers.control_plane",
    "tests.servers.postgresql",
    "tests.servers.prometheus",
]
