# SPDX-License-Identifier: Apache-2.0
"""Makes models.safetensors with PyTorch, in double precision: logits of models in use, and for those that have no ReLU
some gradients. See make_golden.py for what to install.

    python3 test/golden/make_models_golden.py

The models are written down here once more, from their papers and from torchvision's description. No weights are stored:
both sides compute them from the names and positions of their elements (`fill`).
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from make_golden import save
from make_resnet_golden import fill as fill_resnet
from make_resnet_golden import pattern

TABLE = [
    "012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235",
    "012345",
]  # fmt: skip


def fill(name, tensor, salt):
    if tensor.dim() == 3:  # the weights of a partial convolution
        return tensor.copy_(pattern(salt, tensor.numel()).reshape(tensor.shape) / 4)
    return fill_resnet(name, tensor, salt)


# --- LeNet-5 of 1998 ------------------------------------------------------------------------------------------


def squash(x):
    return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        sums = x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class Partial(nn.Module):
    """Every map by itself; its weights are [kernel, kernel, channels] for each run of neighbouring channels."""

    def __init__(self):
        super().__init__()
        self.weights = nn.ModuleList()
        for row in TABLE:
            runs = []
            for channel in map(int, row):
                if runs and runs[-1][-1] == channel - 1:
                    runs[-1].append(channel)
                else:
                    runs.append([channel])
            self.weights.append(nn.ParameterList([nn.Parameter(torch.zeros(5, 5, len(run))) for run in runs]))
        self.bias = nn.Parameter(torch.zeros(16))

    def forward(self, x):
        maps = []
        for row, weights in zip(TABLE, self.weights):
            weight = torch.cat(list(weights), 2).permute(2, 0, 1)[None]
            maps.append(F.conv2d(x[:, [int(channel) for channel in row]], weight))
        return torch.cat(maps, 1) + self.bias[:, None, None]


class Codes(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.register_buffer("codes", torch.zeros(classes, 84))

    def forward(self, x):
        return -((x[:, None] - self.codes) ** 2).sum(2)


class LeNet5Of1998(nn.Module):
    def __init__(self, classes, rbf, padding):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5, padding=padding)
        self.s2 = Subsampling(6)
        self.c3 = Partial()
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = Codes(classes) if rbf else nn.Linear(84, classes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))
        x = squash(self.s4(squash(self.c3(x))))
        return self.output(squash(self.f6(squash(self.c5(x).flatten(1)))))


# --- others ---------------------------------------------------------------------------------------------------


class Nielsen(nn.Module):
    def __init__(self, convolutions, hidden, activation, dropout):
        super().__init__()
        features, channels, side = [], 1, 28
        for maps in (20, 40)[:convolutions]:
            features += [nn.Conv2d(channels, maps, 5), activation(), nn.MaxPool2d(2)]
            channels, side = maps, (side - 4) // 2
        layers, inputs = [], channels * side * side
        for size in hidden:
            layers += [nn.Dropout(dropout)] * (dropout > 0) + [nn.Linear(inputs, size), activation()]
            inputs = size
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(*layers, *[nn.Dropout(dropout)] * (dropout > 0), nn.Linear(inputs, 10))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class AllCnnC(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [nn.Dropout(0.2)], 3
        for outputs, kernel, stride, padding in [
            (96, 3, 1, 1), (96, 3, 1, 1), (96, 3, 2, 1), (192, 3, 1, 1), (192, 3, 1, 1), (192, 3, 2, 1), (192, 3, 1, 0),
            (192, 1, 1, 0), (10, 1, 1, 0),
        ]:  # fmt: skip
            layers += [nn.Conv2d(channels, outputs, kernel, stride, padding), nn.ReLU()]
            layers += [nn.Dropout(0.5)] * (stride == 2)
            channels = outputs
        self.features = nn.Sequential(*layers)

    def forward(self, x):
        return self.features(x).mean((2, 3))


class Within(nn.Module):
    """Response normalisation within 3x3 pixels of a map. The mean counts the zeros around the image."""

    def forward(self, x):
        return x / (1 + 5e-5 * F.avg_pool2d(x * x, 3, 1, 1)) ** 0.75


class CudaConvNet(nn.Module):
    def __init__(self):
        super().__init__()

        def conv(a, b):
            return nn.Conv2d(a, b, 5, padding=2)

        def pool(kind):
            return kind(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            conv(3, 32), pool(nn.MaxPool2d), nn.ReLU(), Within(), conv(32, 32), nn.ReLU(), pool(nn.AvgPool2d), Within(),
            conv(32, 64), nn.ReLU(), pool(nn.AvgPool2d),
        )  # fmt: skip
        self.fc10 = nn.Linear(1024, 10)

    def forward(self, x):
        return self.fc10(self.features(x).flatten(1))


class Deotte(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for a, b in ((1, 32), (32, 64)):
            for conv in (nn.Conv2d(a, b, 3), nn.Conv2d(b, b, 3), nn.Conv2d(b, b, 5, 2, 2)):
                layers += [conv, nn.ReLU(), nn.BatchNorm2d(b)]
            layers.append(nn.Dropout(0.4))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(1024, 128), nn.ReLU(), nn.BatchNorm1d(128), nn.Dropout(0.4), nn.Linear(128, 10)
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Block(nn.Module):
    def __init__(self, inputs, channels, stride, bottleneck):
        super().__init__()
        shapes = (
            [(inputs, channels, 1, 1), (channels, channels, 3, stride), (channels, 4 * channels, 1, 1)]
            if bottleneck
            else [(inputs, channels, 3, stride), (channels, channels, 3, 1)]
        )
        for i, (a, b, kernel, step) in enumerate(shapes, 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.count, outputs = len(shapes), shapes[-1][1]
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = F.relu(y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, bottleneck, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, count in enumerate(blocks):
            stage = []
            for block in range(count):
                stage.append(Block(inputs, 64 * 2**i, 2 if i > 0 and block == 0 else 1, bottleneck))
                inputs = 64 * 2**i * (4 if bottleneck else 1)
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


class MobileNetV2(nn.Module):
    def __init__(self, classes):
        super().__init__()

        def conv(a, b, kernel, stride=1, groups=1):
            plain = nn.Conv2d(a, b, kernel, stride, kernel // 2, groups=groups, bias=False)
            return nn.Sequential(plain, nn.BatchNorm2d(b), nn.ReLU6())

        features, inputs, self.adds = [conv(3, 32, 3, 2)], 32, [False]
        for t, c, n, s in [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ]:  # fmt: skip
            for i in range(n):
                stride, hidden = s if i == 0 else 1, inputs * t
                block = nn.Module()
                block.conv = nn.Sequential(
                    *([conv(inputs, hidden, 1)] if t > 1 else []),
                    conv(hidden, hidden, 3, stride, hidden),
                    nn.Conv2d(hidden, c, 1, bias=False),
                    nn.BatchNorm2d(c),
                )
                features.append(block)
                self.adds.append(stride == 1 and inputs == c)
                inputs = c
        self.features = nn.Sequential(*features, conv(inputs, 1280, 1))
        self.adds.append(False)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x):
        for layer, adds in zip(self.features, self.adds):
            y = layer.conv(x) if hasattr(layer, "conv") else layer(x)
            x = x + y if adds else y
        return self.classifier(x.mean((2, 3)))


def main():
    tensors, cases = {}, []
    for name, model, shape, smooth in [
        ("lenet5-1998", LeNet5Of1998(10, True, 0), (3, 1, 32, 32), True),
        ("lenet5-1998", LeNet5Of1998(12, False, 2), (2, 1, 28, 28), True),
        ("nielsen-conv", Nielsen(1, [100], nn.Sigmoid, 0), (3, 1, 28, 28), True),
        ("nielsen-dropout", Nielsen(2, [1000, 1000], nn.ReLU, 0.5), (2, 1, 28, 28), False),
        ("all-cnn-c", AllCnnC(), (2, 3, 32, 32), False),
        ("cuda-convnet", CudaConvNet(), (2, 3, 32, 32), False),
        ("deotte", Deotte(), (2, 1, 28, 28), False),
        ("resnet18", ResNet([2, 2, 2, 2], False, 7), (1, 3, 64, 48), False),
        ("resnet50", ResNet([3, 4, 6, 3], True, 7), (1, 3, 64, 48), False),
        ("mobilenet-v2", MobileNetV2(7), (1, 3, 64, 48), False),
    ]:
        key, model = f"{len(cases)}.{name}", model.double().eval()
        state = model.state_dict()
        with torch.no_grad():
            for salt, (entry, tensor) in enumerate(state.items()):
                fill(entry, tensor, salt)
        images = pattern(1000, int(np.prod(shape))).reshape(shape)
        logits = model(images)
        tensors[f"{key}.logits"] = logits
        case = {"name": name, "key": key, "shape": shape, "classes": logits.shape[1], "gradients": []}
        case["state"] = [[entry, list(tensor.shape)] for entry, tensor in state.items()]
        if smooth:
            F.cross_entropy(logits, torch.arange(shape[0])).backward()
            for entry, parameter in model.named_parameters():
                if parameter.numel() <= 1100:
                    case["gradients"].append(entry)
                    tensors[f"{key}.grad.{entry}"] = parameter.grad
        cases.append(case)
    save("models.safetensors", tensors, cases)


if __name__ == "__main__":
    main()
