# SPDX-License-Identifier: Apache-2.0
"""Makes batch-norm.safetensors with PyTorch, in double precision: batch normalisation, global average pooling and
concatenation, forward and backward, in PyTorch's layouts. See make_golden.py for what to install.

    python3 test/golden/make_batch_norm_golden.py
"""

import torch
from torch.nn import functional as F

from make_golden import save, values


def main():
    tensors, cases = {}, []

    def add(op, options, inputs, run, after=None):
        name = f"{len(cases)}.{op}"
        leaves = {key: value.requires_grad_() for key, value in inputs.items()}
        output = run(**leaves)
        grad = values(*output.shape)
        output.backward(grad)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"] = leaf
            tensors[f"{name}.{key}.grad"] = leaf.grad
        for key, value in (after or {}).items():
            tensors[f"{name}.{key}"] = value
        tensors[f"{name}.output"] = output
        tensors[f"{name}.output.grad"] = grad
        cases.append({"name": name, "op": op, "options": options})

    # image [n, c, h, w], training, affine, running statistics, momentum, eps, offset of the input
    for shape, training, affine, tracked, momentum, eps, offset in [
        ((4, 3, 5, 6), True, True, True, 0.1, 1e-5, 0),
        ((4, 3, 5, 6), False, True, True, 0.1, 1e-5, 0),
        ((2, 17, 4, 3), True, True, True, 0.3, 1e-3, 2),
        ((1, 16, 3, 3), True, False, True, 1.0, 1e-5, -1),
        ((5, 5, 1, 1), True, True, False, 0.1, 1e-5, 0),
        ((3, 33, 2, 2), False, False, True, 0.1, 1e-2, 1),
        ((8, 2, 7, 7), True, True, True, 0.0, 0.5, 30),
    ]:
        channels = shape[1]
        inputs = {"input": values(*shape) + offset}
        if affine:
            inputs |= {"weight": values(channels), "bias": values(channels)}
        before = {}
        if tracked:
            before = {"runningMean": values(channels), "runningVar": values(channels).abs() + 0.25}
        running = {key: value.clone() for key, value in before.items()}

        def run(input, weight=None, bias=None):
            return F.batch_norm(
                input, running.get("runningMean"), running.get("runningVar"), weight, bias, training, momentum, eps
            )

        after = {**before, **{f"{key}.after": value for key, value in running.items()}}
        add("batchNorm2d", {"training": training, "momentum": momentum, "eps": eps}, inputs, run, after)

    for shape in [(2, 3, 4, 5), (1, 17, 1, 1), (3, 16, 2, 7)]:
        add(
            "globalAvgPool2d",
            {},
            {"input": values(*shape)},
            lambda input: F.adaptive_avg_pool2d(input, 1).flatten(1),
        )

    for shape, others in [((2, 3, 4, 2), (5,)), ((1, 16, 2, 2), (1, 17)), ((2, 4, 1, 1), ())]:
        parts = {"input": values(*shape)}
        for i, channels in enumerate(others):
            parts[f"other{i}"] = values(shape[0], channels, *shape[2:])
        add("concat", {}, parts, lambda **parts: torch.cat(list(parts.values()), 1))

    for shape, before, after in [((2, 4, 3, 3), 2, 2), ((1, 3, 2, 5), 0, 4)]:
        add(
            "padChannels",
            {"before": before, "after": after},
            {"input": values(*shape)},
            lambda input, b=before, a=after: F.pad(input, (0, 0, 0, 0, b, a)),
        )
    save("batch-norm.safetensors", tensors, cases)


if __name__ == "__main__":
    torch.manual_seed(20261121)
    main()
