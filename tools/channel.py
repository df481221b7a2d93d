"""What the judge and a submission say to each other: numbers, arrays, and functions to be called.

Both sides have an `Exchange` at their end of two pipes. A function never travels: the other side
gets a stand-in, and calling it sends the arguments here. Messages are JSON, nothing is unpickled,
so the submission can hand over numbers and nothing else. This file is also read inside the sandbox:
it imports nothing of the course.
"""

import base64
import itertools
import json
import os
import select
import struct
import sys

import numpy as np

MOST_BYTES = 120_000_000  # of one message: an array of MOST_NUMBERS has 107 million
MOST_COMMAS = 1_000_000  # of one message: each parts two values, which take memory once parsed
MOST_NUMBERS = 10_000_000  # of an array
MOST_ENTRIES = 100_000  # of a list
MOST_OF_AN_ITERATOR = 100  # the judge counts them where several values are asked for
DEEPEST = 6
PARTS = ("encoder", "decoder", "encode", "decode")  # by which a model may be asked


TOO_LARGE = "it gave an answer that is too large to be right"
NO_ANSWER = "it gave something that is no answer"


class Broken(Exception):
    """The other side is gone, or what it says is no message."""


class Stranger:
    """Stands for a value that is neither number nor function; its class has the value's name."""


class Exchange:
    """One end of two pipes: offers functions and calls those of the other side.

    Parameters
    ----------
    source, target : int
        File descriptors.
    watch : function, optional
        Called before each read and five times a second while waiting; it may raise.
    inside : bool
        Whether this is the submission's end. It may be handed functions as arguments, and counts
        what optimizers do; the judge's end does neither.
    """

    def __init__(self, source, target, watch=None, inside=False):
        self.source, self.target, self.watch = source, target, watch
        self.offered = {}
        self.busy = False  # a call was sent and has no answer yet
        self.is_stub = False  # the last call found the exercise without an answer
        self.broken = ""  # why the last call got no answer
        self.updates = 0  # optimizer steps that the last call made on the other side
        self.inside = inside

    def send(self, message):
        content = json.dumps(message).encode()
        view = memoryview(struct.pack("<I", len(content)) + content)
        try:
            while view:
                view = view[os.write(self.target, view) :]
        except OSError as error:
            raise Broken("it ended its process") from error

    def receive(self):
        (size,) = struct.unpack("<I", self._read(4))
        if size > MOST_BYTES:
            raise Broken(TOO_LARGE)
        content = self._read(size)
        if content.count(b",") > MOST_COMMAS:
            raise Broken(TOO_LARGE)
        try:
            message = json.loads(content.decode("ascii"))  # others take four bytes a letter
            if not isinstance(message, dict):
                raise ValueError
        except MemoryError as error:
            raise Broken(TOO_LARGE) from error
        except (ValueError, RecursionError) as error:
            raise Broken(NO_ANSWER) from error
        return message

    def _read(self, size):
        content = bytearray()
        while len(content) < size:
            if self.watch:  # on every turn: bytes that come one by one would put it off for ever
                self.watch()
                if not select.select([self.source], [], [], 0.2)[0]:
                    continue
            part = os.read(self.source, min(size - len(content), 1 << 20))
            if not part:
                raise Broken("it ended its process")
            content += part
        return bytes(content)

    def ask(self, number, arguments):
        """Call the other side's function `number`; meanwhile it may call ours."""
        try:
            return self._ask(number, arguments)
        except Broken as fault:
            self.broken = str(fault)
            raise

    def _ask(self, number, arguments):
        self.busy = True
        self.send({"call": number, "arguments": [self.encode(value) for value in arguments]})
        while "call" in (message := self.receive()):
            self.serve(message)
        self.busy = False
        try:
            self.updates = int(message.get("updates", 0))
            if "raised" in message:
                kind, text = (str(part)[:300] for part in message["raised"])
                self.is_stub = kind == "NotImplementedError" and text in ("", "your code here")
                error = (
                    NotImplementedError(text)
                    if kind == "NotImplementedError"
                    else type(kind, (Exception,), {})(text)
                )
            else:
                return self.decode(message["value"])
        except MemoryError as fault:
            raise Broken(TOO_LARGE) from fault
        except Exception as fault:  # whatever a forged message holds
            raise Broken(NO_ANSWER) from fault
        raise error

    def serve(self, message):
        """Answer a call of the other side."""
        updates = count_updates() if self.inside else None
        try:
            function = self.offered[message["call"]]
            arguments = [self.decode(value) for value in message["arguments"]]
            if not self.inside and any(isinstance(value, Remote) for value in arguments):
                raise TypeError("a function where numbers are asked for")
            answer = {"value": self.encode(function(*arguments))}
        except (Broken, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit, too, is an answer that failed
            answer = {"raised": said(error)}
        if updates is not None:
            answer["updates"] = updates()
        self.send(answer)

    def offer(self, function):
        self.offered[len(self.offered) + 1] = function
        return len(self.offered)

    def encode(self, value, depth=0):
        """Return what JSON can hold and `decode` turns back into `value`, as far as that goes."""
        if depth > DEEPEST:
            return {"other": type(value).__name__}
        if value is None:
            return {"none": True}
        if isinstance(value, str):
            return {"text": value[:200]}
        if isinstance(value, bool | int | float) and not isinstance(value, np.generic):
            return {"number": value}
        if isinstance(value, np.ma.MaskedArray):
            value = value.astype(float).filled(np.nan)
        if hasattr(value, "detach") and hasattr(value, "numpy"):
            return {"tensor": array_as_text(value.detach().cpu().numpy())}
        if isinstance(value, np.ndarray | np.generic | complex):
            if np.size(value) > MOST_NUMBERS:
                return {"other": f"array of shape {np.shape(value)}, too large to be right"}
            return {"array": array_as_text(np.asarray(value))}
        if isinstance(value, list | tuple):
            if len(value) > MOST_ENTRIES:
                return {"other": f"list of {len(value)} entries"}
            items = [self.encode(item, depth + 1) for item in value]
            return {"list": items, "tuple": isinstance(value, tuple)}
        if isinstance(value, dict | set | frozenset):
            return {"empty": "dict" if isinstance(value, dict) else "set"}
        parts = {name: getattr(value, name) for name in PARTS if callable(getattr(value, name, 0))}
        if parts or callable(value):
            return self._encode_function(value, parts)
        return self._encode_foreign(value, depth)

    def _encode_function(self, value, parts):
        is_network = "torch" in sys.modules and isinstance(value, sys.modules["torch"].nn.Module)
        if is_network:
            value.eval()
        names = {name: self._encode_function(part, {}) for name, part in parts.items()}
        return {"function": self.offer(value), "network": is_network, "parts": names}

    def _encode_foreign(self, value, depth):
        if hasattr(value, "__array__"):
            return self.encode(np.asarray(value), depth + 1)
        if hasattr(value, "__float__"):  # a fraction, a decimal
            return {"number": float(value)}
        if hasattr(value, "__iter__"):
            return self.encode(list(itertools.islice(value, MOST_OF_AN_ITERATOR)), depth + 1)
        return {"other": type(value).__name__}

    def decode(self, content):
        [kind] = [kind for kind in content if kind not in ("tuple", "network", "parts")]
        value = content[kind]
        match kind:
            case "none":
                return None
            case "text" | "number":
                return value
            case "array":
                return text_as_array(value)[()]
            case "tensor":
                import torch

                return torch.from_numpy(text_as_array(value))
            case "list":
                items = [self.decode(item) for item in value]
                return tuple(items) if content["tuple"] else items
            case "empty":
                return {} if value == "dict" else set()
            case "other":
                return type(str(value), (Stranger,), {})()
            case "function":
                function = Remote(self, value, content["network"])
                for name, part in content["parts"].items():
                    if name in PARTS:
                        setattr(function, name, self.decode(part))
                return function
        raise Broken(NO_ANSWER)


class Remote:
    """Stands for a function of the other side."""

    __code__ = compile("", "<another process>", "exec")  # where no line of this file is looked for

    def __init__(self, exchange, number, is_network):
        self.exchange, self.number, self.is_network = exchange, number, is_network

    def __call__(self, *arguments):
        return self.exchange.ask(self.number, arguments)

    @property
    def updates(self):
        """How many optimizer steps the last call made, as the other side says."""
        return self.exchange.updates


def array_as_text(array):
    if array.dtype.kind not in "biufc":
        array = array.astype(float)  # of objects: fractions, decimals; raises for texts
    array = np.ascontiguousarray(array).reshape(array.shape)
    return [array.dtype.str, array.shape, base64.b64encode(array.tobytes()).decode()]


def text_as_array(content):
    kind, shape, data = content
    dtype = np.dtype(str(kind))
    if dtype.kind not in "biufc":
        raise ValueError(f"no numbers: {dtype}")
    return np.frombuffer(base64.b64decode(data), dtype).reshape([int(n) for n in shape]).copy()


def said(error):
    """Kind and words of an exception, with the line of the cell that raised it."""
    try:
        text = " ".join(str(error).split())[:200]
    except BaseException:  # its __str__ may do anything
        text = ""
    if isinstance(error, NotImplementedError):
        return ["NotImplementedError", text]
    trace, place = error.__traceback__, ""
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<cell "):
            place = f" (line {trace.tb_lineno} of {file.strip('<>')})"
        trace = trace.tb_next
    return [type(error).__name__, text + place]


def count_updates():
    """Count torch's optimizer steps from now on; returns the function that ends it, and counts."""
    if "torch" not in sys.modules:
        return lambda: 0
    from torch.optim.optimizer import register_optimizer_step_post_hook

    steps = []
    hook = register_optimizer_step_post_hook(lambda *_: steps.append(1))

    def finish():
        hook.remove()
        return len(steps)

    return finish
