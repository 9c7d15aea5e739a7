# SPDX-License-Identifier: Apache-2.0
"""A peer's end of the protocol (protocol.mjs is the same for peers in Node.js).

Requests and replies are lines of JSON on standard input and output:

    {"do": "hello"}                               -> {"name", "version"}
    {"do": "variants", "task": {...}}             -> {"variants": [...]}
    {"do": "prepare", "task": {...}, "variant"}   -> {"ms": time of a call}, after a warm-up
    {"do": "block", "ms": 300, "calls": 2}        -> {"value": mean time of a call in ms}, over at least so much of both
    {"do": "error", "images": 2}                  -> {"value": largest error of that task on so many images}
    {"do": "memory"}                              -> {"rss", "peakRss"} in MiB

or {"error": "...", "reason": "missing" | "unsupported" | "failed"}. What a library prints goes to standard error.
"""
import json
import os
import resource
import sys
import time

BATCH_MS = 1
WARM_UP_MS = 100
MIN_ITERATIONS = 3
# What takes so long is warm after its second call (the first may compile): some peers need seconds for a step
SLOW_MS = 2500
SLOW_ITERATIONS = 2


class Refusal(Exception):
    """An answer that the runner understands."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


def unsupported(message):
    return Refusal("unsupported", message)


def check_parameters(net, count):
    """All contestants train the same net, or none does."""
    if count != net["parameters"]:
        raise Refusal("failed", f"{net['model']} has {count} parameters here instead of {net['parameters']}")


def now_ms():
    return time.perf_counter() * 1e3


def warm_up(body):
    """Runs until warm. Returns how many calls fill a batch, and the time of a call in ms."""
    start = last = now_ms()
    calls = 0
    batch = 1
    ms = 0.0
    while last - start < WARM_UP_MS or calls < (MIN_ITERATIONS if last - start < SLOW_MS else SLOW_ITERATIONS):
        for _ in range(batch):
            body()
        calls += batch
        now = now_ms()
        ms = (now - last) / batch
        last = now
        if ms * batch < BATCH_MS:
            batch *= 2
    return max(1, int(BATCH_MS / ms)), ms


def time_block(body, ms, batch, least=2):
    """Mean time of a call over at least `ms` and `least` calls."""
    start = now_ms()
    calls = 0
    while True:
        for _ in range(batch):
            body()
        calls += batch
        elapsed = now_ms() - start
        if elapsed >= ms and calls >= least:
            return elapsed / calls


def resident_memory():
    """MiB; from /proc, because the figure of getrusage covers what the parent process had resident, too."""
    try:
        with open("/proc/self/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        return {
            "rss": int(fields["VmRSS"].split()[0]) / 1024,
            "peakRss": int(fields["VmHWM"].split()[0]) / 1024,
        }
    except (OSError, KeyError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
        return {"rss": peak, "peakRss": peak}


class Server:
    """Answers requests until standard input ends."""

    def __init__(self, load):
        """`load` imports the library and returns an object with name, version, variants(task), prepare(task, variant)."""
        self.load = load
        self.peer = None
        self.body = None
        self.batch = 1

    def hello(self, _request):
        try:
            self.peer = self.load()
        except ImportError as error:
            raise Refusal("missing", str(error)) from error
        return {"name": self.peer.name, "version": self.peer.version}

    def variants(self, request):
        return {"variants": self.peer.variants(request["task"])}

    def prepare(self, request):
        self.body = None
        self.body = self.peer.prepare(request["task"], request["variant"])
        self.batch, ms = warm_up(self.body)
        return {"ms": ms}

    def block(self, request):
        return {"value": time_block(self.body, request["ms"], self.batch, request.get("calls", 2))}

    def error(self, request):
        """The largest difference to double precision over the root mean square of the values, where the peer has it."""
        if not hasattr(self.peer, "error"):
            raise unsupported("no comparison with double precision")
        return {"value": self.peer.error(request["images"])}

    def memory(self, _request):
        return resident_memory()

    def answer(self, line):
        try:
            request = json.loads(line)
            handlers = {
                "hello": self.hello,
                "variants": self.variants,
                "prepare": self.prepare,
                "block": self.block,
                "error": self.error,
                "memory": self.memory,
            }
            if request["do"] not in handlers:
                raise unsupported(f"no request {request['do']}")
            return handlers[request["do"]](request)
        except Refusal as refusal:
            return {"error": str(refusal), "reason": refusal.reason}
        except Exception as error:  # whatever the library throws ends this task, not the run
            return {"error": f"{type(error).__name__}: {error}", "reason": "failed"}

    def run(self):
        # Replies keep the standard output to themselves
        replies = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        for line in sys.stdin:
            replies.write(json.dumps(self.answer(line)) + "\n")
