# SPDX-License-Identifier: Apache-2.0
"""Makes convolutions.safetensors with PyTorch: one forward and backward pass of conv1d, conv2d and conv_transpose2d with
dilation, groups and padding by rule, in double precision and PyTorch's layouts; and the state dict of a small net of such
layers with its outputs. See make_golden.py for what to install.

    python3 test/golden/make_convolution_golden.py
"""

import torch
from torch import nn
from torch.nn import functional as F

from make_golden import save, values

# input, out channels, kernel, bias, options
CONV2D = [
    ((2, 3, 9, 8), 4, (3, 3), True, {"dilation": (2, 2)}),
    ((1, 2, 11, 9), 3, (3, 2), True, {"dilation": (3, 1), "padding": (2, 1), "stride": (2, 3)}),
    ((1, 17, 8, 9), 18, (3, 3), True, {"dilation": (2, 3), "padding": (2, 3)}),
    ((2, 4, 7, 6), 6, (3, 3), True, {"groups": 2, "padding": (1, 1)}),
    ((1, 5, 8, 7), 5, (3, 3), True, {"groups": 5, "padding": (1, 1)}),
    ((1, 18, 7, 7), 18, (3, 3), False, {"groups": 18, "padding": (1, 1), "stride": (2, 2)}),
    ((2, 3, 6, 7), 9, (5, 5), True, {"groups": 3, "padding": (2, 2)}),
    ((1, 34, 5, 6), 32, (3, 3), True, {"groups": 2, "padding": (1, 0), "dilation": (1, 2)}),
    ((1, 12, 6, 5), 8, (1, 1), True, {"groups": 4}),
    ((1, 6, 9, 9), 6, (3, 3), True, {"groups": 6, "dilation": (2, 2), "padding": "same"}),
    ((2, 2, 6, 7), 3, (2, 4), True, {"padding": "same"}),
    ((1, 3, 8, 8), 2, (4, 3), True, {"padding": "same", "dilation": (3, 2)}),
    ((1, 3, 8, 8), 2, (3, 3), True, {"padding": "valid", "stride": (2, 1)}),
]
CONV1D = [
    ((2, 3, 11), 4, (3,), True, {}),
    ((1, 2, 12), 5, (5,), False, {"stride": (2,), "padding": (3,)}),
    ((2, 6, 10), 6, (3,), True, {"groups": 6, "padding": (1,)}),
    ((1, 6, 13), 9, (4,), True, {"groups": 3, "dilation": (2,), "stride": (3,), "padding": (4,)}),
    ((1, 3, 9), 2, (4,), True, {"padding": "same", "dilation": (2,)}),
    ((3, 20, 7), 17, (1,), True, {"padding": "valid"}),
]
# weights begin with the input channels: [in, out / groups, kernel]
TRANSPOSED = [
    ((2, 3, 4, 5), 2, (3, 3), True, {}),
    ((1, 4, 5, 4), 3, (3, 3), True, {"stride": (2, 2), "padding": (1, 1), "output_padding": (1, 1)}),
    ((1, 2, 3, 4), 4, (4, 2), False, {"stride": (2, 3), "padding": (1, 0), "output_padding": (0, 2)}),
    ((2, 4, 4, 3), 6, (3, 3), True, {"groups": 2, "stride": (2, 1), "padding": (0, 1)}),
    ((1, 5, 4, 4), 5, (3, 3), True, {"groups": 5, "stride": (2, 2), "padding": (1, 1), "output_padding": (1, 0)}),
    ((1, 3, 4, 5), 2, (3, 2), True, {"dilation": (2, 3), "padding": (1, 2), "output_padding": (1, 2)}),
    ((1, 17, 3, 4), 18, (2, 2), True, {"stride": (2, 2)}),
]


def passes():
    tensors, cases = {}, []

    def add(op, function, options, input, weight, out, bias):
        name = f"{len(cases)}.{op}"
        leaves = {"input": values(*input), "weight": values(*weight)}
        if bias:
            leaves["bias"] = values(out)
        for leaf in leaves.values():
            leaf.requires_grad_()
        output = function(leaves["input"], leaves["weight"], leaves.get("bias"), **options)
        grad = values(*output.shape)
        output.backward(grad)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"] = leaf
            tensors[f"{name}.{key}.grad"] = leaf.grad
        tensors[f"{name}.output"] = output
        tensors[f"{name}.output.grad"] = grad
        names = {"output_padding": "outputPadding"}
        single = lambda value: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        cases.append(
            {"name": name, "op": op, "options": {names.get(key, key): single(value) for key, value in options.items()}}
        )

    for op, function, table in [("conv2d", F.conv2d, CONV2D), ("conv1d", F.conv1d, CONV1D)]:
        for input, out, kernel, bias, options in table:
            weight = (out, input[1] // options.get("groups", 1), *kernel)
            add(op, function, options, input, weight, out, bias)
    for input, out, kernel, bias, options in TRANSPOSED:
        weight = (input[1], out // options.get("groups", 1), *kernel)
        add("convTranspose2d", F.conv_transpose2d, options, input, weight, out, bias)
    return tensors, cases


class Net(nn.Module):
    """Every layer once, by names that a state dict has to keep."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(6, 6, 3, padding="same", groups=6, dilation=2)
        self.grouped = nn.Conv2d(6, 8, (3, 2), stride=2, groups=2, bias=False)
        self.up = nn.ConvTranspose2d(8, 4, (3, 4), stride=2, padding=1, output_padding=1, groups=4)
        self.along = nn.Conv1d(4, 6, 3, padding=1, groups=2)

    def forward(self, x):
        y = self.up(F.relu(self.grouped(F.relu(self.depthwise(x)))))
        n, c, h, w = y.shape
        # The pixels in a row, as they lie in an image of [h, w, c]
        return self.along(y.reshape(n, c, h * w))


def net(tensors):
    model = Net().double()
    for parameter in model.parameters():
        parameter.data = values(*parameter.shape)
    x = values(2, 6, 9, 8)
    for name, parameter in model.state_dict().items():
        tensors[f"net.state.{name}"] = parameter
    tensors["net.input"] = x
    tensors["net.output"] = model(x)


if __name__ == "__main__":
    torch.manual_seed(20261125)
    tensors, cases = passes()
    net(tensors)
    save("convolutions.safetensors", tensors, cases)
