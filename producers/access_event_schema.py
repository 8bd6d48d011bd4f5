"""Write the wire contract's JSON Schema to docs/: ``python -m producers.access_event_schema``."""

from __future__ import annotations

import json
from pathlib import Path

from producers.access_log import json_schema

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "docs" / "access_event.schema.json"


def schema_text() -> str:
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
