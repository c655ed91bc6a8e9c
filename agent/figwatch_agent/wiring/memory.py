"""Memory that is free goes back to the machine."""

import ctypes
import gc


def give_back() -> None:
    """Return what nobody uses any more, where the C library can do that (glibc); elsewhere nothing happens.

    Reading the files and the state needs three times what is kept of them. What is freed of it lies between what is
    kept, and the C library holds on to it until it is asked.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
