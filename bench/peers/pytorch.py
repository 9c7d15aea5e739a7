# SPDX-License-Identifier: Apache-2.0
"""PyTorch on the CPU as a contestant: both memory formats, foreach and fused optimizers, and torch.compile where there is
a C++ compiler and BENCH_COMPILE is not 0; the runner takes the fastest variant of each task.

Two threads of a Zen 4, PyTorch 2.13, the best of 5 blocks in one run: compiled, the step of resnet20-cifar at 128 images takes 199
ms beside 263, and forward passes 1 to 22 % less; other steps take 6 % (resnet18-cifar) to 130 % (LeNet-5 at 64 images) more.
Constant folding (freezing) changed forward passes by less than the noise. Compiled steps in the other memory format were
slower than these on the residual nets, in a run that compiled for sizes that vary.
"""
import copy
import itertools
import os
import shutil

from protocol import Refusal, Server, check_parameters, unsupported

THREADS = int(os.environ.get("BENCH_THREADS", "1"))


def load():
    import torch

    # Before anything runs: threads of the pool inherit the setting from the one that starts them
    if not torch.set_flush_denormal(True):
        raise Refusal("failed", "this PyTorch cannot flush denormals to zero")
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    return PyTorch(torch)


class PyTorch:
    name = "pytorch"

    def __init__(self, torch):
        self.torch = torch
        self.version = torch.__version__
        self.prepared = None
        self.layouts = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}

    def variants(self, task):
        choices = {
            "step": [list(self.layouts), ["foreach", "fused"]],
            "infer": [list(self.layouts)],
            "conv": [list(self.layouts)],
        }.get(task["kind"], [["eager"]])
        names = [" ".join(parts) for parts in itertools.product(*choices)]
        # Inductor writes C++ and needs a compiler
        if os.environ.get("BENCH_COMPILE") != "0" and shutil.which("g++"):
            compiled = {"step": ["channels_last foreach"], "infer": list(self.layouts)}.get(task["kind"], [])
            names += [f"{name} compile" for name in compiled]
        return names

    def prepare(self, task, variant):
        kinds = {
            "gemm": self.gemm,
            "conv": self.conv,
            "step": self.step,
            "infer": self.infer,
            "overhead": self.overhead,
        }
        if task["kind"] not in kinds:
            raise unsupported(f"no task {task['kind']}")
        self.prepared = task, variant.split(" ")
        return kinds[task["kind"]](task, variant.split(" "))

    def gemm(self, task, _variant):
        torch = self.torch
        m, n, k = task["m"], task["n"], task["k"]
        a = torch.rand(k, m).t() if task.get("transposeA") else torch.rand(m, k)
        b = torch.rand(n, k).t() if task.get("transposeB") else torch.rand(k, n)
        c = torch.empty(m, n)
        return lambda: torch.mm(a, b, out=c)

    def conv(self, task, variant):
        torch = self.torch
        layout = self.layouts[variant[0]]
        s = task["shape"]
        x = self.uniform(s["n"], s["inC"], s["size"], s["size"]).to(memory_format=layout)
        weight = self.uniform(s["outC"], s["inC"] // s["groups"], s["kernel"], s["kernel"]).to(memory_format=layout)
        dy = self.uniform(s["n"], s["outC"], s["outSize"], s["outSize"]).to(memory_format=layout)
        stride, padding, groups = [s["stride"]] * 2, [s["padding"]] * 2, s["groups"]
        mask = [task["pass"] == "grad_input", task["pass"] == "grad_weight", False]
        convolution, backward = torch.nn.functional.conv2d, torch.ops.aten.convolution_backward

        def forward():
            with torch.no_grad():
                convolution(x, weight, None, stride, padding, 1, groups)

        def gradient():
            backward(dy, x, weight, None, stride, padding, [1, 1], False, [0, 0], groups, mask)

        return forward if task["pass"] == "forward" else gradient

    def uniform(self, *shape):
        return self.torch.rand(*shape) * 2 - 1

    def model(self, net, layout):
        model, _ = self.layers(net["layers"], tuple(net["input"]))
        check_parameters(net, sum(parameter.numel() for parameter in model.parameters()))
        return model.to(memory_format=layout)

    def layers(self, described, size):
        """The layers, and the size [height, width, channels] of what they give."""
        nn = self.torch.nn
        height, width, channels = size
        layers = []
        for kind, *numbers in described:
            if kind == "conv":
                out, kernel, padding, stride, bias = (*numbers, *(1, True)[len(numbers) - 3 :])
                layers.append(nn.Conv2d(channels, out, kernel, stride, padding, bias=bias))
                height, width = ((length + 2 * padding - kernel) // stride + 1 for length in (height, width))
                channels = out
            elif kind == "batchnorm":
                layers.append(nn.BatchNorm2d(channels))
            elif kind == "relu":
                layers.append(nn.ReLU(inplace=True))
            elif kind == "maxpool":
                layers.append(nn.MaxPool2d(numbers[0]))
                height, width = height // numbers[0], width // numbers[0]
            elif kind == "globalavgpool":
                layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
                height, width = 1, 1
            elif kind == "flatten":
                layers.append(nn.Flatten())
                height, width, channels = 1, 1, height * width * channels
            elif kind == "linear":
                layers.append(nn.Linear(channels, numbers[0]))
                channels = numbers[0]
            elif kind == "padchannels":
                layers.append(self.pad_channels(numbers[0] - channels, numbers[1]))
                channels = numbers[0]
            elif kind == "residual":
                (body, after), (shortcut, _) = (self.layers(part, (height, width, channels)) for part in numbers)
                layers.append(self.residual(body, shortcut))
                height, width, channels = after
            else:
                raise unsupported(f"no layer {kind}")
        return nn.Sequential(*layers), (height, width, channels)

    def residual(self, body, shortcut):
        class Residual(self.torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body, self.shortcut = body, shortcut

            def forward(self, x):
                return self.body(x) + self.shortcut(x)

        return Residual()

    def pad_channels(self, missing, stride):
        pad = self.torch.nn.functional.pad

        class PadChannels(self.torch.nn.Module):
            def forward(self, x):
                return pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, missing // 2, missing - missing // 2))

        return PadChannels()

    def compiled(self, model):
        # Without what is known of other nets and batches, or it compiles for sizes that vary: LeNet-5 at 64 images 31 ms, so 8.6
        self.torch._dynamo.reset()
        return self.torch.compile(model, dynamic=False)

    def images(self, task, layout):
        height, width, channels = task["net"]["input"]
        return self.uniform(task["batch"], channels, height, width).to(memory_format=layout)

    def step(self, task, variant):
        torch = self.torch
        layout_name, optimizer_name, *compiled = variant
        layout = self.layouts[layout_name]
        model = self.model(task["net"], layout)
        images = self.images(task, layout)
        labels = torch.randint(0, task["net"]["classes"], (task["batch"],))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, **{optimizer_name: True})
        criterion = torch.nn.CrossEntropyLoss()
        call = self.compiled(model) if compiled else model

        def step():
            optimizer.zero_grad()
            criterion(call(images), labels).backward()
            optimizer.step()

        return step

    def infer(self, task, variant):
        torch = self.torch
        layout_name, *compiled = variant
        layout = self.layouts[layout_name]
        model = self.model(task["net"], layout).eval()
        images = self.images(task, layout)
        call = self.compiled(model) if compiled else model

        def infer():
            with torch.inference_mode():
                call(images)

        return infer

    def error(self, images):
        """Of the gradients of a step, or of the logits: the largest over the root mean square of its tensor."""
        torch = self.torch
        task, (layout_name, *_) = self.prepared
        if "net" not in task:
            raise unsupported("no comparison with double precision")
        layout = self.layouts[layout_name]
        model = self.model(task["net"], layout)
        x = self.images({**task, "batch": images}, layout)
        labels = torch.randint(0, task["net"]["classes"], (images,))

        def compute(model, x):
            if task["kind"] == "infer":
                with torch.inference_mode():
                    return [model.eval()(x)]
            torch.nn.functional.cross_entropy(model(x), labels).backward()
            return [parameter.grad for parameter in model.parameters()]

        exact = compute(copy.deepcopy(model).double(), x.double())
        pairs = zip(compute(model, x), exact)
        return max(((own - of).abs().max() / of.square().mean().sqrt()).item() for own, of in pairs)

    def overhead(self, task, _variant):
        torch = self.torch
        x = torch.rand(task["size"])
        leaf = torch.rand(task["size"], requires_grad=True)
        total = torch.rand(1)

        def relu():
            with torch.no_grad():
                torch.relu(x)

        def relu_recorded():
            torch.relu(leaf)

        def relu_backward():
            leaf.grad = None
            torch.relu(leaf).sum().backward()

        bodies = {
            "fill": lambda: total.fill_(1),
            "relu": relu,
            "relu recorded": relu_recorded,
            "relu sum backward": relu_backward,
        }
        if task["op"] not in bodies:
            raise unsupported(f"no counterpart of {task['op']}")
        return bodies[task["op"]]


Server(load).run()
