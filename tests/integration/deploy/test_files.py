"""What deploys figwatch: each file passes the tool that knows its kind, and names only what exists."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from figwatch_agent.files.load import load_slo_files
from support.deploy import (
    ACTION,
    COMPOSE,
    DOCKERFILE,
    HOOKS,
    UNIT,
    WORKFLOWS,
    command_options,
    figwatch_calls,
    instruction,
    instructions,
    read_yaml,
    says,
    services,
    tool,
    unit,
    words,
)
from support.parts import ROOT, program

COMPOSE_SETTINGS = ROOT / "deploy/compose/figwatch.yaml"
PROMETHEUS = ROOT / "deploy/compose/prometheus/prometheus.yml"
ALERTMANAGER = ROOT / "deploy/compose/alertmanager/alertmanager.yml"
SYSTEMD_SETTINGS = ROOT / "deploy/systemd/figwatch.yaml"
IMAGE_USER = "10001:10001"


# Their own tools


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert says(tool("hadolint"), DOCKERFILE) == (0, "")


def test_hadolint_would_find_an_image_without_a_tag(tmp_path: Path) -> None:
    worse = tmp_path / "Dockerfile"
    worse.write_text("FROM python\nRUN cd /tmp\n", "utf-8")
    assert says(tool("hadolint"), worse)[0] == 1


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.compose-spec", [COMPOSE]),
        ("vendor.github-actions", [ACTION]),
        ("vendor.github-workflows", list(WORKFLOWS)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_published_schema_accepts(schema: str, files: list[Path]) -> None:
    assert files
    code, said = says(tool("check-jsonschema"), "--builtin-schema", schema, *files)
    assert code == 0, said


def test_pre_commit_accepts_the_hooks() -> None:
    assert says(tool("pre-commit"), "validate-manifest", HOOKS) == (0, "")


@pytest.mark.needs("systemd-analyze")
def test_systemd_accepts_the_unit_and_calls_it_confined(tmp_path: Path) -> None:
    # It looks for the programs that are started, and this machine has no /opt/figwatch.
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text("utf-8").replace("/opt/figwatch/bin/figwatch", "/bin/true"), "utf-8")
    assert says(program("systemd-analyze"), "verify", here) == (0, "")
    code, said = says(program("systemd-analyze"), "security", "--offline=true", "--threshold=20", here)
    assert code == 0, said


@pytest.mark.needs("promtool")
def test_promtool_accepts_the_configuration_with_the_rules_that_it_loads(tmp_path: Path) -> None:
    mounted = PROMETHEUS.read_text("utf-8").replace("/etc/prometheus/alerts", str(ROOT / "alerts/agent"))
    here = tmp_path / "prometheus.yml"
    here.write_text(mounted, "utf-8")
    code, said = says(program("promtool"), "check", "config", here)
    assert code == 0, said
    assert said.count("rules found") == len(list((ROOT / "alerts/agent").glob("*.rules.yml")))


@pytest.mark.needs("amtool")
def test_amtool_accepts_the_configuration() -> None:
    code, said = says(program("amtool"), "check-config", ALERTMANAGER)
    assert code == 0, said


@pytest.mark.parametrize("script", sorted((ROOT / "deploy/github").glob("*.sh")), ids=lambda path: path.name)
def test_bash_can_read(script: Path) -> None:
    assert says("bash", "-n", script) == (0, "")


# The settings that ship


def check(path: Path) -> dict[str, list[object]]:
    """What ``figwatch check`` finds."""
    code, said = says(tool("figwatch"), "check", path, "--output", "json")
    assert code == 0, said
    found: dict[str, list[object]] = json.loads(said)
    return found


def test_the_settings_of_the_compose_file_fit_our_own_promises() -> None:
    assert check(COMPOSE_SETTINGS)["problems"] == []


def test_the_settings_of_the_unit_fit_what_init_writes(tmp_path: Path) -> None:
    shutil.copy(SYSTEMD_SETTINGS, tmp_path / "figwatch.yaml")
    shutil.copytree(ROOT / "agent/figwatch_agent/scaffold/slo", tmp_path / "slo")
    found = check(tmp_path / "figwatch.yaml")
    assert (found["problems"], found["notices"]) == ([], [])


# The image


def test_every_base_image_has_a_full_version() -> None:
    version = re.fullmatch(r"PYTHON=\d+\.\d+\.\d+-slim-\w+", instruction("ARG")[0])
    assert version
    assert instruction("FROM") == ["python:${PYTHON} AS build", "python:${PYTHON}"]
    for service in services().values():
        image = service["image"]
        assert image == "figwatch-demo:local" or re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", image), image


def test_everything_that_is_copied_exists_and_enters_the_build() -> None:
    copied = [words(rest)[:-1] for rest in instruction("COPY") if not rest.startswith("--from")]
    sources = {word.removeprefix("./") for each in copied for word in each}
    assert sources
    kept = {
        line[1:]
        for line in (ROOT / "deploy/Dockerfile.dockerignore").read_text("utf-8").splitlines()
        if line[:1] == "!"
    }
    assert sources == kept
    assert {name for name in sources if not (ROOT / name).exists()} == set()


def test_the_image_runs_as_a_numbered_user_who_owns_the_volume_alone() -> None:
    after = [word for word, _ in instructions()]
    assert instruction("USER") == [IMAGE_USER]
    assert after.index("USER") > max(index for index, word in enumerate(after) if word in {"RUN", "COPY"})
    assert instruction("VOLUME") == ["/var/lib/figwatch"]
    made = instruction("RUN")[-1]
    assert "--uid 10001" in made
    assert "--owner=10001 --group=10001 --mode=0700 /var/lib/figwatch" in made


def test_the_image_names_no_secret() -> None:
    names = " ".join(rest for word, rest in instructions() if word in {"ARG", "ENV"})
    assert re.search(r"TOKEN|KEY|SECRET|PASSWORD", names, re.IGNORECASE) is None


def test_the_image_starts_a_verb_that_exists_with_its_options() -> None:
    assert instruction("ENTRYPOINT") == ['["figwatch"]']
    verb, *options = words(instruction("CMD")[0])
    assert {option for option in options if option.startswith("--")} <= command_options(verb)


# The compose file


def test_every_container_is_read_only_without_rights_and_with_a_health_check() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "figwatch" or "healthcheck" in service, name
    assert instruction("HEALTHCHECK") != []


def test_ports_are_published_on_loopback_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports)) == 6
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)] == []


def test_every_mounted_file_exists_and_no_mount_but_a_volume_can_be_written() -> None:
    volumes = set(read_yaml(COMPOSE)["volumes"])
    for name, service in services().items():
        for mount in service.get("volumes", []):
            if mount["type"] == "volume":
                assert mount["source"] in volumes
                continue
            assert mount["read_only"] is True, (name, mount)
            assert (COMPOSE.parent / mount["source"]).exists(), (name, mount)


def test_files_lie_in_the_containers_where_those_who_read_them_look() -> None:
    seen = {(name, m["target"]) for name, service in services().items() for m in service.get("volumes", [])}
    settings = read_yaml(COMPOSE_SETTINGS)
    inside = Path("/srv/deploy/compose/figwatch.yaml")
    assert services()["figwatch"]["command"] == ["run", "--config", str(inside)]
    assert ("figwatch", str(inside)) in seen
    assert ("figwatch", str((inside.parent / settings["slo"]).resolve())) in seen
    assert ("figwatch", str(Path(settings["state"]["sqlite"]).parent)) in seen
    assert ("figwatch", "/run/migration") in seen
    assert ("prometheus", str(Path(read_yaml(PROMETHEUS)["rule_files"][0]).parent)) in seen
    (provider,) = read_yaml(ROOT / "deploy/compose/grafana/dashboards/figwatch.yaml")["providers"]
    assert ("grafana", provider["options"]["path"]) in seen


def test_grafana_reads_from_the_servers_that_compose_starts() -> None:
    sources = read_yaml(ROOT / "deploy/compose/grafana/datasources/prometheus.yaml")["datasources"]
    started = set(read_yaml(COMPOSE)["services"])
    assert {source["url"].removeprefix("http://").partition(":")[0] for source in sources} <= started
    assert [source["uid"] for source in sources if source["type"] == "prometheus"] == ["prometheus"]


def test_settings_and_options_name_the_ports_of_the_migration() -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    found = spec_from_file_location("migration", ROOT / "deploy/compose/migration.py")
    assert found is not None
    assert found.loader is not None
    migration = module_from_spec(found)
    found.loader.exec_module(migration)
    ports = {str(port) for port in migration.PORTS.values()}
    named = set(re.findall(r"127\.0\.0\.1:(\d+)", COMPOSE_SETTINGS.read_text("utf-8")))
    assert named - ports == {"9464"}  # the agent's own
    probed = set(
        re.findall(r"127\.0\.0\.1:(\d+)", "".join(p.read_text("utf-8") for p in (ROOT / "slo").glob("*.yaml")))
    )
    assert probed <= ports
    files = set(re.findall(r"/run/migration/(\w+)", COMPOSE_SETTINGS.read_text("utf-8")))
    assert files <= set(migration.SECRETS)
    scraped = set(re.findall(r"migration:(\d+)", PROMETHEUS.read_text("utf-8")))
    assert scraped - ports == {"9464", "9115"}  # the agent, the blackbox exporter
    assert ports - scraped == {"8090"}  # the pager has no metrics


def test_prometheus_probes_what_the_rules_about_uptime_read() -> None:
    services_read, _ = load_slo_files([str(path) for path in sorted((ROOT / "slo").glob("*.yaml"))])
    assert services_read
    rules = "".join(path.read_text("utf-8") for path in (ROOT / "alerts/agent").glob("*.rules.yml"))
    wanted = set(re.findall(r'probe_success\{instance="([^"]+)"', rules))
    jobs = {job["job_name"]: job for job in read_yaml(PROMETHEUS)["scrape_configs"]}
    assert set(jobs["probes"]["static_configs"][0]["targets"]) == wanted


def test_alertmanager_routes_and_inhibits_as_the_generated_file_does() -> None:
    ours, generated = read_yaml(ALERTMANAGER), read_yaml(ROOT / "alerts/agent/alertmanager.yml")
    assert {**ours, "receivers": None} == {**generated, "receivers": None}
    assert [r["name"] for r in ours["receivers"]] == [r["name"] for r in generated["receivers"]]


# The unit


def test_the_unit_calls_verbs_that_exist_and_reloads_as_run_understands() -> None:
    called = [value for key, value in unit() if key in {"ExecStart", "ExecReload"}]
    for line in called:
        program_name, *rest = words(line)
        if program_name == "/bin/kill":
            assert rest == ["-HUP", "$MAINPID"]
            continue
        assert {word for word in rest if word.startswith("--")} <= command_options(rest[0])
    assert len(called) == 3


def test_the_unit_hands_over_every_secret_that_its_settings_name() -> None:
    text = SYSTEMD_SETTINGS.read_text("utf-8")
    named = set(re.findall(rf"/run/credentials/{UNIT.name}/(\w+)", text))
    given = {value.partition(":")[0] for key, value in unit() if key == "LoadCredential"}
    assert named == given != set()
    assert "{env:" not in text


def test_the_unit_keeps_the_state_where_its_settings_say() -> None:
    found = dict(unit())
    assert read_yaml(SYSTEMD_SETTINGS)["state"]["sqlite"].startswith(f"/var/lib/{found['StateDirectory']}/")
    wanted = {"ProtectSystem": "strict", "NoNewPrivileges": "yes", "DynamicUser": "yes", "Restart": "on-failure"}
    assert wanted.items() <= found.items()


# The action and the hooks


def test_hooks_and_scripts_call_verbs_that_exist_with_their_options() -> None:
    scripts = "\n".join(path.read_text("utf-8") for path in (ROOT / "deploy/github").glob("*.sh"))
    calls = list(figwatch_calls(scripts))
    assert [verb for verb, _ in calls] == ["check", "backtest"]
    used = dict(calls)
    used["backtest"] |= {"--base", "--head", "--history", "--prometheus", "--from"}  # put together line by line
    assert all(option in scripts for option in used["backtest"])
    for verb, options in used.items():
        assert options <= command_options(verb)
    for hook in read_yaml(HOOKS):
        _, verb = hook["entry"].split()
        assert command_options(verb)


def test_no_expression_is_pasted_into_a_shell_script() -> None:
    steps = read_yaml(ACTION)["runs"]["steps"]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_the_check_hook_wakes_for_figwatch_yaml_and_slo_alone() -> None:
    check_hook, _ = read_yaml(HOOKS)
    wakes = [
        path
        for path in ("figwatch.yaml", "ops/figwatch.yml", "slo/chat.yaml", "a/slo/b/c.yml", "slow/chat.yaml", "slo.md")
        if re.search(check_hook["files"], path)
    ]
    assert wakes == ["figwatch.yaml", "ops/figwatch.yml", "slo/chat.yaml", "a/slo/b/c.yml"]
