"""While the image is built: download the locked jars into the image, so that a container needs no network."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from local.jars import default_cache, provide_jars
from local.java import find_java

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        provide_jars(Path(home), default_cache(), find_java(os.environ.get("JAVA_HOME")))
