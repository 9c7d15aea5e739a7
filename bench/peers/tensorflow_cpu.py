# SPDX-License-Identifier: Apache-2.0
"""TensorFlow on the CPU as a contestant: graphs (tf.function) and XLA, images [n, h, w, c]; the runner takes the fastest
variant of each task, and tries processes of different settings (harness/contestants.mjs).

Two threads of a Zen 4, TensorFlow 2.21, steps of LeNet-5 at 64 images / vgg-cifar at 64 / resnet18-cifar at 32, in ms. The best of 5
blocks, a run a line:

    explicit padding (resnet18-cifar: at strides only)        6.7 / 599 / 634
    padding SAME, or tf.pad and VALID: see convolve           3.5 / 230 / 531
    without oneDNN (TF_ENABLE_ONEDNN_OPTS=0)                  14  / 707 / 1,217
    XLA                                                       11  / 352 / 858

In alternating blocks of one run, medians: 4.5 / 244 / 595, one node at a time (inter-op 1) 5.0 / 256 / 598, with a heap that
keeps its memory (PyTorch gains by it) 4.8 / 255 / 585.

At batch 1 (an unsteady run) LeNet-5 takes 1.33 ms by tf.function, 1.10 by its concrete function, 0.85 without oneDNN, 0.81 by XLA.
"""
import os

from protocol import Refusal, Server, check_parameters, unsupported

THREADS = int(os.environ.get("BENCH_THREADS", "1"))
# Nodes of a graph that may run at once; each has the same pool of threads for its work
NODES_AT_ONCE = int(os.environ.get("BENCH_NODES_AT_ONCE", THREADS))


def load():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(NODES_AT_ONCE)
    tf.random.set_seed(1)
    check_flush_to_zero(tf)
    return TensorFlow(tf)


def check_flush_to_zero(tf):
    """TensorFlow sets it on its threads by itself."""
    denormal = tf.fill((1 << 16,), 1e-39)
    if tf.reduce_max(tf.function(lambda x: x * 0.5)(denormal)) != 0:
        raise Refusal("failed", "this TensorFlow does not flush denormals to zero")


def is_strided_and_padded(kernel, padding, stride):
    """Whether no padding that TensorFlow has a name for gives the same pixels."""
    return padding > 0 and not (stride == 1 and 2 * padding == kernel - 1)


def has_strided_padding(layers):
    for kind, *numbers in layers:
        if kind == "conv" and is_strided_and_padded(numbers[1], numbers[2], (*numbers, 1)[3]):
            return True
        if kind == "residual" and any(has_strided_padding(part) for part in numbers):
            return True
    return False


class TensorFlow:
    name = "tensorflow"

    def __init__(self, tf):
        self.tf = tf
        self.version = tf.__version__
        self.padding = "padded"

    def variants(self, task):
        """Where a stride meets padding, SAME pads the other side: other pixels, as many operations, one node less."""
        names = ["graph"]
        if task["kind"] == "conv":
            s = task["shape"]
            if is_strided_and_padded(s["kernel"], s["padding"], s["stride"]):
                names += ["graph same", "graph explicit"]
        elif "net" in task and has_strided_padding(task["net"]["layers"]):
            names += ["graph same"]
        return names + (["xla"] if os.environ.get("BENCH_COMPILE") != "0" else [])

    def prepare(self, task, variant):
        kinds = {"gemm": self.gemm, "conv": self.conv, "step": self.step, "infer": self.infer}
        if task["kind"] not in kinds:
            raise unsupported(f"no task {task['kind']}")
        compiler, *padding = variant.split(" ")
        self.padding = padding[0] if padding else "padded"
        body, arguments = kinds[task["kind"]](task)
        graph = self.tf.function(body, jit_compile=compiler == "xla", autograph=False)
        concrete = graph.get_concrete_function(*arguments)
        return lambda: concrete(*arguments)

    def convolve(self, x, weight, stride, padding):
        """
        Explicit padding is not for oneDNN: its gradients go to Eigen's kernels, which take three times as long. So the
        padding has a name where there is one that fits, or is a node of its own.
        """
        nn = self.tf.nn
        kernel = weight.shape[0]
        if padding == 0:
            return nn.conv2d(x, weight, stride, "VALID")
        if not is_strided_and_padded(kernel, padding, stride) or self.padding == "same":
            return nn.conv2d(x, weight, stride, "SAME")
        return nn.conv2d(self.tf.pad(x, [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]), weight, stride, "VALID")

    def uniform(self, *shape):
        return self.tf.random.uniform(shape, -1, 1)

    def gemm(self, task):
        tf = self.tf
        m, n, k = task["m"], task["n"], task["k"]
        of_a, of_b = task.get("transposeA", False), task.get("transposeB", False)
        a = self.uniform(*((k, m) if of_a else (m, k)))
        b = self.uniform(*((n, k) if of_b else (k, n)))
        return lambda a, b: tf.matmul(a, b, transpose_a=of_a, transpose_b=of_b), (a, b)

    def conv(self, task):
        raw, s = self.tf.raw_ops, task["shape"]
        if s["groups"] != 1:
            raise unsupported("convolution with groups")
        n, size, out_size, pad = s["n"], s["size"], s["outSize"], s["padding"]
        x, dy = self.uniform(n, size, size, s["inC"]), self.uniform(n, out_size, out_size, s["outC"])
        weight = self.uniform(s["kernel"], s["kernel"], s["inC"], s["outC"])
        options = {"strides": [1, s["stride"], s["stride"], 1], "padding": "VALID"}
        margin = 0
        if self.padding == "explicit":
            options |= {"padding": "EXPLICIT", "explicit_paddings": [0, 0, *[pad] * 4, 0, 0]}
        elif self.padding == "same" or (pad > 0 and not is_strided_and_padded(s["kernel"], pad, s["stride"])):
            options["padding"] = "SAME"
        else:
            margin = pad
        padded_shape = (n, size + 2 * margin, size + 2 * margin, s["inC"])

        def padded(x):
            return self.tf.pad(x, [[0, 0], [margin] * 2, [margin] * 2, [0, 0]]) if margin else x

        def inner(x):
            return x[:, margin:-margin, margin:-margin, :] if margin else x

        passes = {
            "forward": (lambda x, w: raw.Conv2D(input=padded(x), filter=w, **options), (x, weight)),
            "grad_input": (
                lambda w, dy: inner(
                    raw.Conv2DBackpropInput(input_sizes=padded_shape, filter=w, out_backprop=dy, **options)
                ),
                (weight, dy),
            ),
            "grad_weight": (
                lambda x, dy: raw.Conv2DBackpropFilter(
                    input=padded(x), filter_sizes=weight.shape, out_backprop=dy, **options
                ),
                (x, dy),
            ),
        }
        return passes[task["pass"]]

    def net(self, described, is_training):
        """The variables to learn, and the forward pass."""
        variables = []
        forward, _ = self.layers(described["layers"], tuple(described["input"]), variables, is_training)
        check_parameters(described, sum(int(self.tf.size(variable)) for variable in variables))
        return variables, forward

    def parameter(self, variables, shape, fan_in=None):
        tf = self.tf
        start = tf.zeros(shape) if fan_in is None else tf.random.uniform(shape, -1, 1) * fan_in**-0.5
        variables.append(tf.Variable(start))
        return variables[-1]

    def layers(self, described, size, variables, is_training):
        """A function of x, and the size (height, width, channels) of what it gives; adds to the variables."""
        tf = self.tf
        height, width, channels = size
        calls = []
        for kind, *numbers in described:
            if kind == "conv":
                out, kernel, padding, stride, has_bias = (*numbers, *(1, True)[len(numbers) - 3 :])
                weight = self.parameter(variables, (kernel, kernel, channels, out), kernel * kernel * channels)
                calls.append(lambda x, w=weight, s=stride, p=padding: self.convolve(x, w, s, p))
                if has_bias:
                    bias = self.parameter(variables, (out,))
                    calls.append(lambda x, b=bias: tf.nn.bias_add(x, b))
                height, width = ((length + 2 * padding - kernel) // stride + 1 for length in (height, width))
                channels = out
            elif kind == "batchnorm":
                calls.append(self.batch_norm(channels, variables, is_training))
            elif kind == "relu":
                calls.append(tf.nn.relu)
            elif kind == "maxpool":
                calls.append(lambda x, k=numbers[0]: tf.nn.max_pool2d(x, k, k, "VALID"))
                height, width = height // numbers[0], width // numbers[0]
            elif kind == "globalavgpool":
                calls.append(lambda x: tf.reduce_mean(x, (1, 2)))
                height, width = 1, 1
            elif kind == "flatten":
                height, width, channels = 1, 1, height * width * channels
                calls.append(lambda x, f=channels: tf.reshape(x, [-1, f]))
            elif kind == "linear":
                weight = self.parameter(variables, (channels, numbers[0]), channels)
                bias = self.parameter(variables, numbers)
                calls.append(lambda x, w=weight, b=bias: tf.nn.bias_add(tf.matmul(x, w), b))
                channels = numbers[0]
            elif kind == "padchannels":
                missing, stride = numbers[0] - channels, numbers[1]
                pads = [[0, 0], [0, 0], [0, 0], [missing // 2, missing - missing // 2]]
                calls.append(lambda x, s=stride, p=pads: tf.pad(x[:, ::s, ::s, :], p))
                channels = numbers[0]
            elif kind == "residual":
                (body, after), (shortcut, _) = (
                    self.layers(part, (height, width, channels), variables, is_training) for part in numbers
                )
                calls.append(lambda x, body=body, shortcut=shortcut: body(x) + shortcut(x))
                height, width, channels = after
            else:
                raise unsupported(f"no layer {kind}")

        def forward(x):
            for call in calls:
                x = call(x)
            return x

        return forward, (height, width, channels)

    def batch_norm(self, channels, variables, is_training):
        tf = self.tf
        variables.append(tf.Variable(tf.ones(channels)))
        scale, offset = variables[-1], self.parameter(variables, (channels,))
        mean, variance = tf.Variable(tf.zeros(channels)), tf.Variable(tf.ones(channels))

        def evaluate(x):
            return tf.raw_ops.FusedBatchNormV3(
                x=x, scale=scale, offset=offset, mean=mean, variance=variance, epsilon=1e-5, is_training=False
            ).y

        def train(x):
            # A factor below 1 gives running statistics, which are kept as the layer of Keras keeps them
            normalized = tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=scale,
                offset=offset,
                mean=mean,
                variance=variance,
                epsilon=1e-5,
                exponential_avg_factor=0.1,
                is_training=True,
            )
            mean.assign(normalized.batch_mean)
            variance.assign(normalized.batch_variance)
            return normalized.y

        return train if is_training else evaluate

    def step(self, task):
        tf = self.tf
        net, batch = task["net"], task["batch"]
        variables, forward = self.net(net, is_training=True)
        velocities = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        images = self.uniform(batch, *net["input"])
        labels = tf.random.uniform((batch,), 0, net["classes"], tf.int32)

        def step(images, labels):
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, forward(images))
                loss = tf.reduce_mean(losses)
            for variable, velocity, gradient in zip(variables, velocities, tape.gradient(loss, variables)):
                tf.raw_ops.ResourceApplyMomentum(
                    var=variable.handle, accum=velocity.handle, lr=0.01, grad=gradient, momentum=0.9
                )
            return loss

        return step, (images, labels)

    def infer(self, task):
        _, forward = self.net(task["net"], is_training=False)
        return forward, (self.uniform(task["batch"], *task["net"]["input"]),)


Server(load).run()
