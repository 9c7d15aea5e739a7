# SPDX-License-Identifier: Apache-2.0
"""Makes activations.safetensors with PyTorch in double precision: every activation forward and backward, and what it makes
of NaN, infinities, zeros and numbers at the end of float32. See make_golden.py for what to install.

    python3 test/golden/make_activations_golden.py
"""

import torch
from torch.nn import functional as F

from make_golden import save, values

# Infinities, zeros, and numbers whose squares or cubes are no floats
SPECIAL = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 3.0, -3.0, 20.0, 1e30, -1e30, 3e38, -3e38]


def main():
    tensors, cases = {}, []

    def record(name, inputs, grad, run):
        leaves = {key: value.requires_grad_() for key, value in inputs.items()}
        output = run(**leaves)
        output.backward(grad)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"] = leaf
            tensors[f"{name}.{key}.grad"] = leaf.grad
        tensors[f"{name}.output"] = output
        tensors[f"{name}.output.grad"] = grad

    def add(op, options, inputs, run):
        name = f"{len(cases)}.{op}"
        record(name, inputs, values(*inputs["input"].shape), run)
        cases.append({"name": name, "op": op, "options": options})

    def add_special(op, options, rows, run):
        name = f"{len(cases)}.{op}"
        input = torch.tensor(rows).double()  # as float32 has them
        record(name, {"input": input}, torch.ones_like(input), run)
        cases.append({"name": name, "op": op, "options": options, "special": True})

    for op, options, run in [
        ("elu", {}, F.elu),
        ("elu", {"alpha": 0.3}, lambda input: F.elu(input, 0.3)),
        ("gelu", {}, F.gelu),
        ("gelu", {"approximate": "tanh"}, lambda input: F.gelu(input, approximate="tanh")),
        ("hardswish", {}, F.hardswish),
        ("leakyRelu", {}, F.leaky_relu),
        ("leakyRelu", {"negativeSlope": 0.2}, lambda input: F.leaky_relu(input, 0.2)),
        ("leakyRelu", {"negativeSlope": -0.5}, lambda input: F.leaky_relu(input, -0.5)),
        ("relu", {}, F.relu),
        ("sigmoid", {}, torch.sigmoid),
        ("silu", {}, F.silu),
        ("softplus", {}, F.softplus),
        ("softplus", {"beta": 2.5, "threshold": 3}, lambda input: F.softplus(input, 2.5, 3)),
        ("tanh", {}, torch.tanh),
    ]:
        for shape, spread in [((4, 9), 3), ((2, 5, 3, 4), 1)]:
            add(op, options, {"input": spread * values(*shape)}, run)
        add_special(op, options, SPECIAL, run)

    for op, run in [("softmax", F.softmax), ("logSoftmax", F.log_softmax)]:
        for shape in [(4, 9), (3, 1), (2, 3, 17)]:
            add(op, {}, {"input": 5 * values(*shape)}, lambda input: run(input, -1))
        rows = [[inf, 0.0, 1.0] for inf in SPECIAL[:3]] + [SPECIAL[2:3] * 3, SPECIAL[1:4], [3e38, 3e38, -3e38]]
        add_special(op, {}, rows, lambda input: run(input, -1))

    for shape, weights in [((3, 5, 4, 2), 1), ((3, 5, 4, 2), 5), ((6, 17), 17), ((4, 3), 1), ((7,), 1)]:
        add("prelu", {}, {"input": values(*shape), "weight": values(weights)}, F.prelu)

    for shape, spread in [((4, 9), 3), ((2, 5, 3, 4), 5)]:
        add("relu6", {}, {"input": spread * values(*shape)}, F.relu6)
    add_special("relu6", {}, SPECIAL, F.relu6)
    save("activations.safetensors", tensors, cases)


if __name__ == "__main__":
    torch.manual_seed(20261122)
    main()
