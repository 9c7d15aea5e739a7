# SPDX-License-Identifier: Apache-2.0
"""Makes resnet20-curve.json with PyTorch, in float32: the losses of ResNet-20 along 200 steps of SGD on images like
those of CIFAR-10. See make_golden.py for what to install.

    python3 test/golden/make_resnet_curve.py

Neither weights nor images are stored: both sides compute them from positions (`pattern`).
"""

import json

import torch
from torch.nn import functional as F

from make_golden import HERE
from make_resnet_golden import ResNet, fill, pattern

STEPS, BATCH, SIZE, CLASSES = 200, 16, 32, 10
# At this rate PyTorch's own rounding moves a loss by 0.1 % in 50 steps (channels last beside the default). With 0.02 and
# weights of normalisations that are not 1, its float32 is 26 % from its double precision: there is no curve to compare with.
OPTIONS = {"lr": 0.002, "momentum": 0.9, "weightDecay": 1e-4}
# How much of an image is its class, and a patch's side: the rest is noise
SHARE, PATCH = 0.25, 8


def batch(step):
    """Images [n, 3, 32, 32] with labels: a patchwork of colours for each class, under noise. All numbers are floats."""
    labels = ((pattern(20_000 + step, BATCH) + 1) * CLASSES / 2).floor().long()
    templates = torch.stack([pattern(5_000 + c, 3 * 4 * 4).reshape(3, 4, 4) for c in range(CLASSES)])
    patches = templates[labels].repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    noise = pattern(10_000 + step, BATCH * 3 * SIZE * SIZE).reshape(BATCH, 3, SIZE, SIZE)
    return noise + SHARE * patches, labels


def curve(steps, memory_format):
    model = ResNet([16, 32, 64], 3, True)
    with torch.no_grad():
        for salt, (name, tensor) in enumerate(model.state_dict().items()):
            if tensor.dim() > 1:
                fill(name, tensor, salt)
            elif not name.endswith("num_batches_tracked"):
                tensor.fill_(1 if name.endswith(("running_var", "weight")) else 0)
    model = model.to(memory_format=memory_format).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=OPTIONS["lr"], momentum=OPTIONS["momentum"], weight_decay=OPTIONS["weightDecay"]
    )
    losses = []
    for step in range(steps):
        images, labels = batch(step)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images.float()), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    losses = curve(STEPS, torch.contiguous_format)
    others = curve(50, torch.channels_last)
    rounding = max(abs(a - b) / b for a, b in zip(others, losses))
    print(f"channels last is {rounding:.2e} away in 50 steps; the last 50: {sum(losses[150:]) / 50:.4f}")
    file = {"torch": torch.__version__, **OPTIONS, "batch": BATCH, "rounding": rounding, "losses": losses}
    (HERE / "resnet20-curve.json").write_text(json.dumps(file) + "\n")
