"""What went wrong in a campaign itself."""

import traceback
from pathlib import Path


def failure(error: Exception) -> str:
    """In one line: what happened, and where in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/tests/" in frame.filename] or list(frames)
    where = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}"
    return f"the campaign failed: {type(error).__name__}: {error} ({where})"
