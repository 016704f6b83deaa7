"""asyncio, imported without OpenSSL.

asyncio imports it for encrypted connections, of which a run opens none: 5 MB that every process of
ours would hold for as long as it listens. asyncio works without, as on Pythons built without it; a
later ``import ssl`` of anybody else finds it as usual.
"""

from __future__ import annotations

import sys
from typing import Any, cast

if "asyncio" not in sys.modules and "ssl" not in sys.modules:
    modules = cast(dict[str, Any], sys.modules)
    modules["ssl"] = None  # what makes an import fail (The Python Language Reference, 5.3.1)
    try:
        import asyncio
    finally:
        del modules["ssl"]
        del modules
    del asyncio
