"""`training.fit` against a DataLoader and against the trainer of pythae.

784-512-128-30 on 8,000 MNIST digits, 3 epochs in batches of 128, the same initial weights, one
thread. Seconds are the best of three. "to ours" is seconds over those of `fit`: above 1 is slower.
The error is measured on the 2,000 test digits; the model is the same, so what differs in it comes
from optimiser, schedule and the random order of the examples. `fit` counts subnormal numbers as
zero, which takes the processor less time. pythae's trainer also copies the best model after each
epoch and saves the last one. pythae stands in an environment of its own, build/bench/pythae, and
uses this one's torch.
"""

import io
import json
import os
import subprocess
import sysconfig
import venv
from contextlib import redirect_stderr
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.stopwatch import best_seconds
from lecture_utils.autoencoders import deep_autoencoder, reconstruction_loss
from lecture_utils.datasets import load_mnist
from lecture_utils.evaluation import reconstruction_error
from lecture_utils.training import fit, set_up

ROOT = Path(__file__).resolve().parents[1]
PYTHAE = "pythae==0.1.2"
EPOCHS, BATCH_SIZE, MAX_LR, REPEATS = 3, 128, 3e-3, 3
HEADER = ("trainer", "seconds", "to ours", "test error")


def rows():
    problem = install_pythae()
    results = measure(TRAINERS) if problem else measure_with_pythae()
    ours = results[0][1]
    table = [(name, f"{s:.2f}", f"{s / ours:.2f}", f"{error:.2f}") for name, s, error in results]
    return [*table, (f"pythae: {problem}", "", "", "")] if problem else table


def measure(trainers):
    """Return name, least seconds and test error of every trainer, a function (model, x)."""
    data, models = load_mnist(), {}
    x, x_test = torch.from_numpy(data.x_train), torch.from_numpy(data.x_test)

    def run(name):
        set_up(0)
        models[name] = deep_autoencoder(30)
        trainers[name](models[name], x)

    with redirect_stderr(io.StringIO()):  # no progress bars
        seconds = best_seconds([lambda name=name: run(name) for name in trainers], REPEATS)
    with torch.no_grad():
        errors = [reconstruction_error(x_test, models[name](x_test)) for name in trainers]
    return list(zip(trainers, seconds, errors, strict=True))


def train_with_fit(model, x):
    fit(model, reconstruction_loss, x, EPOCHS, max_lr=MAX_LR, batch_size=BATCH_SIZE)


def train_with_loader(model, x):
    optimizer = torch.optim.AdamW(model.parameters(), lr=MAX_LR, fused=True)
    loader = DataLoader(TensorDataset(x), batch_size=BATCH_SIZE, shuffle=True)
    steps = EPOCHS * len(loader)
    loop(model, loader, optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, MAX_LR, steps))


def train_plainly(model, x):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x), batch_size=BATCH_SIZE, shuffle=True)
    loop(model, loader, optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1))


def loop(model, loader, optimizer, schedule):
    for _ in range(EPOCHS):
        for (batch,) in loader:
            value = reconstruction_loss(model, batch)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()


TRAINERS = {
    "fit": train_with_fit,
    "DataLoader, same optimiser and schedule": train_with_loader,
    "DataLoader, AdamW with learning rate 1e-3": train_plainly,
}


def pythae_python():
    folder = ROOT / "build" / "bench" / "pythae"
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install_pythae():
    """Install pythae beside this environment's torch; return what went wrong, in one line."""
    if pythae_python().exists():
        return ""
    folder = pythae_python().parents[1]
    venv.create(folder, with_pip=True, clear=True)
    purelib = sysconfig.get_path("purelib", vars={"base": str(folder)})
    # A link to this environment, so that pip finds torch there and both trainers use the same one.
    Path(purelib, "course.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    command = [pythae_python(), "-m", "pip", "install", "--quiet", PYTHAE]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    pythae_python().unlink()  # so that the next run tries again
    return "not installed, " + (done.stderr.strip().splitlines() or ["pip failed"])[-1]


def measure_with_pythae():
    """Measure all trainers in pythae's environment, in one process, so that they take turns."""
    command = [pythae_python(), "-m", "benchmarks.pythae_trainer"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])
