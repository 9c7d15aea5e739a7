# SPDX-License-Identifier: Apache-2.0
"""The recipe of `receptive train --recipe airbench` in PyTorch, on the CPU: what an epoch takes, and what it learns.

    python3 bench/peers/airbench.py cifar10.pack                       # times 12 steps in each memory format
    python3 bench/peers/airbench.py cifar10.pack --epochs 10 --seed 1  # trains in the faster one, and tests with views

The data is what `receptive data pack` wrote. Network, numbers and augmentation are those of lib/train/airbench.ts, after Jordan's
airbench94.py. Images are augmented a batch at a time, as tensors; that is 1 % of a step.
"""
import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = [64, 256, 256]
MOMENTUM, RATE, DECAY, NORM_LR, SMOOTHING, BIAS_EPOCHS, EVERY = 0.85, 11.5, 0.0153, 64, 0.2, 3, 5


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = conv(inputs, outputs)
        self.norm1 = norm(outputs)
        self.conv2 = conv(outputs, outputs)
        self.norm2 = norm(outputs)

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


def conv(inputs, outputs):
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:inputs])
    return layer


def norm(channels):
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.whitening = nn.Conv2d(3, 24, 2)
        self.blocks = nn.Sequential(*[Block(i, o) for i, o in zip([24, *WIDTHS], WIDTHS)])
        self.classifier = nn.Linear(WIDTHS[-1], 10, bias=False)

    def forward(self, x):
        x = self.blocks(F.gelu(self.whitening(x)))
        return self.classifier(F.max_pool2d(x, 3).flatten(1)) / 9


def read_pack(path):
    """Parts of a packed file as (images [n, 3, h, w] uint8, labels), and its normalisation; lib/data/packed-format.ts."""
    with open(path, "rb") as file:
        header = file.read(64)
        if header[:8] != b"RCPTPACK":
            raise SystemExit(f"{path} is not what `receptive data pack` writes")
        offset, length = (int.from_bytes(header[at : at + 8], "little") for at in (16, 24))
        file.seek(offset)
        index = json.loads(file.read(length))

        def part(name):
            entry = index["parts"][name]
            file.seek(entry["images"]["offset"])
            images = torch.frombuffer(bytearray(file.read(entry["images"]["bytes"])), dtype=torch.uint8)
            file.seek(entry["labels"]["offset"])
            labels = torch.frombuffer(bytearray(file.read(entry["labels"]["bytes"])), dtype=torch.int32)
            return images.view(-1, *index["imageShape"]).permute(0, 3, 1, 2).contiguous(), labels.long()

        return part("train"), part("test"), index["normalization"]


def normalized(images, by):
    mean, std = (torch.tensor(by[key])[:, None, None] for key in ("mean", "std"))
    return (images / 255 - mean) / std


def whiten(layer, images, eps=5e-4):
    patches = images.double().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = (vectors / torch.sqrt(values + eps)).T.flip(0).reshape(12, 3, 2, 2)
    layer.weight.data[:] = torch.cat([rows, -rows])
    layer.weight.requires_grad = False


def augmented(images, flipped):
    """Mirrored where `flipped`, then moved by up to 2 pixels each way."""
    images = torch.where(flipped[:, None, None, None], images.flip(-1), images)
    n, _, h, w = images.shape
    padded = F.pad(images, (2, 2, 2, 2), "reflect")
    down, right = torch.randint(0, 5, (2, n))
    rows = (down[:, None] + torch.arange(h))[:, None, :, None]
    columns = (right[:, None] + torch.arange(w))[:, None, None, :]
    return padded[torch.arange(n)[:, None, None, None], torch.arange(3)[:, None, None], rows, columns]


class Training:
    def __init__(self, train, by, batch, steps, layout):
        self.images, self.labels = normalized(train[0], by), train[1]
        self.batch, self.steps, self.layout, self.done = batch, steps, layout, 0
        self.net = Net()
        whiten(self.net.whitening, self.images[:: max(1, len(self.images) // 4096)])
        self.net.to(memory_format=layout)
        lr = RATE * batch / 1024 / (1 + 1 / (1 - MOMENTUM))
        trained = [(name, p) for name, p in self.net.named_parameters() if p.requires_grad]
        norms = [p for name, p in trained if "norm" in name]
        others = [p for name, p in trained if "norm" not in name]
        self.optimizer = torch.optim.SGD(
            [
                {"params": others, "lr": lr, "weight_decay": DECAY / RATE},
                {"params": norms, "lr": NORM_LR * lr, "weight_decay": DECAY / RATE / NORM_LR},
            ],
            momentum=MOMENTUM,
            nesterov=True,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self.factor)
        state = self.net.state_dict().items()
        self.slow = {name: value.clone() for name, value in state if value.is_floating_point()}
        self.first_flip = torch.rand(len(self.images)) < 0.5

    def factor(self, step):
        top = int(0.23 * self.steps)
        if step < top:
            return 0.2 + 0.8 * step / top
        return 1 + (0.07 - 1) * (step - top) / (self.steps - top)

    def step(self, rows, epoch):
        images = augmented(self.images[rows], self.first_flip[rows] ^ bool(epoch % 2))
        loss = F.cross_entropy(
            self.net(images.contiguous(memory_format=self.layout)), self.labels[rows], label_smoothing=SMOOTHING
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.done += 1
        if self.done % EVERY == 0:
            self.look_ahead(1 - 0.95**5 * (self.done / self.steps) ** 3)

    @torch.no_grad()
    def look_ahead(self, alpha):
        for name, value in self.net.state_dict().items():
            if name in self.slow:
                self.slow[name].lerp_(value, alpha)
                value.copy_(self.slow[name])

    def epoch(self, number):
        self.net.train()
        self.net.whitening.bias.requires_grad = number < BIAS_EPOCHS
        for rows in torch.randperm(len(self.images)).split(self.batch):
            self.step(rows, number)

    @torch.no_grad()
    def accuracy(self, test, by):
        self.net.eval()
        right = 0
        for images, labels in zip(test[0].split(256), test[1].split(256)):
            images = normalized(images, by)
            padded = F.pad(images, (1, 1, 1, 1), "reflect")
            views = [(images, 1 / 4), (padded[..., :-2, :-2], 1 / 8), (padded[..., 2:, 2:], 1 / 8)]
            logits = sum(
                share * self.net(view.contiguous(memory_format=self.layout))
                for image, share in views
                for view in (image, image.flip(-1))
            )
            right += (logits.argmax(1) == labels).sum().item()
        return right / len(test[1])


def time_steps(training, count):
    """Medians of steps, the first two left out: those of the first epochs, and those after the bias is frozen."""
    medians = []
    for epoch in (0, BIAS_EPOCHS):
        training.net.train()
        training.net.whitening.bias.requires_grad = epoch < BIAS_EPOCHS
        times = []
        for _ in range(count):
            rows = torch.randperm(len(training.images))[: training.batch]
            began = time.perf_counter()
            training.step(rows, epoch)
            times.append(time.perf_counter() - began)
        medians.append(statistics.median(times[2:]))
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pack")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=12, help="timed in each format, twice")
    parser.add_argument("--epochs", type=int, default=0, help="trains in the faster format; 0: only times")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_flush_denormal(True)
    torch.set_num_threads(args.threads)
    train, test, by = read_pack(args.pack)
    batches = math.ceil(len(train[1]) / args.batch_size)
    epochs = {}
    for name, layout in [("nchw", torch.contiguous_format), ("channels_last", torch.channels_last)]:
        torch.manual_seed(args.seed)
        training = Training(train, by, args.batch_size, 1000, layout)
        first, later = time_steps(training, args.steps)
        epochs[name] = batches * later
        print(
            f"{name}: {1000 * later:.0f} ms a step of {args.batch_size} images ({1000 * first:.0f} while the first bias is "
            f"trained), {args.batch_size / later:.0f} images/s, {batches * later:.0f} s an epoch",
            flush=True,
        )
    if args.epochs == 0:
        return
    best = min(epochs, key=epochs.get)
    layout = torch.channels_last if best == "channels_last" else torch.contiguous_format
    torch.manual_seed(args.seed)
    training = Training(train, by, args.batch_size, args.epochs * batches, layout)
    began = time.perf_counter()
    for epoch in range(args.epochs):
        training.epoch(epoch)
        print(f"epoch {epoch + 1}: {time.perf_counter() - began:.0f} s", flush=True)
    training.look_ahead(0)
    print(f"test accuracy {training.accuracy(test, by):.4f}, torch {torch.__version__}, {args.threads} threads, {best}")


if __name__ == "__main__":
    main()
