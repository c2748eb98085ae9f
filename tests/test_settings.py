from __future__ import annotations

import pathlib

import pytest

from podium import settings
from podium.documents.problem import Invalid

HEAD = "apiVersion: podium.dev/v1alpha1\nkind: Settings\n"
FILE = (
    HEAD
    + """\
database: {url: "sqlite:///podium.db"}
clusters: [{name: local, kind: simulated}]
sources: [{name: prom, kind: prometheus, url: "http://127.0.0.1:9090", timeout: 5s, bearer: "file:token"}]
documents: {authority: folder, path: ./policies}
loop: {interval: 15s, lease: 15s, maxReduction: {fraction: 0.1, window: 5m}}
api: {listen: "127.0.0.1:8080"}
"""
)


class Machine:
    """A machine with nothing on it but a folder to work in, a home and an /etc."""

    def __init__(self, root: pathlib.Path) -> None:
        self.cwd, self.home, self.etc = root / "work", root / "home", root / "etc"
        for folder in (self.cwd, self.home, self.etc):
            folder.mkdir()

    def load(self, file: str = "", flags: dict[str, str] | None = None, **environ: str) -> settings.Loaded:
        if file:
            (self.cwd / "podium.yaml").write_text(file)
        return settings.load(flags or {}, {"HOME": str(self.home), **environ}, self.cwd, system=self.etc)

    def complaints(self, file: str = "", flags: dict[str, str] | None = None, **environ: str) -> list[str]:
        with pytest.raises(Invalid) as caught:
            self.load(file, flags, **environ)
        return str(caught.value).replace(f"{self.cwd}/", "").splitlines()


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def test_without_anything_the_built_in_cluster_and_the_users_state_folder_serve(machine: Machine) -> None:
    loaded = machine.load()
    assert [(cluster.name, cluster.kind) for cluster in loaded.value.clusters] == [("local", "simulated")]
    assert loaded.value.database.url == f"sqlite:///{machine.home}/.local/state/podium/podium.db"
    assert {row.origin for row in loaded.rows()} == {"default"}


def test_the_file_of_the_interfaces_is_read_with_its_lines(machine: Machine) -> None:
    loaded = machine.load(FILE)
    assert (loaded.value.loop.interval, loaded.value.loop.max_reduction.window) == (15.0, 300.0)
    assert loaded.origin("sources[0].timeout") == f"{machine.cwd}/podium.yaml:5"
    assert (loaded.origin("loop.lease"), loaded.origin("loop.leadTime")) == (f"{machine.cwd}/podium.yaml:7", "default")


def test_flag_beats_variable_beats_the_briefs_variable_beats_file(machine: Machine) -> None:
    layers: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({}, {"SCALING_INTERVAL": "30s"}),
        ({}, {"SCALING_INTERVAL": "30s", "PODIUM_LOOP__INTERVAL": "40"}),
        ({"loop.interval": "50s"}, {"SCALING_INTERVAL": "30s", "PODIUM_LOOP__INTERVAL": "40"}),
    ]
    loads = [machine.load(FILE, flags, **environ) for flags, environ in layers]
    assert [(loaded.value.loop.interval, loaded.origin("loop.interval")) for loaded in loads] == [
        (15.0, f"{machine.cwd}/podium.yaml:7"),
        (30.0, "SCALING_INTERVAL"),
        (40.0, "PODIUM_LOOP__INTERVAL"),
        (50.0, "flag loop.interval"),
    ]


def test_files_are_looked_for_from_near_to_far(machine: Machine) -> None:
    user, named = machine.home / ".config" / "podium", machine.home / "own.yaml"
    user.mkdir(parents=True)
    found = []
    for file in (machine.etc / "podium.yaml", user / "podium.yaml", machine.cwd / "podium.yaml"):
        file.write_text(HEAD)
        found.append(machine.load().file)
    named.write_text(HEAD)
    found += [machine.load(PODIUM_CONFIG=str(named)).file, machine.load(flags={"config": "../etc/podium.yaml"}).file]
    assert found == [
        machine.etc / "podium.yaml",
        user / "podium.yaml",
        machine.cwd / "podium.yaml",
        named,
        machine.cwd / "../etc/podium.yaml",
    ]


def test_a_named_file_that_is_not_there_is_an_error(machine: Machine) -> None:
    assert machine.complaints(PODIUM_CONFIG="none.yaml") == [
        "PODIUM_CONFIG: expected a settings file that is there; got none.yaml"
    ]


def test_paths_start_at_the_file_that_names_them(machine: Machine) -> None:
    far = machine.home / "podium.yaml"
    far.write_text(FILE)
    loaded = machine.load(flags={"config": str(far)}, PODIUM_CLUSTERS__LOCAL__SIMULATION__SCENARIO="a.yaml")
    assert loaded.value.documents.path == machine.home / "policies"
    assert loaded.value.database.url == f"sqlite:///{machine.home}/podium.db"
    assert loaded.value.sources[0].bearer == f"file:{machine.home}/token"
    assert loaded.value.clusters[0].simulation.scenario == machine.cwd / "a.yaml"


def test_entries_of_lists_are_reached_by_name_or_number(machine: Machine) -> None:
    loaded = machine.load(FILE, PODIUM_SOURCES__PROM__TIMEOUT="3s", PODIUM_SOURCES__0__URL="http://127.0.0.1:1")
    assert (loaded.value.sources[0].timeout, loaded.value.sources[0].url) == (3.0, "http://127.0.0.1:1")


def test_a_whole_branch_may_come_from_one_variable(machine: Machine) -> None:
    loaded = machine.load(PODIUM_SOURCES='[{name: a, kind: prometheus, url: "http://127.0.0.1:1"}]')
    assert [source.name for source in loaded.value.sources] == ["a"]
    assert loaded.origin("sources[0].url") == "PODIUM_SOURCES"


def test_bad_values_name_whoever_gave_them_all_at_once(machine: Machine) -> None:
    given = machine.complaints(
        FILE.replace("lease: 15s", "lease: 0s").replace("authority", "authorty"),
        {"api.listen": "8080"},
        PODIUM_LOOP__LEAD_TIME="soon",
        PODIUM_LOOP__SUSPECT__FAL="0.3",
        PODIUM_CLUSTERS__EAST__KIND="simulated",
        PODIUM_API="8080",
        MIN_REPLICAS="0",
        LOG_LEVEL="loud",
    )
    assert sorted(given) == [
        'LOG_LEVEL: log.level: expected debug, info, warning or error; got "loud"',
        "MIN_REPLICAS: loop.replicas.min: expected a number of at least 1; got 0",
        'PODIUM_API: api: expected a mapping, as in {name: value}; got "8080"',
        "PODIUM_CLUSTERS__EAST__KIND: expected the name of one of clusters (local); got CLUSTERS.EAST.KIND",
        (
            "PODIUM_LOOP__LEAD_TIME: loop.leadTime: expected a duration such as 15s or 1h30m, or a number of seconds; "
            'got "soon"'
        ),
        "PODIUM_LOOP__SUSPECT__FAL: expected a setting; did you mean fall?; got LOOP.SUSPECT.FAL",
        'flag api.listen: expected host:port, as in 127.0.0.1:8080 or [::1]:8080; got "8080"',
        'podium.yaml:6:13: documents.authorty: expected a known field; did you mean authority?; got "folder"',
        'podium.yaml:7:23: loop.lease: expected a duration above 0s; got "0s"',
    ]


def test_a_secret_is_neither_shown_nor_repeated_in_an_error(machine: Machine) -> None:
    shown = {row.path: row.value for row in machine.load(FILE).rows()}
    assert shown["sources[0].bearer"] == "***"
    for place in (
        {"file": FILE.replace("file:token", "hunter2")},
        {"file": FILE, "PODIUM_SOURCES__PROM__BEARER": "hunter2"},
    ):
        (complaint,) = machine.complaints(**place)
        assert "a reference to a secret: file:PATH or env:NAME; got ***" in complaint


def test_a_password_inside_a_url_is_not_shown(machine: Machine) -> None:
    loaded = machine.load(PODIUM_DATABASE__URL="postgresql://podium:hunter2@db/podium")
    assert {row.value for row in loaded.rows() if row.path == "database.url"} == {"postgresql://podium:***@db/podium"}


def test_secrets_are_read_where_the_references_point(machine: Machine) -> None:
    (machine.cwd / "token").write_text("s3cret\n")
    loaded = machine.load(FILE, PODIUM_API__TOKEN="env:DOOR", DOOR="open")
    assert loaded.reveal(loaded.value.sources[0].bearer or "") == "s3cret"
    assert loaded.reveal(loaded.value.api.token or "") == "open"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "clusters: [{name: a, kind: simulated}, {name: a, kind: simulated}]\n",
            "a name that no other of the clusters has",
        ),
        ("clusters: [{name: a, kind: simulated, context: b}]\n", "nothing here, because kind is simulated"),
        ("sources: [{name: a, kind: prometheus}]\n", "the server's address, because kind is prometheus; got nothing"),
        ("sources: [{name: a, kind: cluster, cluster: locl}]\n", "the name of a cluster; did you mean local?"),
        ("intervall: 5s\n", "intervall: expected a known field; did you mean loop.interval?"),
        ("database: {url: mysql://a}\n", "a database URL, as in sqlite:///podium.db"),
        ("loop: {maxReduction: {fraction: 1.5}}\n", "a number of at most 1; got 1.5"),
        ("loop: {replicas: {min: 9, max: 3}}\n", "at most max, which is 3; got 9"),
    ],
)
def test_settings_that_make_no_sense_are_refused(machine: Machine, lines: str, said: str) -> None:
    (complaint,) = machine.complaints(HEAD + lines)
    assert said in complaint


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "one document of kind Settings; got 0 documents"),
        (HEAD + "---\n" + HEAD, "one document of kind Settings; got 2 documents"),
        ("- a\n", "one document of kind Settings; got a list of 1"),
        ("loop: {}\n", "apiVersion: expected podium.dev/v1alpha1; got nothing"),
        (HEAD.replace("Settings", "Setting"), 'kind: expected Settings; got "Setting"'),
        (HEAD + "loop: [\n", "expected YAML; got an unclosed [ or {"),
    ],
)
def test_a_file_that_is_no_settings_is_refused(machine: Machine, file: str, said: str) -> None:
    (machine.cwd / "podium.yaml").write_text(file)
    assert said in "\n".join(machine.complaints())


def test_the_briefs_variables_without_a_field_are_answered_in_words(machine: Machine) -> None:
    loaded = machine.load(TENANT_ISOLATION="enabled", AUTOSCALING_MODE="intelligent", MAX_REPLICAS="100")
    assert loaded.notes == ("TENANT_ISOLATION: tenants are always kept apart; nothing turns it off",)
    assert (loaded.value.loop.mode, loaded.value.loop.replicas.max) == ("own", 100)


def test_an_empty_variable_is_not_set(machine: Machine) -> None:
    assert machine.load(MAX_REPLICAS="", PODIUM_LOOP__INTERVAL="").origin("loop.interval") == "default"


def test_a_signal_finds_its_source_by_name_or_because_it_is_the_only_one(machine: Machine) -> None:
    value = machine.load(FILE).value
    assert value.source("prometheus", None) == value.source("prometheus", "prom") == value.sources[0]
    assert value.source("cluster", None).cluster == "local"
    with pytest.raises(LookupError, match=r"a source of kind prometheus \(prom\); did you mean prom\?"):
        value.source("prometheus", "pron")
    with pytest.raises(LookupError, match="of which Settings has none"):
        value.source("replay", None)


def test_a_variable_whose_bytes_are_no_text_is_named(machine: Machine) -> None:
    assert machine.complaints(PODIUM_LOOP__INTERVAL="\udcff", MAX_REPLICAS="1\udcfe") == [
        "MAX_REPLICAS: expected text in UTF-8; got '1\\udcfe'",
        "PODIUM_LOOP__INTERVAL: expected text in UTF-8; got '\\udcff'",
    ]
    assert machine.load(SOMEBODY_ELSES="\udcff").value.loop.interval == 15


def test_a_flag_that_is_wrong_is_named_once(machine: Machine) -> None:
    assert machine.complaints(flags={"api.listen": "bad"}) == [
        'flag api.listen: expected host:port, as in 127.0.0.1:8080 or [::1]:8080; got "bad"'
    ]
