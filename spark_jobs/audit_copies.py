"""What an audit has copied out of Postgres, as frames: published reports, and the values with a row of their own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.audit_figures import BOUND, FIGURES, KEYS, KINDS

_ARROW_KINDS = {"long": pa.int64(), "double": pa.float64(), "string": pa.string()}
PUBLISHED = pa.schema(
    [
        *[(name, pa.int64() if name == "start_s" else pa.string()) for name in KEYS],
        *[(name, _ARROW_KINDS[KINDS[name]]) for name in FIGURES],
        (BOUND, pa.int64()),
    ]
)
OWN_ROWS = pa.schema(
    [
        ("site", pa.string()),
        ("day_s", pa.int64()),
        ("dimension", pa.string()),
        ("value", pa.string()),
        ("admitted_us", pa.int64()),
    ]
)


def copied_frame(session: SparkSession, name: Path, schema: pa.Schema) -> DataFrame:
    """A CSV that was copied out of Postgres, as a frame; read in pieces, since it may be large."""
    options = pyarrow.csv.ConvertOptions(
        column_types=schema,
        include_columns=schema.names,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parquet = name.with_suffix(".parquet")
    with pyarrow.parquet.ParquetWriter(parquet, schema) as writer:
        csv = name.with_suffix(".csv")
        if csv.stat().st_size:
            with pyarrow.csv.open_csv(csv, convert_options=options) as reader:
                for batch in reader:
                    writer.write_batch(batch)
    return session.read.parquet(str(parquet))
