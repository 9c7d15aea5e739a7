# SPDX-License-Identifier: Apache-2.0
"""Makes airbench.safetensors with PyTorch, in double precision: a small network of airbench, its whitening, and a training by
the whole recipe (Nesterov's momentum, its rate for norms, triangular schedule, label smoothing, Lookahead with buffers, a bias
that is frozen on the way). See make_golden.py for what to install.

    python3 test/golden/make_airbench_golden.py

Tensors: `images` [24, 3, 20, 20], `labels`; `start.NAME` and `end.NAME`, the state before and after, by PyTorch's layout
`whitening`, the first weight; `losses`, one a step.
"""

import torch
import torch.nn.functional as F
from torch import nn

from make_golden import save, values

WIDTHS = [8, 16, 16]
BATCH, EPOCHS, FREEZE_AFTER, EVERY = 8, 4, 2, 2
LR, MOMENTUM, DECAY, NORM_LR, SMOOTHING = 0.02, 0.85, 0.0153 / 11.5, 64, 0.2


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding="same", bias=False)
        self.norm1 = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding="same", bias=False)
        self.norm2 = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
        for norm in [self.norm1, self.norm2]:
            norm.weight.requires_grad = False

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.whitening = nn.Conv2d(3, 24, 2)
        self.blocks = nn.Sequential(*[Block(i, o) for i, o in zip([24, *WIDTHS], WIDTHS)])
        self.classifier = nn.Linear(WIDTHS[-1], 10, bias=False)

    def forward(self, x):
        x = self.blocks(F.gelu(self.whitening(x)))
        return self.classifier(x.amax((2, 3))) / 9


def whitening(images, eps=5e-4):
    """[24, 3, 2, 2]; the largest element of each direction is positive."""
    patches = images.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 4, 5, 1)  # n, y, x, row, column, channel
    flat = patches.reshape(-1, 12)
    values_, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
    rows = vectors.T.flip(0)
    rows = rows * torch.sign(rows.gather(1, rows.abs().argmax(1, keepdim=True)))
    scaled = rows / torch.sqrt(values_.flip(0) + eps)[:, None]
    return torch.cat([scaled, -scaled]).reshape(24, 2, 2, 3).permute(0, 3, 1, 2)


def triangle(step, steps, peak=0.23, start=0.2, end=0.07):
    top = int(peak * steps)
    if step < top:
        return start + (1 - start) * step / top
    return 1 + (end - 1) * (step - top) / (steps - top)


def main():
    torch.manual_seed(5)
    net = Net().double()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                parameter.copy_((values(*parameter.shape) * (2 / parameter[0].numel()) ** 0.5).float())
    images = values(24, 3, 20, 20)
    images = (images + 0.5 * images.roll(1, 3) + 0.25 * images.mean(1, keepdim=True)).float().double()
    labels = torch.arange(24) * 7 % 10
    with torch.no_grad():
        exact = whitening(images)
        net.whitening.weight.copy_(exact.float())
        net.whitening.bias.copy_(net.whitening.bias.float())
    net.whitening.weight.requires_grad = False
    tensors = {"images": images, "labels": labels.double(), "whitening": exact}
    for name, value in net.state_dict().items():
        tensors[f"start.{name}"] = value.detach().clone().double()

    norms = [p for n, p in net.named_parameters() if "norm" in n and p.requires_grad]
    others = [p for n, p in net.named_parameters() if "norm" not in n and p.requires_grad]
    optimizer = torch.optim.SGD(
        [
            {"params": others, "lr": LR, "weight_decay": DECAY},
            {"params": norms, "lr": NORM_LR * LR, "weight_decay": DECAY / NORM_LR},
        ],
        momentum=MOMENTUM,
        nesterov=True,
    )
    steps = EPOCHS * len(images) // BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: triangle(i, steps))
    slow = {n: v.detach().clone() for n, v in net.state_dict().items() if v.is_floating_point()}
    losses = []
    net.train()
    for epoch in range(EPOCHS):
        net.whitening.bias.requires_grad = epoch < FREEZE_AFTER
        for first in range(0, len(images), BATCH):
            batch = slice(first, first + BATCH)
            loss = F.cross_entropy(net(images[batch]), labels[batch], label_smoothing=SMOOTHING)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            done = len(losses)
            if done % EVERY == 0:
                alpha = 1 - 0.95**5 * (done / steps) ** 3
                with torch.no_grad():
                    for name, value in net.state_dict().items():
                        if name in slow:
                            slow[name].lerp_(value, alpha)
                            value.copy_(slow[name])
    tensors["losses"] = torch.tensor(losses, dtype=torch.float64)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name in slow:
                value.copy_(slow[name])
            tensors[f"end.{name}"] = value.detach().clone().double()
    settings = {
        **{"widths": WIDTHS, "batchSize": BATCH, "epochs": EPOCHS, "freezeAfter": FREEZE_AFTER, "every": EVERY},
        **{"lr": LR, "momentum": MOMENTUM, "weightDecay": DECAY, "normLr": NORM_LR, "labelSmoothing": SMOOTHING},
    }
    save("airbench.safetensors", tensors, settings)


if __name__ == "__main__":
    main()
