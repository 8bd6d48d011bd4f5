"""The charts' library for the browser: Vega, Vega-Lite and Vega-Embed from vl-convert, without the internet."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import vl_convert
names = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"
sys.stdout.write(vl_convert.javascript_bundle(names))
"""
PATIENCE_SECONDS = 60.0


def chart_bundle() -> str:
    """The bundle's script, which sets ``vegaEmbed``, ``vega`` and ``vegaLite``.

    Made in a process of its own: vl-convert brings a JavaScript engine whose memory the api-server need not keep.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    return done.stdout
