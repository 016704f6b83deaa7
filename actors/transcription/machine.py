"""What this machine is: processor, cores, memory, battery, GPU; and how fast it calculates."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from vivavoce.actors.transcription.model_choice import CudaDevice, Machine
from vivavoce.actors.transcription.python_process import kill_session, start_python
from vivavoce.actors.transcription.whisper_costs import MachineSpeed
from vivavoce.pipeline.cores import cores_available

BUSY_SHARE = 0.2
"""Of all processors: more than that in other hands distorts a measurement."""

_NVIDIA_S = 3.0
_CALIBRATION_S = 10.0  # it takes less than one; a machine may be very busy
_EACH_S = 0.25
_ROWS, _WIDTH = 1_500, 768  # the encoder of the small model
_COPIED = 32 << 20  # beyond the caches

# What the engine gets out of a machine against NumPy in float32: fitted to finals and partials of
# the base and small dimensions in int8 on two cores of an AMD EPYC. Elsewhere it is an estimate.
# A step of the decoder reads many small matrices, which is far slower than copying a large block.
_ENGINE_FLOPS = 1.4
_ENGINE_BANDWIDTH = 0.12

TYPICAL_SPEED = MachineSpeed(flops=3e11, bandwidth=5e9)
"""Of two cores: what weighs arithmetic against memory traffic when one model stands for another."""
MODEST_GPU = MachineSpeed(flops=4e12, bandwidth=5e10)
"""A small CUDA device at half precision: the guess where `device: cuda` was never measured."""


def processor_name() -> str:
    """The processor as it calls itself."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def probe_machine(*, cuda: bool) -> Machine:
    """Look at this machine. ``cuda`` also asks the NVIDIA driver, which takes a moment."""
    import psutil

    memory = psutil.virtual_memory()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return Machine(
        cores=cores_available(),
        total_bytes=memory.total,
        available_bytes=memory.available,
        cuda=cuda_device() if cuda else None,
        on_battery=battery is not None and battery.power_plugged is False,
    )


def cuda_device() -> CudaDevice | None:
    """The first NVIDIA device by its driver's account; None where there is none."""
    try:
        told = subprocess.run(
            [  # noqa: S607 - the driver's tool lies where the driver's package puts it
                "nvidia-smi",
                "--query-gpu=name,memory.total,memory.free",
                "--format=csv,noheader,nounits",
            ],
            capture_output=True,
            text=True,
            timeout=_NVIDIA_S,
            check=True,
        )
        name, total, free = told.stdout.splitlines()[0].rsplit(",", 2)
        mebibyte = 1 << 20
        return CudaDevice(
            name=name.strip(),
            total_bytes=float(total) * mebibyte,
            available_bytes=float(free) * mebibyte,
        )
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return None


class SharedLoad:
    """How much of the processors others take while one process works.

    Args:
        pid: of the process whose own work does not count.
    """

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._began = self._seconds()

    def others_share(self) -> float:
        """The share of all processors, in [0, 1], that went to others since the beginning."""
        every, busy, own = (
            now - then for now, then in zip(self._seconds(), self._began, strict=True)
        )
        return min(1.0, max(0.0, busy - own) / every) if every > 0 else 0.0

    def _seconds(self) -> tuple[float, float, float]:
        """Processor seconds so far: all there were, those that were used, and the process's own."""
        import psutil

        total = psutil.cpu_times()
        every = sum(total) - getattr(total, "guest", 0.0) - getattr(total, "guest_nice", 0.0)
        idle = total.idle + getattr(total, "iowait", 0.0)
        own = psutil.Process(self._pid).cpu_times()
        return every, every - idle, own.user + own.system


async def calibrate(threads: int, *, python: str | None = None) -> tuple[MachineSpeed, float]:
    """Measure arithmetic and memory speed in a process of its own, in well under a second of work.

    NumPy's threads and buffers would otherwise stay in this process. Where it fails or takes too
    long, :data:`TYPICAL_SPEED` in proportion to the threads.

    Returns:
        the speed, and the share of all processors that others took meanwhile: above
        :data:`BUSY_SHARE` the machine is faster than it seems.

    Raises:
        InterpreterError: there is no Python to start: neither ``python``, as the user named it, nor
            one that this program runs in.
    """
    process, _ = await start_python(
        "vivavoce.actors.transcription.machine",
        python=python,
        environ={
            **os.environ,
            "OPENBLAS_NUM_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_CALIBRATION_S):
            told, _ = await process.communicate()
        found = json.loads(told)
        speed = MachineSpeed(flops=found["flops"], bandwidth=found["bandwidth"])
        return speed, float(found["others_share"])
    except (TimeoutError, ValueError, KeyError, TypeError):
        flops = TYPICAL_SPEED.flops * threads / 2
        return MachineSpeed(flops=flops, bandwidth=TYPICAL_SPEED.bandwidth), 1.0
    finally:
        if process.returncode is None:
            kill_session(process)
            await process.wait()


def measure_here() -> MachineSpeed:
    """The engine's speed, from a float32 matrix product and a copy of memory, in this process.

    The best of many short runs counts: what else runs at this moment is no property of the machine.
    """
    import numpy as np

    left = np.full((_ROWS, _WIDTH), 0.5, dtype=np.float32)
    right = np.full((_WIDTH, _WIDTH), 0.5, dtype=np.float32)
    product = np.empty((_ROWS, _WIDTH), dtype=np.float32)
    source = np.ones(_COPIED, dtype=np.uint8)
    target = np.empty_like(source)

    def best(kind: str) -> float:
        until = time.perf_counter() + _EACH_S
        shortest = float("inf")
        while True:
            began = time.perf_counter()
            if kind == "product":
                np.matmul(left, right, out=product)
            else:
                np.copyto(target, source)
            now = time.perf_counter()
            shortest = min(shortest, now - began)
            if now >= until:
                return shortest

    flops = 2 * _ROWS * _WIDTH * _WIDTH / best("product")
    bandwidth = 2 * _COPIED / best("copy")
    return MachineSpeed(flops=flops * _ENGINE_FLOPS, bandwidth=bandwidth * _ENGINE_BANDWIDTH)


if __name__ == "__main__":
    load = SharedLoad(os.getpid())
    here = measure_here()
    told = {"flops": here.flops, "bandwidth": here.bandwidth, "others_share": load.others_share()}
    sys.stdout.write(json.dumps(told))
