"""## Generates the traffic of a believable site

**Purpose.** Starts `producers.log_generator` as a process of its own and watches it: some hours of history as fast
as it goes, then live traffic. Once the ledger has counted the history, its hours are reported.

**When.** By hand; the local stack triggers it once at its first start.

**Parameters.** See the form. Same seed, site, rates and start: the same bytes. `minutes` = 0 goes on until it is
stopped. The shares inject faults that the reports must survive. `incidents` are things that happen, such as
`surge:+5m:10m:4` (four times the usual hits for ten minutes, five minutes after the start), `outage:-3h:15m`,
`errors`, `attack`, `drift` or `viral:+5m:30m:1:/products/oak-desk`; sizes and shapes: docs/generator.md.

**Stop.** Mark the task `generate` failed or success: the generator flushes, writes its files and ends.

**When it is red.** `generate`: its log shows the generator's last lines (full output:
`logs/log_generator-<launch>.log`; its inventory: `generator/<launch>/inventory.json` in the state folder).
`history_counted`: the stream job is not counting, see the DAG `traffic_stream`. Clearing the run starts the same
generator run anew; what was counted before is not counted again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

from plugins.counted import HistoryCountedOperator
from plugins.generator_job import LogGeneratorOperator

# As producers.incidents reads them; not imported, so that parsing this file needs no numpy.
INCIDENT = (
    r"^(surge|outage|errors|attack|drift|viral):([+-][0-9]{1,6}[smhd]|[0-9]{4}-[0-9T:+Z-]{6,30}):[0-9]{1,6}[smhd]"
    r"(:[0-9]{1,4}([.][0-9]{1,6})?(:/[!-9;-~]{0,200})?)?$"
)
SHARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 0.5}

with DAG(
    dag_id="log_generator",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    doc_md=__doc__,
    tags=["producers"],
    default_args={"owner": "footfall", "retries": 2, "retry_delay": timedelta(seconds=5)},
    params={
        "site": Param("shop", type="string", pattern="^[A-Za-z0-9._:-]{1,64}$", description="Name of the site."),
        "seed": Param(1, type="integer", minimum=0, maximum=2**31 - 1, description="Seed of all that is random."),
        "rate": Param(50, type="number", minimum=0.1, maximum=20000, description="Live events per second."),
        "minutes": Param(0, type="integer", minimum=0, description="Minutes of live traffic; 0 = until stopped."),
        "history_hours": Param(
            48, type="integer", minimum=0, maximum=720, description="Hours of history before now."
        ),
        "history_rate": Param(5, type="number", minimum=0.1, maximum=1000, description="Mean events/s of history."),
        "late_share": Param(0.01, **SHARE, description="Share of events that are late."),
        "duplicate_share": Param(0.005, **SHARE, description="Share of events that are sent twice."),
        "out_of_order_share": Param(0.02, **SHARE, description="Share of events that are out of order."),
        "malformed_share": Param(0.002, **SHARE, description="Share of events that are malformed."),
        "incidents_per_day": Param(
            0, type="number", minimum=0, maximum=24, description="Incidents a day on average, drawn from the seed."
        ),
        "incidents": Param(
            [],
            type="array",
            items={"type": "string", "pattern": INCIDENT},
            maxItems=50,
            description="Incidents of your own, one a line: KIND:START:DURATION[:SIZE[:PAGE]].",
        ),
    },
) as dag:
    LogGeneratorOperator(task_id="generate")
    HistoryCountedOperator(task_id="history_counted") >> TriggerDagRunOperator(
        task_id="report_history",
        trigger_dag_id="hourly_traffic_report",
        conf={
            "start": "{{ ti.xcom_pull(task_ids='history_counted')['start'] }}",
            "end": "{{ ti.xcom_pull(task_ids='history_counted')['end'] }}",
        },
        fail_when_dag_is_paused=True,
    )
