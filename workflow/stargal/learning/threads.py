"""One thread for all computation, so that equal inputs give equal bits."""

import tensorflow as tf
from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """Compute on one thread and in a fixed order. Call it before anything else is computed."""
    threadpool_limits(1)  # numpy's, which augments patches
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
