"""The page Quality: what is broken, and is somebody on it?"""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
