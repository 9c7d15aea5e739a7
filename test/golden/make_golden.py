# SPDX-License-Identifier: Apache-2.0
"""Makes the golden numbers of the tests with PyTorch, in double precision where nothing else is said.

    python3 -m pip install torch==2.13.0 safetensors==0.8.0
    python3 test/golden/make_golden.py

Files, all in PyTorch's layouts (images [n, c, h, w], convolution weights [out, in, h, w]):

layers.safetensors      one forward and backward pass of each layer, with several options
lenet5.safetensors      a state dict, float32, as PyTorch users save it
lenet5-steps.safetensors  what three steps of SGD do to it

The metadata entry "golden" says in JSON what the tensors of each case mean.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent


def values(*shape):
    """Random doubles that float32 holds exactly, so that both precisions start from the same numbers."""
    return torch.randn(shape).double().float().double()


def save(name, tensors, cases=None):
    # One entry only: safetensors writes several in random order, and the files should not change without a reason.
    metadata = {"golden": json.dumps({"torch": torch.__version__, "cases": cases})}
    contiguous = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(contiguous, HERE / name, metadata)
    (HERE / name).chmod(0o644)


# --- layers ---------------------------------------------------------------------------------------------------


def layers():
    tensors, cases = {}, []

    def add(op, options, inputs, run):
        name = f"{len(cases)}.{op}"
        leaves = {key: value.requires_grad_() for key, value in inputs.items()}
        output = run(**leaves)
        grad = values(*output.shape)
        output.backward(grad)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"] = leaf
            tensors[f"{name}.{key}.grad"] = leaf.grad
        tensors[f"{name}.output"] = output
        tensors[f"{name}.output.grad"] = grad
        cases.append({"name": name, "op": op, "options": options})

    # image [n, c, h, w], out channels, kernel, stride, padding, bias
    for shape, out, kernel, stride, padding, bias in [
        ((2, 1, 7, 7), 3, (3, 3), (1, 1), (0, 0), True),
        ((1, 3, 8, 5), 2, (3, 2), (2, 1), (1, 0), True),
        ((2, 2, 6, 9), 4, (1, 1), (1, 1), (0, 0), False),
        ((1, 4, 5, 5), 3, (5, 5), (1, 1), (2, 2), True),
        ((2, 3, 7, 8), 2, (2, 4), (3, 2), (1, 3), True),
        ((1, 2, 4, 4), 5, (4, 4), (1, 1), (0, 0), True),
        ((1, 1, 3, 3), 1, (3, 3), (2, 2), (4, 4), True),
        ((1, 9, 4, 3), 10, (3, 3), (1, 1), (1, 1), True),
    ]:
        inputs = {"input": values(*shape), "weight": values(out, shape[1], *kernel)}
        if bias:
            inputs["bias"] = values(out)
        add(
            "conv2d",
            {"stride": stride, "padding": padding},
            inputs,
            lambda input, weight, bias=None, s=stride, p=padding: F.conv2d(input, weight, bias, s, p),
        )

    # image, kernel, stride, padding: plain, overlapping, with gaps, padded, one-sided
    windows = [
        ((2, 3, 6, 6), (2, 2), (2, 2), (0, 0)),
        ((1, 2, 7, 8), (3, 3), (2, 2), (1, 1)),
        ((2, 1, 9, 5), (3, 2), (1, 1), (1, 1)),
        ((1, 9, 5, 7), (2, 2), (3, 3), (0, 0)),
        ((1, 2, 5, 6), (5, 1), (1, 2), (2, 0)),
    ]
    for shape, kernel, stride, padding in windows:
        options = {"kernelSize": kernel, "stride": stride, "padding": padding}
        add(
            "maxPool2d",
            options,
            {"input": values(*shape)},
            lambda input, k=kernel, s=stride, p=padding: F.max_pool2d(input, k, s, p),
        )
        for counted in (True, False):
            add(
                "avgPool2d",
                {**options, "countIncludePad": counted},
                {"input": values(*shape)},
                lambda input, k=kernel, s=stride, p=padding, c=counted: F.avg_pool2d(
                    input, k, s, p, count_include_pad=c
                ),
            )
        add(  # PyTorch's has no padding of its own: zeros around the image are the same
            "lpPool2d",
            options,
            {"input": values(*shape)},
            lambda input, k=kernel, s=stride, p=padding: F.lp_pool2d(
                F.pad(input, (p[1], p[1], p[0], p[0])), 2.0, k, s
            ),
        )

    for rows, width, out, bias in [(1, 1, 1, True), (3, 7, 5, True), (4, 18, 2, False)]:
        inputs = {"input": values(rows, width), "weight": values(out, width)}
        if bias:
            inputs["bias"] = values(out)
        add("linear", {}, inputs, lambda input, weight, bias=None: F.linear(input, weight, bias))

    for op, run in [("relu", F.relu), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid)]:
        add(op, {}, {"input": 3 * values(4, 9)}, run)
    add("softmax", {}, {"input": 5 * values(4, 9)}, lambda input: F.softmax(input, -1))

    for rows, classes, spread in [(1, 2, 1), (5, 10, 3), (4, 3, 50)]:
        labels = torch.randint(classes, (rows,))
        add(
            "crossEntropy",
            {"labels": labels.tolist()},
            {"input": spread * values(rows, classes)},
            lambda input, y=labels: F.cross_entropy(input, y),
        )
    save("layers.safetensors", tensors, cases)


# --- a whole network ------------------------------------------------------------------------------------------


class LeNet5(nn.Module):
    """For images of 16 x 20 x 3, so that height, width and channels cannot be taken for each other."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 2 * 3, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


def lenet5():
    model = LeNet5()
    save("lenet5.safetensors", model.state_dict())
    model = model.double()
    images, labels = values(8, 3, 16, 20), torch.randint(10, (8,))
    options = {"lr": 0.1, "momentum": 0.9, "weightDecay": 1e-3}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    tensors = {"images": images.float(), "labels": labels.int()}
    for step in range(3):
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        tensors[f"logits.{step}"], tensors[f"loss.{step}"] = logits, loss
        if step == 0:
            for name, parameter in model.named_parameters():
                if parameter.numel() < 3000:  # the weights afterwards show the others too
                    tensors[f"grad.{name}"] = parameter.grad.float()
        optimizer.step()
    for name, parameter in model.named_parameters():
        tensors[f"after.{name}"] = parameter.float()
    save("lenet5-steps.safetensors", tensors, options)


if __name__ == "__main__":
    for make in (layers, lenet5):
        torch.manual_seed(20261120)
        make()
