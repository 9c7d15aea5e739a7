# SPDX-License-Identifier: Apache-2.0
"""Makes resnet-cifar.safetensors with PyTorch, in double precision: one training step and an evaluation of the CIFAR
ResNets. See make_golden.py for what to install.

    python3 test/golden/make_resnet_golden.py

No weights are stored: both sides compute them from the names and positions of their elements (`pattern`).
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from make_golden import save


def pattern(salt, count):
    """Numbers in [-1, 1) with 16 bits: a hash of their positions. test/helpers/pattern.ts is the same."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(salt)
    for shift, factor in [(15, 0x85EBCA77), (13, 0xC2B2AE3D)]:
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return torch.from_numpy((h >> np.uint32(16)).astype(np.float64) / 32768 - 1)


class ReLU(nn.Module):
    """Remembers how near to its kink it came: float32 must not fall on the other side."""

    def __init__(self):
        super().__init__()
        self.margin = float("inf")

    def forward(self, x):
        self.margin = min(self.margin, x.detach().abs().min().item())
        return F.relu(x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, pads):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = ReLU()
        self.missing, self.stride, self.downsample = outputs - inputs, stride, None
        if (stride > 1 or self.missing) and not pads:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.missing:
            half = self.missing // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.missing - half))
        return self.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, channels, blocks, pads):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.relu, self.stages = ReLU(), len(channels)
        inputs = channels[0]
        for i, outputs in enumerate(channels):
            stage = []
            for block in range(blocks):
                stage.append(Block(inputs, outputs, 2 if i > 0 and block == 0 else 1, pads))
                inputs = outputs
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def fill(name, tensor, salt):
    if name.endswith("num_batches_tracked"):
        return tensor.fill_(3)
    u = pattern(salt, tensor.numel()).reshape(tensor.shape)
    if tensor.dim() > 1:
        fan_in = tensor[0].numel()
        return tensor.copy_(u * 2.0 ** np.round(np.log2(np.sqrt(6 / fan_in))))
    starts_at_one = name.endswith(("running_var", "weight"))
    return tensor.copy_(1 + u / 2 if starts_at_one else u / 4)


def margin(model, images):
    """How near to 0 an input of a ReLU comes in a training step. The state stays as it is."""
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    relus = [module for module in model.modules() if isinstance(module, ReLU)]
    for relu in relus:
        relu.margin = float("inf")
    with torch.no_grad():
        model(images)
        model.load_state_dict(state)
    return min(relu.margin for relu in relus)


def images_of(salt, batch, size):
    return pattern(salt, batch * 3 * size * size).reshape(batch, 3, size, size)


def main():
    tensors, cases = {}, []
    for depth, model, size in [
        (20, ResNet([16, 32, 64], 3, pads=True), 12),
        (18, ResNet([64, 128, 256, 512], 2, pads=False), 16),
    ]:
        model = model.double().train()
        state = model.state_dict()
        with torch.no_grad():
            for salt, (name, tensor) in enumerate(state.items()):
                fill(name, tensor, salt)
        # The images, of 60 batches, that keep farthest from the kinks of the ReLUs: there a rounding error of float32
        # would switch a gradient on or off, and two correct implementations would differ.
        batch = 6
        salt = max(range(1000, 1060), key=lambda salt: margin(model, images_of(salt, batch, size)))
        images = images_of(salt, batch, size)
        print(f"depth {depth}: salt {salt}, margin {margin(model, images):.2e}")
        labels = torch.arange(batch)
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        case = {"depth": depth, "size": size, "batch": batch, "salt": salt, "gradients": [], "statistics": []}
        case["state"] = [[name, list(tensor.shape)] for name, tensor in state.items()]
        tensors[f"{depth}.logits"], tensors[f"{depth}.loss"] = logits, loss
        for name, parameter in model.named_parameters():
            if parameter.numel() <= 2048:
                case["gradients"].append(name)
                tensors[f"{depth}.grad.{name}"] = parameter.grad
        for name, tensor in model.named_buffers():
            if tensor.numel() <= 64:
                case["statistics"].append(name)
                tensors[f"{depth}.after.{name}"] = tensor.clone()
        tensors[f"{depth}.eval"] = model.eval()(images)
        cases.append(case)
    save("resnet-cifar.safetensors", tensors, cases)


if __name__ == "__main__":
    main()
