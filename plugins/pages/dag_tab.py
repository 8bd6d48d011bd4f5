"""Where the tab **Footfall** of a DAG leads: to the page that shows what that DAG makes."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from plugins.pages.view import ViewOf

PAGES = {
    "traffic_stream": "/stream",
    "traffic_forecast": "/live",
    "anomaly_alert": "/live",
    "stream_control": "/stream",
    "log_generator": "/stream",
    "log_import": "/stream",
    "hourly_traffic_report": "/reports",
    "daily_traffic_report": "/reports",
    "report_quality": "/quality",
    "audit": "/quality",
    "maintenance": "/stream",
}

router = APIRouter()


@router.get("/dag/{dag_id}")
async def dag_tab(view: ViewOf, dag_id: str) -> Response:
    """The page of one of our DAGs; another one has none, and the tab says so."""
    if dag_id in PAGES:
        return RedirectResponse(view.url(PAGES[dag_id]), 303)
    return await view.page("other_dag.html", dag_id=dag_id)
