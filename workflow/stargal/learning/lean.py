"""Import keras without what it imports of others for parts of it that nothing here uses; import this module before it.

Every job with a network waits for keras: 4.9 s of CPU time, 3.4 s without scikit-learn and matplotlib.
"""

import sys

HIDDEN = [name for name in ("matplotlib", "sklearn") if name not in sys.modules]

sys.modules |= dict.fromkeys(HIDDEN)  # type: ignore[arg-type]  # so that to import them fails, which keras expects
try:
    import keras  # noqa: F401
finally:
    for name in HIDDEN:
        del sys.modules[name]
