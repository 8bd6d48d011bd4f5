"""The compose file without a Docker engine: against the compose specification, and word for word against us."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shlex
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pyspark
import pytest
import yaml
from jsonschema import Draft202012Validator

from local.airflow import configuration as embedded_airflow
from local.jars import default_cache, provide_jars
from local.java import find_java
from local.kafka_topics import broker_answers, ensure_topic
from local.ports import free_port_base
from local.postgres import configuration as embedded_postgres
from settings import CHECKOUT, Settings
from sql.warehouse import Warehouse

COMPOSE_FILE = CHECKOUT / "docker-compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
STAYING = {name: service for name, service in SERVICES.items() if service["restart"] == "unless-stopped"}
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "footfall:local"}
TYPED = {"POSTGRES_ADMIN_PASSWORD": 'a:b\\c"d', "AIRFLOW_ADMIN_PASSWORD": "correct horse"}

each_service = pytest.mark.parametrize("name", SERVICES)


def script(name: str) -> ModuleType:
    """A script of docker/, imported."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "docker" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings_given() -> Iterator[tuple[str, str, str]]:
    """Every environment variable of every service: service, name, value."""
    for service, description in SERVICES.items():
        for name, value in description.get("environment", {}).items():
            yield service, name, value


# The specification, and what it cannot say


def test_the_file_keeps_to_the_compose_specification() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(COMPOSE)]
    assert errors == []


def test_the_specification_would_notice_a_misspelt_word() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    misspelt = {"services": {"postgres": {"image": "postgres:18.6", "healtcheck": {}}}}
    assert list(Draft202012Validator(schema).iter_errors(misspelt))


@each_service
def test_what_a_service_refers_to_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    for mount in service.get("volumes", []):
        source = mount["source"] if isinstance(mount, dict) else mount.split(":")[0]
        if isinstance(mount, dict) and mount["type"] == "bind":
            assert (CHECKOUT / source).exists()
        else:
            assert source in COMPOSE["volumes"]


def test_a_service_waits_for_the_end_of_those_that_end_and_for_the_health_of_those_that_stay() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_healthy" if other in STAYING else "service_completed_successfully"
            assert how["condition"] == wanted, other


def test_triggers_can_verify_the_processes_that_tasks_start() -> None:
    scheduler, triggerer = SERVICES["airflow-scheduler"], SERVICES["airflow-triggerer"]
    assert triggerer["pid"] == "service:airflow-scheduler"
    assert triggerer["hostname"] == scheduler["hostname"]
    # Docker resolves host names as well as services: a name with two addresses would lead executors astray.
    assert scheduler["hostname"] not in SERVICES
    driver = (CHECKOUT / "docker" / "spark-defaults.conf").read_text(encoding="utf-8")
    assert re.search(r"^spark\.driver\.host\s+airflow-scheduler$", driver, re.MULTILINE)


def test_the_documented_copy_can_fill_the_import_folder() -> None:
    assert "import:/import" in SERVICES["airflow-scheduler"]["volumes"]
    assert {mount for name in OURS for mount in SERVICES[name]["volumes"] if str(mount).startswith("import:")} == {
        "import:/import",
        "import:/import:ro",
    }


# Nobody gets in


@each_service
def test_a_container_can_do_no_more_than_its_work(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["pids_limit"] > 0
    assert not {"privileged", "cap_add", "devices", "ipc", "userns_mode"} & set(service)
    assert service.get("pid") == ("service:airflow-scheduler" if name == "airflow-triggerer" else None)
    assert "docker.sock" not in json.dumps(service)


@pytest.mark.parametrize("name", STAYING)
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    assert STAYING[name]["healthcheck"]["test"][0] == "CMD"


def test_no_container_runs_as_root() -> None:
    # Kafka's image sets a user of its own; Postgres's image starts as root unless told otherwise.
    assert SERVICES["postgres"]["user"] == "999:999"
    assert DOCKERFILE.rstrip().endswith("USER 10001:10001")


def test_published_ports_are_on_loopback() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:${AIRFLOW_PORT:-18080}:8080"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_images_name_their_version() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert images == {"postgres:18.6", "apache/kafka:4.3.1", "footfall:local"}
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.11-slim-bookworm"}


def test_no_setting_holds_a_secret_and_no_password_has_a_default() -> None:
    for service, name, value in settings_given():
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN", name) and not re.search(r"_(FILE|CMD|USERS)$", name):
            assert re.fullmatch(rf"\$\{{{name}:\?[^}}]+\}}", value), f"{service}: {name}"
        assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), f"{service}: {name} carries a password"


def test_variables_are_required_or_have_a_harmless_default() -> None:
    variables = re.findall(r"\$\{(\w+)(:[-?])([^}]*)\}", COMPOSE_FILE.read_text(encoding="utf-8"))
    assert {name for name, how, _ in variables if how == ":?"} == set(TYPED)
    assert {(name, default) for name, how, default in variables if how == ":-"} == {("AIRFLOW_PORT", "18080")}


def test_the_example_names_every_variable_and_gives_no_password() -> None:
    example = (CHECKOUT / "docker" / "compose.env.example").read_text(encoding="utf-8")
    for name in TYPED:
        assert re.search(rf"^{name}=$", example, re.MULTILINE)
    assert "AIRFLOW_PORT=18080" in example


def test_no_command_line_has_a_secret() -> None:
    for name, service in SERVICES.items():
        assert not re.search(r"(?i)password|secret=", json.dumps(service["command"])), name


# Word for word against the project


def test_every_footfall_variable_is_a_setting_with_a_fitting_value(tmp_path: Path) -> None:
    for name, service in OURS.items():
        given = {
            key.removeprefix("FOOTFALL_").lower(): value
            for key, value in service["environment"].items()
            if key.startswith("FOOTFALL_")
        }
        assert set(given) <= set(Settings.model_fields), name
        Settings(_env_file=None, **given)  # type: ignore[call-arg]


def test_every_airflow_variable_is_an_option_that_airflow_knows() -> None:
    from airflow.configuration import conf

    for _, name, _ in settings_given():
        if name.startswith("AIRFLOW__"):
            section, option = name.removeprefix("AIRFLOW__").lower().split("__", 1)
            if option.endswith("_cmd"):
                option = option.removesuffix("_cmd")
                assert (section, option) in conf.sensitive_config_values, f"{name}: only secrets may be commands"
            assert option in conf.configuration_description[section]["options"], name


def test_airflow_is_set_as_in_the_embedded_stack(written: tuple[Settings, dict[str, Path]]) -> None:
    from airflow.configuration import conf

    # What differs: addresses and ports, folders, where a secret comes from, and what is the default anyway.
    differing = re.compile(r"conn|_key$|_secret$|url|host|port|folder|path|file|directory|paused|permission")
    embedded = ConfigParser(interpolation=None)
    embedded.read_string(embedded_airflow(written[0]))
    given = SERVICES["airflow-scheduler"]["environment"]
    for section in embedded.sections():
        for option, value in embedded[section].items():
            known = conf.configuration_description.get(section, {}).get("options", {}).get(option)
            if known is not None and not differing.search(option):
                ours = given.get(f"AIRFLOW__{section}__{option}".upper(), known["default"])
                assert ours == value, f"{section}.{option}"


def test_every_airflow_command_is_one_that_airflow_takes() -> None:
    from airflow.cli.cli_parser import get_parser

    commands = [service["command"] for service in OURS.values() if service["command"][0] == "airflow"]
    assert {command[1] for command in commands} == {"api-server", "scheduler", "dag-processor", "triggerer"}
    for command in [*commands, ["airflow", "db", "migrate"]]:
        get_parser().parse_args(command[1:])


def test_every_script_that_a_command_or_a_health_check_names_is_in_the_image() -> None:
    named = set()
    for service in OURS.values():
        words = [*service["command"], *service.get("healthcheck", {}).get("test", [])]
        named |= {word for part in words for word in shlex.split(part) if word.startswith("docker/")}
    assert named == {"docker/make_secrets.py", "docker/initialise.py", "docker/airflow_health.py"}
    assert all((CHECKOUT / path).is_file() for path in named)
    assert "COPY docker docker" in DOCKERFILE and "WORKDIR /opt/footfall" in DOCKERFILE


def test_the_image_is_built_of_what_is_here_and_of_nothing_secret() -> None:
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for path in copied:
        assert (CHECKOUT / path).exists(), path
        assert f"!{path.split('/')[0]}" in ignored, f"{path} does not reach the build"
    assert "*" in ignored and "**/.env*" in ignored
    assert "pip install --no-cache-dir --require-hashes --no-deps -r /tmp/run.lock" in DOCKERFILE


def test_volumes_are_mounted_where_the_image_has_made_folders_for_its_user() -> None:
    for service in OURS.values():
        for mount in service["volumes"]:
            target = mount["target"] if isinstance(mount, dict) else mount.split(":")[1]
            assert target in DOCKERFILE


@pytest.mark.parametrize("name", ["spark-master", "spark-worker"])
def test_spark_has_the_program_and_the_options(name: str) -> None:
    program, main_class, *words = SERVICES[name]["command"]
    home = Path(pyspark.__file__).parent
    assert (home / "bin" / program).exists()
    with zipfile.ZipFile(next((home / "jars").glob("spark-core_*.jar"))) as jar:
        assert f"{main_class.replace('.', '/')}.class" in jar.namelist()
    usage = subprocess.run(
        [str(home / "bin" / program), main_class, "--help"],
        env=os.environ | {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for option in (word for word in words if word.startswith("--")):
        assert option in usage.stdout + usage.stderr, option


@pytest.mark.services
def test_postgres_knows_every_setting_and_has_it_as_in_the_embedded_stack(postgres_server: Settings) -> None:
    given = dict(word.split("=", 1) for word in SERVICES["postgres"]["command"] if "=" in word)
    embedded = dict(re.findall(r"^(\w+) = '?([^'\n]*)'?$", embedded_postgres(5432, Path("/")), re.MULTILINE))
    with Warehouse(postgres_server.dsn("footfall_admin"), "test") as warehouse, warehouse.transaction() as cursor:
        cursor.execute("SELECT lower(name) AS name FROM pg_settings")
        found: list[Any] = list(cursor.fetchall())
    assert set(given) <= {row["name"] for row in found}
    assert {name: embedded.get(name) for name in given} == given


# The scripts


@pytest.fixture
def written() -> Iterator[tuple[Settings, dict[str, Path]]]:
    """A state folder and the three folders for others, as make_secrets.py leaves them at the first start."""
    # Not pytest's tmp_path: as root, Postgres's own user has to be able to enter a state folder.
    with tempfile.TemporaryDirectory(prefix="footfall-compose-") as name:
        Path(name).chmod(0o755)
        folders = {room: Path(name) / room for room in ("postgres", "kafka", "spark")}
        for folder in folders.values():
            folder.mkdir()
        port = free_port_base(random.Random())
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            home=Path(name) / "home",
            postgres_dsn="host=postgres port=5432",
            kafka_bootstrap=f"127.0.0.1:{port}",
            port_base=port,
        )
        script("make_secrets").make_secrets(settings, TYPED, **folders)
        yield settings, folders


def test_secrets_stay_when_the_stack_starts_again(written: tuple[Settings, dict[str, Path]]) -> None:
    settings, folders = written
    before = {path: path.read_text() for path in settings.secrets.iterdir()}
    script("make_secrets").make_secrets(settings, TYPED, **folders)
    assert {path: path.read_text() for path in settings.secrets.iterdir()} == before
    assert len(set(before.values())) == len(before), "two secrets are the same"


def test_secrets_are_readable_by_their_user_and_the_services_group_only(
    written: tuple[Settings, dict[str, Path]],
) -> None:
    settings, folders = written
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.secrets.iterdir()} == {0o600}
    shared = [path for folder in folders.values() for path in folder.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in shared} == {0o640}
    assert (folders["postgres"] / "admin.password").read_text() == TYPED["POSTGRES_ADMIN_PASSWORD"]
    assert json.loads((settings.secrets / "airflow_login.json").read_text()) == {"admin": "correct horse"}


def test_a_password_file_escapes_what_libpq_would_misread(written: tuple[Settings, dict[str, Path]]) -> None:
    settings, _ = written
    line = settings.postgres_passfile("footfall_admin").read_text()
    assert line == '*:*:*:footfall_admin:a\\:b\\\\c"d\n'


@pytest.mark.services
def test_the_broker_starts_with_this_configuration_and_lets_our_users_in(
    written: tuple[Settings, dict[str, Path]], tmp_path: Path
) -> None:
    settings, folders = written
    port = settings.port_base
    here = {
        "CLIENT://:9092": f"CLIENT://127.0.0.1:{port}",
        "CONTROLLER://:9093": f"CONTROLLER://127.0.0.1:{port + 1}",
        "kafka:9092": f"127.0.0.1:{port}",
        "kafka:9093": f"127.0.0.1:{port + 1}",
        "/var/lib/kafka/data": str(tmp_path / "data"),
        "/run/footfall": str(folders["kafka"]),
    }
    for path in folders["kafka"].iterdir():
        text = path.read_text()
        for there, replacement in here.items():
            text = text.replace(there, replacement)
        path.write_text(text)
    java = find_java(os.environ.get("JAVA_HOME"))
    provide_jars(settings.home, default_cache(), java)
    classes = ["-cp", f"{settings.home / 'jars' / 'kafka'}/*"]
    arguments = f"@{folders['kafka'] / 'kafka.format.arguments'}"
    formatted = subprocess.run(
        [java, *classes, "kafka.tools.StorageTool", arguments, "--cluster-id", "5L6g3nShT-eMCtK--X86sw"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert formatted.returncode == 0, formatted.stderr
    broker = [java, "-Xmx512m", *classes, "kafka.Kafka", str(folders["kafka"] / "kafka.server.properties")]
    options = settings.kafka_python_options("footfall_admin")
    with (tmp_path / "kafka.log").open("wb") as log, subprocess.Popen(broker, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 60
            while not broker_answers(options) and time.monotonic() < deadline:
                time.sleep(0.5)
            assert ensure_topic(options, settings.topic)
            assert not broker_answers(options | {"sasl_plain_password": "guessed"})
        finally:
            process.terminate()


@pytest.mark.services
def test_initialising_twice_is_harmless(postgres_server: Settings, kafka_broker: Settings) -> None:
    settings = postgres_server.model_copy(update={"topic": "test.compose"})
    said: list[str] = []
    script("initialise").initialise(settings, said.append)
    script("initialise").initialise(settings, said.append)
    assert said[1::2] == ["Kafka: topic test.compose created", "Kafka: topic test.compose is there"]


def test_the_broker_start_script_is_executable_bash() -> None:
    path = CHECKOUT / "docker" / "kafka-start.sh"
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", str(path)], check=True, timeout=10)


def test_a_component_is_healthy_when_the_api_server_says_so() -> None:
    answer = b'{"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}}'
    is_healthy = script("airflow_health").is_healthy
    assert is_healthy(answer, "scheduler") and not is_healthy(answer, "triggerer")
