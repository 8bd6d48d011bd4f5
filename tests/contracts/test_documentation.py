"""What the documentation says is so: commands, links, settings, queries."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from settings import CHECKOUT, Settings, default_home
from sql.warehouse import Warehouse

PAGES = [CHECKOUT / "README.md", CHECKOUT / "SECURITY.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
DECISIONS = sorted((CHECKOUT / "docs" / "decisions").glob("[0-9]*.md"))
QUERIES = [
    pytest.param(query, id=f"{page.name}-{number}")
    for page in PAGES
    for number, query in enumerate(re.findall(r'make sql Q="([^"]+)"', page.read_text(encoding="utf-8")), 1)
]
READERS_SCHEMAS = ("report", "quality")


def name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_exist(page: Path) -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", page.read_text(encoding="utf-8"), re.DOTALL)
    used = {target for parts in code for part in parts for target in re.findall(r"\bmake ([a-z-]+)", part)}
    assert used <= known


def test_the_readme_needs_two_commands_and_gives_five_queries() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    first = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0]
    assert re.findall(r"^make \S+", first, re.MULTILINE) == ["make up", "make test"]
    assert text.count('make sql Q="') == 5


@pytest.mark.services
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_runs_as_the_role_that_may_only_read(fresh_database: Settings, query: str) -> None:
    out = io.StringIO()
    with Warehouse(fresh_database.dsn("footfall_reader"), "test") as warehouse:
        warehouse.query_csv(query, out)
    assert out.getvalue().count("\n") >= 1, "no header"


@pytest.mark.services
def test_the_data_page_names_what_a_reader_can_read_and_nothing_else(fresh_database: Settings) -> None:
    out = io.StringIO()
    with Warehouse(fresh_database.dsn("footfall_reader"), "test") as warehouse:
        warehouse.query_csv(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema IN ('report', 'quality', 'stream')",
            out,
        )
    readable = set(out.getvalue().split()[1:])
    text = (CHECKOUT / "docs" / "data.md").read_text(encoding="utf-8")
    readers_part = text.split("## For readers")[1].split("## Behind")[0]
    named = set(re.findall(r"`((?:report|quality)\.\w+)`", readers_part))
    assert named <= readable
    # Revisions of one table's kind are named without their schema.
    unnamed = {table for table in readable - named if f"`{table.split('.')[1]}`" not in readers_part}
    assert unnamed <= {"report.hour_checked", "quality.revision_seal"}


def test_every_setting_is_documented_with_its_default() -> None:
    text = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(FOOTFALL_\w+)` \| ([^|]+) \|", text, re.MULTILINE))
    defaults = {f"FOOTFALL_{field.upper()}": info.default for field, info in Settings.model_fields.items()}
    assert set(documented) == set(defaults)
    in_words = {"FOOTFALL_HOME", "FOOTFALL_POSTGRES_DSN", "FOOTFALL_KAFKA_BOOTSTRAP", "FOOTFALL_KAFKA_CA_FILE"}
    for setting in set(documented) - in_words:
        assert documented[setting].strip() == f"`{defaults[setting]}`", setting
    assert default_home().name in {".footfall", "footfall"}


def test_the_example_has_every_setting() -> None:
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?(FOOTFALL_\w+)=", text, re.MULTILINE)) == {
        f"FOOTFALL_{field.upper()}" for field in Settings.model_fields
    }


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_is_listed_and_says_what_why_with_which_figures_and_until_when(page: Path) -> None:
    index = (CHECKOUT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert f"]({page.name})" in index
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = ["What", "Why", "What was measured", "What would change it"]
    assert [heading for heading in headings if heading in wanted] == wanted


def test_decisions_that_the_code_names_are_there() -> None:
    rooms = ("producers", "sql", "spark_jobs", "expectations", "plugins", "dags", "local", "docker")
    sources = [path for room in rooms for path in (CHECKOUT / room).rglob("*.*") if path.suffix in {".py", ".sql"}]
    named = {
        page
        for path in sources
        for page in re.findall(r"docs/decisions/[\w-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert {page for page in named if not (CHECKOUT / page).exists()} == set()


def test_the_pre_commit_configuration_runs_what_make_lint_runs() -> None:
    configuration = CHECKOUT / ".pre-commit-config.yaml"
    validate = [str(Path(sys.executable).with_name("pre-commit")), "validate-config", str(configuration)]
    subprocess.run(validate, check=True, timeout=60)
    (repository,) = yaml.safe_load(configuration.read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]


def test_continuous_integration_lints_and_tests() -> None:
    path = CHECKOUT / ".ci" / "run"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o111
    assert text.index("make lint\n") < text.rindex("make test\n")
    subprocess.run(["bash", "-n", str(path)], check=True, timeout=10)


def test_no_committed_file_names_a_package_registry() -> None:
    words = ("pypi .org", "pythonhosted .org", "maven .org", "npmjs .org", "crates .io")
    hosts = [word.replace(" ", "") for word in words]
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=30)
    naming = [
        path
        for path in listed.stdout.splitlines()
        if any(host in (CHECKOUT / path).read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]
    assert naming == []
