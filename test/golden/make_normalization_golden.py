# SPDX-License-Identifier: Apache-2.0
"""Makes golden numbers of normalisations with PyTorch, in double precision. See make_golden.py for what to install.

    python3 test/golden/make_normalization_golden.py

normalization.safetensors    batch (of vectors and signals), group, layer and local response normalisation, forward and
                             backward (within a channel by its definition); all in PyTorch's layouts as four dimensions, "shapes" naming them here
layers-net.safetensors       a state dict, float32, of a network of many kinds of layers
layers-net-steps.safetensors what 20 steps of SGD do to it
"""

import torch
from torch import nn
from torch.nn import functional as F

from make_golden import save, values


def layers():
    tensors, cases = {}, []

    def add(op, options, shapes, inputs, run, after=None):
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
        cases.append({"name": name, "op": op, "options": options, "shapes": shapes})

    def affine(inputs, weight, bias, *shape):
        if weight:
            inputs["weight"] = values(*shape)
        if bias:
            inputs["bias"] = values(*shape)
        return inputs

    # n, c, l (0: vectors), training, affine, momentum, eps, offset of the input
    for n, c, length, training, has_affine, momentum, eps, offset in [
        (6, 5, 0, True, True, 0.1, 1e-5, 0),
        (6, 17, 0, False, True, 0.1, 1e-5, 1),
        (3, 4, 7, True, True, 0.3, 1e-3, 2),
        (1, 16, 3, True, False, 1.0, 1e-5, -1),
        (2, 3, 5, False, False, 0.1, 1e-2, 0),
    ]:
        shape = (n, c) if length == 0 else (n, c, 1, length)
        inputs = affine({"input": values(*shape) + offset}, has_affine, has_affine, c)
        before = {"runningMean": values(c), "runningVar": values(c).abs() + 0.25}
        running = {key: value.clone() for key, value in before.items()}

        def run(input, weight=None, bias=None):
            signal = input if length == 0 else input[:, :, 0]
            y = F.batch_norm(
                signal, running["runningMean"], running["runningVar"], weight, bias, training, momentum, eps
            )
            return y.reshape(input.shape)

        after = {**before, **{f"{key}.after": value for key, value in running.items()}}
        options = {"training": training, "momentum": momentum, "eps": eps}
        add("batchNorm1d", options, {"input": [n, c] if length == 0 else [n, length, c]}, inputs, run, after)

    # shape, groups, weight, bias, eps, offset
    for shape, groups, weight, bias, eps, offset in [
        ((3, 6, 4, 5), 3, True, True, 1e-5, 0),
        ((2, 16, 3, 3), 4, True, False, 1e-3, 2),
        ((1, 5, 7, 2), 5, False, True, 1e-5, -1),
        ((4, 34, 2, 2), 1, True, True, 1e-5, 30),
        ((5, 12), 4, True, True, 1e-2, 0),
        ((2, 8, 6, 6), 2, False, False, 1e-5, 0),
    ]:
        inputs = affine({"input": values(*shape) + offset}, weight, bias, shape[1])
        n, c, *image = shape
        add(
            "groupNorm",
            {"numGroups": groups, "eps": eps},
            {"input": [n, *image, c]},
            inputs,
            lambda input, weight=None, bias=None, g=groups, e=eps: F.group_norm(
                # PyTorch has no gradient of a bias alone
                input, g, torch.ones_like(bias) if weight is None and bias is not None else weight, bias, e
            ),
        )

    # Whole images: the normalised shape is [c, h, w] there and [h, w, c] here.
    for shape, weight, bias, eps, offset in [
        ((3, 4, 5, 2), True, True, 1e-5, 0),
        ((2, 17, 3, 4), True, False, 1e-3, 10),
        ((1, 2, 2, 3), False, False, 1e-5, 0),
    ]:
        n, c, h, w = shape
        add(
            "layerNorm",
            {"normalizedShape": [h, w, c], "eps": eps},
            {"weight": [h, w, c], "bias": [h, w, c]},
            affine({"input": values(*shape) + offset}, weight, bias, 1, c, h, w),
            lambda input, weight=None, bias=None, s=shape[1:], e=eps: F.layer_norm(
                input, s, None if weight is None else weight[0], None if bias is None else bias[0], e
            ),
        )
    # Rows, and the channels of each pixel: what PyTorch's users permute for
    for shape, weight, bias, eps in [((7, 33), True, True, 1e-5), ((4, 3), False, True, 0.1), ((1, 100), True, True, 0.0)]:
        add(
            "layerNorm",
            {"normalizedShape": [shape[1]], "eps": eps},
            {},
            affine({"input": values(*shape)}, weight, bias, shape[1]),
            lambda input, weight=None, bias=None, e=eps: F.layer_norm(input, input.shape[1:], weight, bias, e),
        )
    add(
        "layerNorm",
        {"normalizedShape": [6]},
        {},
        affine({"input": values(2, 6, 3, 5)}, True, True, 6),
        lambda input, weight, bias: F.layer_norm(input.permute(0, 2, 3, 1), (6,), weight, bias).permute(0, 3, 1, 2),
    )

    for shape, size, options in [
        ((2, 7, 3, 4), 5, {}),
        ((1, 33, 2, 2), 5, {"alpha": 0.5, "k": 2}),
        ((3, 6, 2, 1), 4, {"alpha": 2, "beta": 0.5, "k": 0.25}),
        ((2, 3, 2, 2), 9, {"alpha": 1, "beta": 1.25}),
        ((1, 96, 2, 3), 1, {"alpha": 3, "beta": 0.75}),
    ]:
        add(
            "localResponseNorm",
            {"size": size, **options},
            {},
            {"input": 2 * values(*shape)},
            lambda input, s=size, o=options: F.local_response_norm(input, s, **{"k": 1, **o}),
        )

    def within(input, size, alpha=1e-4, beta=0.75, k=1):
        # A mean that counts zeros around the image, one less behind it for an even size
        low, high = size // 2, (size - 1) // 2
        squares = F.avg_pool2d(F.pad(input * input, (low, high, low, high)), size, 1)
        return input / (k + alpha * squares) ** beta

    for shape, size, options in [
        ((2, 5, 6, 7), 3, {}),
        ((1, 33, 4, 5), 5, {"alpha": 0.5, "k": 2}),
        ((2, 16, 5, 3), 4, {"alpha": 2, "beta": 0.5, "k": 0.25}),
        ((1, 3, 2, 3), 9, {"alpha": 8, "beta": 1.25}),
        ((3, 2, 1, 6), 2, {"alpha": 1, "beta": 2}),
        ((1, 20, 3, 2), 1, {"alpha": 3, "beta": 0.75}),
    ]:
        add(
            "localResponseNorm",
            {"size": size, **options, "region": "withinChannel"},
            {},
            {"input": 2 * values(*shape)},
            lambda input, s=size, o=options: within(input, s, **o),
        )
    save("normalization.safetensors", tensors, cases)


class LayersNet(nn.Module):
    """For images of 4 x 5 x 3, so that height, width and channels cannot be taken for each other."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.gn = nn.GroupNorm(4, 8)
        self.prelu = nn.PReLU(8)
        self.lrn = nn.LocalResponseNorm(3, alpha=0.5, k=2)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1)
        self.ln = nn.LayerNorm([6, 4, 5])
        self.fc1 = nn.Linear(120, 16)
        self.bn = nn.BatchNorm1d(16)
        self.fc2 = nn.Linear(16, 12)
        self.ln2 = nn.LayerNorm(12, bias=False)
        self.fc3 = nn.Linear(12, 12)
        self.prelu2 = nn.PReLU()
        self.fc4 = nn.Linear(12, 5)

    def forward(self, x):
        x = self.lrn(self.prelu(self.gn(self.conv1(x))))
        x = F.gelu(self.ln(self.conv2(x))).flatten(1)
        x = F.silu(self.bn(self.fc1(x)))
        x = F.elu(self.ln2(F.hardswish(self.fc2(x))))
        x = self.prelu2(F.softplus(self.fc3(x)) + F.leaky_relu(x, 0.1))
        return F.log_softmax(self.fc4(F.gelu(x, approximate="tanh")), -1)


def steps():
    model = LayersNet()
    for parameter in model.parameters():  # no weight of a normalisation stays 1
        parameter.data += 0.05 * values(*parameter.shape)
    save("layers-net.safetensors", model.state_dict())
    model = model.double()
    options = {"lr": 0.05, "momentum": 0.9, "weightDecay": 1e-3}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    images, labels = values(4, 6, 3, 4, 5), torch.randint(5, (4, 6))
    tensors = {f"images.{i}": images[i].float() for i in range(4)} | {"labels": labels.int()}
    losses = []
    for step in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[step % 4]), labels[step % 4])
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            for name, parameter in model.named_parameters():
                tensors[f"grad.{name}"] = parameter.grad
        optimizer.step()
    tensors["losses"] = torch.stack(losses)
    for name, value in model.state_dict().items():
        tensors[f"after.{name}"] = value
    save("layers-net-steps.safetensors", tensors, options)


if __name__ == "__main__":
    for make in (layers, steps):
        torch.manual_seed(20261123)
        make()
