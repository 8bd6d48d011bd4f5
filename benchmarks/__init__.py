"""Set before any settings are read: what a developer has in ``.env`` is not for the benchmarks."""

import os

os.environ["FOOTFALL_ENV_FILE"] = ""
