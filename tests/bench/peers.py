"""How fast the homework's functions are beside one another and beside PyTorch: the second half of ``make bench``.

Loops, the classic column method, the model answer, `solutions/fast.py` and, where it is installed, PyTorch do the same
work: forward, then backward with all gradients. One process with one BLAS thread and one with two take turns, and
within a lap so do the contestants, so that whatever else the machine does meets all of them. A ratio is that of two
neighbours in one lap; printed are medians of those. One thread is timed by its processor time, which other programs on
the machine disturb least. Two threads are timed by the clock on the wall, the best lap of each, because whatever
disturbs them only adds to it; on a busy machine, where one thread waits for the other, not even that means anything.

Every contestant gets its inputs as it hands out its own results, in the memory order that it likes; the case named
``plain`` is the exception. Loops are timed on one image and one filter or channel, and multiplied. Writes `peers.json`
and, where matplotlib is installed, `peers.svg`; exits with status 1 when `fast.py` is slower than `PROMISES`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import classic
import numpy as np
from lenet import NumPyNet, TorchNet, images

from solutions import fast, layers, naive

try:
    import torch
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parents[2]
HOMEWORKS = {"loops": naive, "classic": classic, "model": layers, "fast": fast}
DTYPES = ("float32", "float64")
CLOCK = {1: "cpu", 2: "wall"}

SECONDS = 2.0  # for all laps of a case, in both processes
LAPS = range(5, 25)
SLOW = 0.25  # seconds; who takes longer runs three laps only
SHORT = 0.004  # seconds; who takes less does the work so often in a lap

Lap = Callable[[], dict[str, tuple[float, float]]]
"""Does the work once and tells for each part of it the seconds on the wall and of the processor."""


# --- the work --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """One layer, forward and backward."""

    name: str
    kind: str  # conv2d, max_pool2d or avg_pool2d
    shape: tuple[int, int, int, int]
    kernel_size: tuple[int, int]
    stride: int
    filters: int = 0
    padding: int = 0
    plain: bool = False

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        N, C, *sizes = self.shape
        OH, OW = (
            layers.conv_output_size(size, kernel, self.stride, self.padding)
            for size, kernel in zip(sizes, self.kernel_size, strict=True)
        )
        return N, self.filters or C, OH, OW

    @property
    def flops(self) -> float:
        """Count the multiplications and additions of a convolution's three products."""
        return 6.0 * np.prod(self.out_shape) * self.shape[1] * np.prod(self.kernel_size) if self.filters else 0.0

    @property
    def loops_share(self) -> int:
        """Tell how many times the work of one image and one filter or channel this is."""
        return self.shape[0] * (self.filters or self.shape[1])

    def one(self) -> Layer:
        """Return the share of the work that is enough to time loops."""
        C = self.shape[1] if self.filters else 1
        return replace(self, shape=(1, C, *self.shape[2:]), filters=min(1, self.filters))

    def arrays(self, dtype: str) -> tuple[list[Any], Any]:
        """Draw x, and w and b of a convolution; and dout."""
        rng = np.random.default_rng(7)
        shapes: list[tuple[int, ...]] = [self.shape]
        if self.filters:
            shapes += [(self.filters, self.shape[1], *self.kernel_size), (self.filters,)]
        inputs, dout = [rng.standard_normal(shape) for shape in shapes], rng.standard_normal(self.out_shape)
        return [array.astype(dtype) for array in inputs], dout.astype(dtype)

    def numpy(self, homework: Any, dtype: str) -> tuple[Callable[[], tuple[Any, Any]], Callable[[Any], Any]]:
        """Return the two passes; the first hands its cache to the second."""
        (x, *parameters), dout = self.arrays(dtype)
        if not self.plain and homework is not naive:
            x, dout = (homework.max_pool2d_forward(array, (1, 1), 1)[0] for array in (x, dout))  # pools nothing
        forward, backward = (getattr(homework, f"{self.kind}_{way}") for way in ("forward", "backward"))
        if self.filters:
            return lambda: forward(x, *parameters, self.stride, self.padding), lambda cache: backward(dout, cache)
        return lambda: forward(x, self.kernel_size, self.stride), lambda cache: backward(dout, cache)

    def torch(self, dtype: str) -> tuple[Callable[[], tuple[Any, Any]], Callable[[Any], Any]]:
        """Return the two passes in PyTorch."""
        inputs, dout = self.arrays(dtype)
        tensors = [torch.from_numpy(array).requires_grad_() for array in inputs]
        upstream = torch.from_numpy(dout)
        function = getattr(torch.nn.functional, self.kind)
        sizes = (self.stride, self.padding) if self.filters else (self.kernel_size, self.stride)

        def forward() -> tuple[Any, Any]:
            out = function(*tensors, *sizes)
            return out, out

        return forward, lambda out: torch.autograd.grad(out, tensors, upstream)

    def passes(self, peer: str, dtype: str) -> tuple[Callable[[], tuple[Any, Any]], Callable[[Any], Any]]:
        if peer == "pytorch":
            return self.torch(dtype)
        return (self.one() if peer == "loops" else self).numpy(HOMEWORKS[peer], dtype)

    def lap(self, peer: str, dtype: str) -> Lap:
        forward, backward = self.passes(peer, dtype)
        start = _now()
        backward(forward()[1])
        repeats = 1 if peer == "loops" else math.ceil(SHORT / _between(start, _now())[1])

        def lap() -> dict[str, tuple[float, float]]:
            marks = [_now()]
            caches = [forward()[1] for _ in range(repeats)]
            marks.append(_now())
            while caches:
                backward(caches.pop())
            marks.append(_now())
            return {part: _between(marks[a], marks[b], repeats) for part, a, b in PARTS}

        return lap

    def check(self, peers: list[str], dtype: str) -> None:
        """Refuse to time contestants that do not compute the same."""
        results = {}
        for peer in peers:
            if peer != "loops":
                forward, backward = self.passes(peer, dtype)
                out, cache = forward()
                gradients = backward(cache)
                results[peer] = [out, *(gradients if isinstance(gradients, tuple) else [gradients])]
        for peer, arrays in results.items():
            for got, expected in zip(arrays, results["model"], strict=True):
                got = got.detach().numpy() if peer == "pytorch" else got
                error = np.abs(got - expected).max() / np.abs(expected).max()
                assert error < (1e-4 if dtype == "float32" else 1e-10), (self.name, peer, error)

    def memory(self, peer: str, dtype: str) -> float:
        """Return the peak of what NumPy allocates, out, dx and all, as a multiple of out and dx."""
        forward, backward = self.passes(peer, dtype)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        out, cache = forward()
        gradients = backward(cache)
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        dx = gradients[0] if self.filters else gradients
        return peak / (out.nbytes + dx.nbytes)


PARTS = (("forward", 0, 1), ("backward", 1, 2), ("both", 0, 2))


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _between(start: tuple[float, float], end: tuple[float, float], times: float = 1) -> tuple[float, float]:
    return (end[0] - start[0]) / times, (end[1] - start[1]) / times


@dataclass(frozen=True)
class Training:
    """Training LeNet-5 for `steps` batches, of which `timed` are run each lap; the rest is multiplication."""

    name: str
    steps: int
    timed: int
    batch: int = 100
    flops = 0.0

    @property
    def loops_share(self) -> int:
        return self.batch

    def lap(self, peer: str, dtype: str) -> Lap:
        batch, timed = (1, 1) if peer == "loops" else (self.batch, self.timed)
        x, labels = images(batch * timed, dtype)
        net = TorchNet(torch, dtype) if peer == "pytorch" else NumPyNet(HOMEWORKS[peer], dtype)
        order = np.random.default_rng(8)

        def lap() -> dict[str, tuple[float, float]]:
            start = _now()
            for chosen in order.permutation(len(x)).reshape(timed, batch):
                net.step(x[chosen], labels[chosen])
            return {"both": _between(start, _now(), timed / self.steps)}

        return lap

    def check(self, peers: list[str], dtype: str) -> None:
        """Refuse to time contestants that do not learn the same."""
        x, labels = images(3 * self.batch, dtype)
        losses = []
        for peer in peers:
            if peer != "loops":
                net = TorchNet(torch, dtype) if peer == "pytorch" else NumPyNet(HOMEWORKS[peer], dtype)
                batches = zip(np.split(x, 3), np.split(labels, 3), strict=True)
                losses.append([net.step(*batch) for batch in batches])
        assert np.allclose(losses, losses[0], rtol=1e-3), losses

    def memory(self, peer: str, dtype: str) -> float:
        return 0.0


def _lenet(N: int) -> list[Layer]:
    return [
        Layer(f"LeNet conv 1, N={N}", "conv2d", (N, 1, 28, 28), (5, 5), 1, filters=6, padding=2),
        Layer(f"LeNet conv 2, N={N}", "conv2d", (N, 6, 14, 14), (5, 5), 1, filters=16),
        Layer(f"LeNet pool 1, N={N}", "max_pool2d", (N, 6, 28, 28), (2, 2), 2),
        Layer(f"LeNet pool 2, N={N}", "max_pool2d", (N, 16, 10, 10), (2, 2), 2),
    ]


VGG = "VGG-like conv"
CASES: dict[str, Layer | Training] = {
    case.name: case
    for case in (
        Training("LeNet-5 step", 1, timed=5),
        Training("LeNet-5 epoch", 600, timed=20),  # the 60,000 images that everybody trains on
        *_lenet(100),
        *_lenet(64),
        *_lenet(256),
        Layer("LeNet conv 2, plain", "conv2d", (100, 6, 14, 14), (5, 5), 1, filters=16, plain=True),
        Layer(VGG, "conv2d", (16, 64, 32, 32), (3, 3), 1, filters=64, padding=1),
        Layer("strided conv", "conv2d", (16, 32, 33, 33), (3, 3), 2, filters=64, padding=1),
        Layer("average pool 2x2", "avg_pool2d", (100, 6, 28, 28), (2, 2), 2),
        Layer("max pool 3x3 by 2", "max_pool2d", (64, 32, 32, 32), (3, 3), 2),
        Layer("average pool 3x3 by 2", "avg_pool2d", (64, 32, 32, 32), (3, 3), 2),
    )
}

PROMISES: dict[str, tuple[float, float]] = {
    "LeNet-5 step": (0.75, 0.7),
    "LeNet-5 epoch": (0.75, 0.7),
    "LeNet conv 2, N=100": (1.5, 1.5),
    VGG: (1.4, 1.4),
    "strided conv": (2.3, 2.3),
    "LeNet pool 1, N=100": (0.5, 0.5),
    "LeNet pool 2, N=100": (0.5, 0.5),
    "average pool 2x2": (0.5, 0.5),
    "max pool 3x3 by 2": (0.75, 0.75),
    "average pool 3x3 by 2": (0.75, 0.75),
}
"""At most so many times PyTorch's time at one thread, in float32 and in float64."""
PEAK_SHARE = 0.7  # at least, of the VGG-like layer
MEMORY = 3.0  # at most, times out and dx, of every layer
MODEL_STEP = 3.5  # at most, of the model answer


# --- a process with its own number of threads ------------------------------------------------------------------------


def child(threads: int) -> None:
    """Do what the lines of standard input ask for, and answer each with a line."""
    if torch is not None:
        torch.set_num_threads(threads)
    matrices = {dtype: np.random.default_rng(9).standard_normal((1024, 1024)).astype(dtype) for dtype in DTYPES}
    laps: dict[str, Lap] = {}
    for line in sys.stdin:
        do, name, dtype, peer = json.loads(line)
        answer: Any = None
        if do == "open":
            laps = {peer: CASES[name].lap(peer, dtype) for peer in _peers()}
            CASES[name].check(_peers(), dtype)
        elif do == "lap":
            answer = laps[peer]()
        elif do == "memory":
            answer = CASES[name].memory(peer, dtype)
        elif do == "peak":
            start = _now()
            np.matmul(matrices[dtype], matrices[dtype])
            answer = _between(start, _now())
        print(json.dumps(answer), flush=True)


Ask = Callable[..., Any]


@contextmanager
def _processes(numbers: list[int]) -> Iterator[dict[int, Ask]]:
    """Start one process for each number of threads; give what asks it and waits for the answer."""
    started = {}
    for threads in numbers:
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(Path(__file__).resolve()), "--child", str(threads)]
        started[threads] = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def asker(process: subprocess.Popen[str]) -> Ask:
        def ask(do: str, name: str = "", dtype: str = "", peer: str = "") -> Any:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps([do, name, dtype, peer]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{name}, {dtype}: the process that measures ended early")
            return json.loads(line)

        return ask

    try:
        yield {threads: asker(process) for threads, process in started.items()}
    finally:
        for process in started.values():
            process.communicate()


def _peers() -> list[str]:
    return [*HOMEWORKS, *(["pytorch"] if torch is not None else [])]


# --- the race --------------------------------------------------------------------------------------------------------


def race(name: str, dtype: str, ask: dict[int, Ask]) -> dict[str, Any]:
    """Measure one case: for each number of threads and each peer, its laps."""
    case, peers = CASES[name], _peers()
    for each in ask.values():
        each("open", name, dtype)
    laps: dict[int, dict[str, list[dict[str, Any]]]] = {threads: {peer: [] for peer in peers} for threads in ask}
    laps[1]["loops"].append(ask[1]("lap", name, dtype, "loops"))
    peaks: list[float] = []
    running = [peer for peer in peers if peer != "loops"]
    started = time.perf_counter()
    for lap in range(LAPS.stop):
        if lap >= LAPS.start and time.perf_counter() - started > SECONDS:
            break
        for peer in running:
            for threads, each in ask.items():
                if threads == 1 or peer != "classic":  # nobody runs that for speed
                    laps[threads][peer].append(each("lap", name, dtype, peer))
        if name == VGG:
            peaks.append(2 * 1024**3 / ask[1]("peak", dtype=dtype)[1])
        if lap == 2:
            running = [peer for peer in running if _seconds(laps[1][peer], "both", "wall") < SLOW]
    found: dict[str, Any] = {"case": name, "dtype": dtype, "threads": {}}
    for threads, of_peers in laps.items():
        found["threads"][str(threads)] = rows = {}
        for peer, own in of_peers.items():
            if own:
                rows[peer] = {
                    part: _row(own, of_peers[_yardstick()], part, CLOCK[threads], _share(case, peer)) for part in own[0]
                }
    best = {threads: min(_clocks(lap, "both", "wall") for lap in laps[threads]["fast"]) for threads in ask}
    if 2 in best:
        found["fast_two_threads_over_one"] = best[2] / best[1]
    if case.flops:
        found["gflops"] = {
            peer: case.flops / _seconds(own, "both", "cpu") / 1e9 for peer, own in laps[1].items() if peer != "loops"
        }
    if peaks:
        found["peak_gflops"] = statistics.median(peaks) / 1e9
        found["peak_share"] = {peer: each / found["peak_gflops"] for peer, each in found["gflops"].items()}
    if isinstance(case, Layer):
        found["memory"] = {peer: ask[1]("memory", name, dtype, peer) for peer in ("classic", "model", "fast")}
    return found


def _yardstick() -> str:
    return "pytorch" if torch is not None else "model"


def _share(case: Layer | Training, peer: str) -> int:
    return case.loops_share if peer == "loops" else 1


def _clocks(lap: dict[str, Any], part: str, clock: str) -> float:
    return float(lap[part][("wall", "cpu").index(clock)])


def _seconds(laps: list[dict[str, Any]], part: str, clock: str) -> float:
    return statistics.median(_clocks(lap, part, clock) for lap in laps)


def _row(own: list[dict[str, Any]], others: list[dict[str, Any]], part: str, clock: str, share: int) -> dict[str, Any]:
    if clock == "wall":
        seconds, other = (min(_clocks(lap, part, clock) for lap in laps) for laps in (own, others))
        ratio = seconds / other
    else:
        pairs = [
            (_clocks(lap, part, clock), _clocks(other, part, clock)) for lap, other in zip(own, others, strict=False)
        ]
        seconds, ratio = statistics.median(a for a, _ in pairs), statistics.median(a / b for a, b in pairs)
    return {"milliseconds": 1000 * share * seconds, "ratio": share * ratio, "laps": len(own)}


# --- what is printed and written -------------------------------------------------------------------------------------


def table(results: list[dict[str, Any]], dtype: str, threads: int) -> None:
    """Print the ratios of every case."""
    clock = {"cpu": "processor time", "wall": "best time on the wall"}[CLOCK[threads]]
    peers = [peer for peer in _peers() if peer != _yardstick() and (threads == 1 or peer not in ("loops", "classic"))]
    unit = {"pytorch": "PyTorch", "model": "model"}[_yardstick()]
    print(f"\n{dtype}, {threads} BLAS thread{'s'[: threads - 1]}: {clock}, as a multiple of {unit}'s")
    print(f"  {'':24}{unit + ' ms':>11}" + "".join(f"{peer:>9}" for peer in peers) + "   of fast: forw.  back.  memory")
    for found in results:
        if found["dtype"] == dtype:
            rows = found["threads"][str(threads)]
            line = f"  {found['case']:24}{rows[_yardstick()]['both']['milliseconds']:11.2f}"
            line += "".join(f"{rows[peer]['both']['ratio']:9.{0 if peer == 'loops' else 2}f}" for peer in peers)
            if "memory" in found:
                parts = (rows["fast"][part]["ratio"] for part in ("forward", "backward"))
                line += f"{'':12}" + "".join(f"{ratio:6.2f} " for ratio in parts) + f"{found['memory']['fast']:7.2f}"
            print(line)


def promises(results: list[dict[str, Any]]) -> bool:
    """Print what `fast.py` is held to; return whether it keeps that."""
    lines = []
    for found in results:
        name, dtype = found["case"], found["dtype"]
        one = found["threads"]["1"]
        if torch is not None and name in PROMISES:
            bound = PROMISES[name][DTYPES.index(dtype)]
            lines.append((f"{name}, {dtype}: ratio", one["fast"]["both"]["ratio"], bound))
        if torch is not None and name == "LeNet-5 step":
            lines.append((f"{name}, {dtype}: ratio of the model answer", one["model"]["both"]["ratio"], MODEL_STEP))
        if "peak_share" in found:
            share = found["peak_share"]["fast"]
            print(f"  {name}, {dtype}: {found['gflops']['fast']:.0f} of {found['peak_gflops']:.0f} GFLOP/s")
            lines.append((f"{name}, {dtype}: peak over what it reaches", 1 / share, 1 / PEAK_SHARE))
    # Plain arrays have to be copied into the order inside, x and dout each: that comes on top.
    layers_only = [found for found in results if "memory" in found and not CASES[found["case"]].plain]
    if layers_only:
        most = max(layers_only, key=lambda found: found["memory"]["fast"])
        lines.append(
            (f"{most['case']}, {most['dtype']}: memory over out + dx, the most", most["memory"]["fast"], MEMORY)
        )
    print("\nWhat fast.py is held to, at one thread")
    for what, value, bound in lines:
        print(f"  {what:62} {value:6.2f}, at most {bound:.2f}   {'good' if value <= bound else 'TOO MUCH'}")
    key = "fast_two_threads_over_one"
    if key in results[0]:
        slower = max(results, key=lambda found: found[key])
        print(f"  two threads over one, at worst: {slower[key]:.2f} ({slower['case']}, {slower['dtype']})")
    return all(value <= bound for _, value, bound in lines)


def machine() -> dict[str, Any]:
    """Describe what was measured on, in words that name nobody's computer."""
    configuration: Any = np.show_config(mode="dicts")
    blas = configuration["Build Dependencies"]["blas"]
    return {
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[1],
        "architecture": platform.machine(),
        "simd": (configuration["SIMD Extensions"].get("found") or [""])[-1],
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "pytorch": torch.__version__ if torch is not None else None,
    }


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Draw the ratios at one thread: a row for each case, a dot for each contestant."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        print("matplotlib is not installed here: no picture")
        return
    mpl.rcParams.update({"svg.hashsalt": "peers", "svg.fonttype": "none"})  # the same ids in every run; text as text
    colours = {"loops": "#9aa0a6", "classic": "#d98c3f", "model": "#3f7fbf", "fast": "#2e9e5b"}
    figure = Figure(figsize=(10, 6.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(found["case"] for found in results))
    for ax, dtype in zip(axes, DTYPES, strict=True):
        rows = {found["case"]: found["threads"]["1"] for found in results if found["dtype"] == dtype}
        for peer, colour in colours.items():
            if peer != _yardstick():
                ratios = [rows[name][peer]["both"]["ratio"] for name in names]
                ax.plot(ratios, range(len(names)), "o", color=colour, label=peer, markersize=6)
        ax.axvline(1, color="black", linewidth=1)
        ax.set(xscale="log", title=dtype, xlabel=f"time, as a multiple of {_yardstick()}'s")
        ax.set_yticks(range(len(names)), names)
        ax.grid(axis="x", color="#e0e0e0")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    axes[1].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Run the race; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "bench", help="folder for peers.json and peers.svg")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--threads", type=int, choices=sorted(CLOCK), default=max(CLOCK), help="at most; default 2")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return 0
    if torch is None:
        print("PyTorch is not installed here: everything is compared with the model answer, and no promise is checked.")
    names = [name for name in CASES if arguments.only in name]
    numbers = [threads for threads in CLOCK if threads <= arguments.threads]
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if len(numbers) > 1 and load > processors / 4:
        print(f"Others are at work here (load average {load:.1f}): what two threads take means nothing.")
    with _processes(numbers) as ask:
        results = [race(name, dtype, ask) for dtype in DTYPES for name in names]
    for threads in numbers:
        for dtype in DTYPES:
            table(results, dtype, threads)
    kept = promises(results)
    arguments.out.mkdir(parents=True, exist_ok=True)
    exact = json.dumps({"machine": machine(), "results": results})
    rounded = json.loads(exact, parse_float=lambda digits: float(f"{float(digits):.4g}"))
    (arguments.out / "peers.json").write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    plot(results, arguments.out / "peers.svg")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
