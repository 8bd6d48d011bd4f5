"""What the stack writes for Airflow and the supervisor: private, loopback only, nothing that phones home."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from local.airflow import configuration
from local.environment import forget_libpq_settings, stack_environment
from local.kafka import server_properties
from local.postgres import HBA
from local.postgres import configuration as postgres_configuration
from local.secrets import make_secrets, new_cluster_id
from local.state_folder import StateFolderUnusable
from local.status import UNATTENDED, paused_troubles
from local.supervision import Program, socket_path, supervisor_configuration
from settings import CHECKOUT, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(_env_file=None, home=tmp_path / "home", port_base=31000)  # type: ignore[call-arg]
    make_secrets(found)
    return found


def airflow(settings: Settings) -> ConfigParser:
    parser = ConfigParser()
    parser.read_string(configuration(settings))
    return parser


def test_airflow_answers_on_loopback_at_the_first_port(settings: Settings) -> None:
    api = airflow(settings)["api"]
    assert (api["host"], api["port"], api["base_url"]) == ("127.0.0.1", "31000", "http://127.0.0.1:31000")
    assert airflow(settings)["core"]["execution_api_server_url"] == "http://127.0.0.1:31000/execution/"


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("core", "load_examples"),
        ("core", "simple_auth_manager_all_admins"),
        ("api", "expose_config"),
        ("api", "expose_stacktrace"),
        ("scheduler", "catchup_by_default"),
        ("scheduler", "enable_health_check"),
    ],
)
def test_airflow_keeps_off(settings: Settings, section: str, option: str) -> None:
    assert airflow(settings)[section][option] == "False"


def test_airflow_reads_its_database_password_from_a_file(settings: Settings) -> None:
    url = airflow(settings)["database"]["sql_alchemy_conn"]
    assert url == f"postgresql+psycopg2://airflow@127.0.0.1:31001/airflow?passfile={settings.secrets}/airflow.pgpass"


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        settings = Settings(_env_file=None, home=tmp_path / name)  # type: ignore[call-arg]
        make_secrets(settings)
        texts.append({path.read_text() for path in settings.secrets.iterdir()})
    assert texts[0].isdisjoint(texts[1])


def test_postgres_has_no_trust_and_no_socket_file() -> None:
    assert [line.split()[-1] for line in HBA.splitlines()[1:]] == ["scram-sha-256"]
    text = postgres_configuration(31001, Path("/logs"))
    assert "listen_addresses = '127.0.0.1'" in text
    assert "unix_socket_directories = ''" in text
    assert "fsync = on" in text


def test_kafka_is_closed_unless_a_rule_opens_it(settings: Settings) -> None:
    lines = server_properties(settings).splitlines()
    assert "listeners=CLIENT://127.0.0.1:31002,CONTROLLER://127.0.0.1:31003" in lines
    assert "listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT" in lines
    assert "allow.everyone.if.no.acl.found=false" in lines
    assert "auto.create.topics.enable=false" in lines


def test_a_cluster_id_never_looks_like_an_option() -> None:
    assert {new_cluster_id()[0] for _ in range(100)} == {"R"}


def test_the_supervisor_listens_on_a_private_socket_and_brings_programs_back(settings: Settings) -> None:
    parser = ConfigParser(interpolation=None)
    parser.read_string(supervisor_configuration(settings, [Program("one", ["/bin/one", "50%"], settings.home)]))
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert not parser.has_section("inet_http_server")
    program = parser["program:one"]
    assert (program["autorestart"], program["killasgroup"], program["command"]) == ("true", "true", "/bin/one 50%%")


def test_a_home_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFolderUnusable, match="set FOOTFALL_HOME to a shorter one"):
        socket_path(tmp_path / ("long" * 30))


def test_the_environment_is_free_of_foreign_airflow_settings(settings: Settings) -> None:
    found = stack_environment(settings, {"AIRFLOW__CORE__LOAD_EXAMPLES": "True", "PATH": "/bin", "LANG": "C"})
    assert "AIRFLOW__CORE__LOAD_EXAMPLES" not in found
    assert found["LANG"] == "C"
    assert found["FOOTFALL_PORT_BASE"] == "31000"
    assert found["PATH"].endswith(":/bin")
    assert found["GX_ANALYTICS_ENABLED"] == "false"


def test_libpq_settings_of_a_shell_do_not_win_over_our_password_files(settings: Settings) -> None:
    environment = {"PGPASSWORD": "theirs", "PGPASSFILE": "/theirs", "PATH": "/bin"}
    assert not {"PGPASSWORD", "PGPASSFILE"} & set(stack_environment(settings, environment))
    forget_libpq_settings(environment)
    assert environment == {"PATH": "/bin"}


def test_status_names_every_paused_dag_that_should_run_by_itself() -> None:
    assert paused_troubles({"maintenance": True, "traffic_stream": False, "log_import": True}) == [
        "the DAG maintenance is paused: nothing old is deleted"
    ]
    assert {path.stem for path in (CHECKOUT / "dags").glob("*.py")} >= set(UNATTENDED)
