"""Airflow's REST API as the stack's own commands need it: health, DAGs, runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ACTIVE = ("queued", "running")


class AirflowUnreachable(Exception):
    """Airflow does not answer, or refused; the message says what and what to do."""


class AirflowClient:
    """A logged-in session; ``login``: the file with user and password that the stack made."""

    def __init__(self, url: str, login: Path, timeout_seconds: float = 60.0) -> None:
        self._url = url
        self._login = login
        # Airflow is on this machine: never through a proxy.
        self._http = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def unhealthy(self) -> list[str]:
        """Components that are not healthy, in words; empty when all four are."""
        try:
            answer = self._http.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError):
            return ["api-server does not answer"]
        return [
            f"{name} {component.get('status')}"
            for name in ("metadatabase", "scheduler", "dag_processor", "triggerer")
            if (component := answer.get(name, {})).get("status") != "healthy"
        ]

    def dags(self) -> dict[str, bool]:
        """All DAGs that Airflow knows, each with whether it is paused."""
        answer = self._call("GET", "/api/v2/dags", params={"limit": 100, "exclude_stale": "true"})
        return {dag["dag_id"]: bool(dag["is_paused"]) for dag in answer["dags"]}

    def import_errors(self) -> list[str]:
        """Files in dags/ that cannot be imported, with their last line of traceback."""
        answer = self._call("GET", "/api/v2/importErrors", params={"limit": 20})
        return [
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
            for error in answer["import_errors"]
        ]

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run with these parameters; returns its run id."""
        answer = self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json={"conf": dict(conf), "logical_date": None})
        return str(answer["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def active_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Runs that are queued or running, newest first, each with ``dag_run_id`` and ``conf``."""
        parameters: dict[str, Any] = {"state": list(ACTIVE), "order_by": "-run_after", "limit": 10}
        answer = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=parameters)
        return list(answer["dag_runs"])

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            if "authorization" not in self._http.headers:
                self._log_in()
            answer = self._http.request(method, path, **options)
            if answer.is_error:
                raise AirflowUnreachable(f"Airflow refused {method} {path}: {answer.status_code} {_detail(answer)}")
            return answer.json()
        except httpx.HTTPError as error:
            raise AirflowUnreachable(
                f"Airflow does not answer at {self._url} ({error}): is it up? make up"
            ) from error

    def _log_in(self) -> None:
        (username, password), *_ = json.loads(self._login.read_text(encoding="utf-8")).items()
        answer = self._http.post("/auth/token", json={"username": username, "password": password})
        if answer.is_error:
            raise AirflowUnreachable(f"Airflow refused the login in {self._login}: {answer.status_code}")
        self._http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


@contextmanager
def airflow_client(url: str, login: Path) -> Iterator[AirflowClient]:
    client = AirflowClient(url, login)
    try:
        yield client
    finally:
        client.close()


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))[:300]
    except ValueError:
        return answer.text[:300]
