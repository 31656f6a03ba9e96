"""How fast the products of a training step are in PyTorch on this CPU: f32 (MKL or oneDNN) and int8 (oneDNN), both cores.

    python eval/peer/product_speed.py

A line a shape, GFLOP/s, the median and the best of 15 runs; the last line is one JSON object. What a step's operations would
take at these speeds, and nothing else in the step, is a bound that no engine built on such libraries gets below.
"""

import json
import statistics
import time

import torch

RUNS = 15
FIRST_RUNS = 3
# rows, inputs, outputs: linears of SmolLM2-135M by the rows of a step, one block of attention's scores and of their sum, a part of the head, and a
# square that shows the most this CPU does.
SHAPES = {
    "f32": [(1700, 576, 1536), (1700, 1536, 576), (384, 64, 768), (384, 768, 64), (1088, 576, 49152), (1088, 49152, 576), (2048, 2048, 2048)],
    "int8": [(1700, 576, 1536), (1700, 1536, 576), (1700, 576, 576), (2048, 2048, 2048)],
}


def product(kind, rows, inputs, outputs):
    if kind == "f32":
        a, b = torch.randn(rows, inputs), torch.randn(inputs, outputs)
        into = torch.empty(rows, outputs)
        return lambda: torch.mm(a, b, out=into)
    a = torch.randint(-128, 128, (rows, inputs), dtype=torch.int8)
    b = torch.randint(-128, 128, (inputs, outputs), dtype=torch.int8)
    return lambda: torch._int_mm(a, b)


def main():
    results = []
    for kind, shapes in SHAPES.items():
        for rows, inputs, outputs in shapes:
            run = product(kind, rows, inputs, outputs)
            times = []
            for i in range(FIRST_RUNS + RUNS):
                began = time.perf_counter()
                run()
                if i >= FIRST_RUNS:
                    times.append(time.perf_counter() - began)
            flop = 2 * rows * inputs * outputs / 1e9
            median, best = flop / statistics.median(times), flop / min(times)
            results.append({"type": kind, "shape": [rows, inputs, outputs], "gflop_per_s": round(median), "best": round(best)})
            print(f"{kind:5} {rows} x {inputs} -> {outputs}: {median:.0f} GFLOP/s, at best {best:.0f}", flush=True)
    print(json.dumps({"threads": torch.get_num_threads(), "torch": torch.__version__, "products": results}))


if __name__ == "__main__":
    main()
