#!/usr/bin/env python3
"""The same sweep by mlc and by Optuna with PyTorch: trainings a minute on this machine.

    python3 -m venv peers && peers/bin/pip install torch optuna numpy
    peers/bin/python bench/sweep_peers.py [--workers 2] [--settings 60] [--seeds 3] [--epochs 2] [--rounds 2]

Both train a network 144-64-10 with dropout on 4,000 images of 12 x 12, with AdamW in batches of 50, and measure loss and accuracy on
1,000 more after each epoch. Rate, dropout and decay are drawn at random. PyTorch has all tensors in memory, one thread a process, and the
fused AdamW; the processes of Optuna share a journal file. Each program starts with an empty cache of code."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def work(folder, study_name, journal, settings, seeds, epochs):
    """A process of Optuna."""
    import numpy
    import optuna
    import torch
    from optuna.storages.journal import JournalFileBackend

    def tensor(name, header):
        return torch.from_numpy(numpy.fromfile(os.path.join(folder, name), numpy.uint8)[header:].copy())

    def split(prefix):
        return tensor(prefix + "images", 16).view(-1, 144).float() / 255, tensor(prefix + "labels", 8).long()

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    (images, labels), (test_images, test_labels) = split(""), split("test_")
    loss_of = torch.nn.CrossEntropyLoss()

    def train(seed, lr, dropout, decay):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(144, 64), torch.nn.ReLU(), torch.nn.Dropout(dropout), torch.nn.Linear(64, 10))
        optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay, fused=True)
        for _ in range(epochs):
            net.train()
            order = torch.randperm(len(images))
            for at in range(0, len(images), 50):
                rows = order[at:at + 50]
                optimizer.zero_grad(set_to_none=True)
                loss_of(net(images[rows]), labels[rows]).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                logits = net(test_images)
                loss = loss_of(logits, test_labels).item()
                (logits.argmax(1) == test_labels).float().mean().item()
        return loss

    def objective(trial):
        values = (trial.suggest_float("lr", 1e-4, 1e-1, log=True), trial.suggest_float("p", 0.05, 0.5), trial.suggest_float("decay", 1e-4, 1e-1))
        return sum(train(seed, *values) for seed in range(seeds)) / seeds

    storage = optuna.storages.JournalStorage(JournalFileBackend(journal))
    study = optuna.create_study(storage=storage, study_name=study_name, sampler=optuna.samplers.RandomSampler(), load_if_exists=True)
    study.optimize(objective, n_trials=settings)


def optuna_seconds(folder, options, number):
    begin = time.time()
    journal = os.path.join(folder, f"journal{number}")
    counts = [options.settings // options.workers + (i < options.settings % options.workers) for i in range(options.workers)]
    processes = [subprocess.Popen([sys.executable, __file__, "--work", folder, journal, str(count), str(options.seeds), str(options.epochs)])
                 for count in counts]
    if any([process.wait() for process in processes]):
        sys.exit("a process of Optuna failed")
    return time.time() - begin


def mlc_seconds(folder, options, number):
    home = os.path.join(folder, f"home{number}")
    begin = time.time()
    subprocess.run([options.mlc, "sweep", "model.mdl", "-q", "--out", f"sweep{number}", "--trials", str(options.settings), "--seeds", str(options.seeds),
                    "--set", "lr=log(1e-4, 1e-1)", "--set", "p=0.05..0.5", "--set", "decay=1e-4..1e-1", "--set", f"train.epochs={options.epochs}",
                    "--workers", str(options.workers), "--threads", "1"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, HOME=home, XDG_CACHE_HOME=home))
    return time.time() - begin


def main():
    if sys.argv[1:2] == ["--work"]:
        folder, journal, *numbers = sys.argv[2:]
        work(folder, "sweep", journal, *map(int, numbers))
        return
    parser = argparse.ArgumentParser()
    for name, value in (("workers", 2), ("settings", 60), ("seeds", 3), ("epochs", 2), ("rounds", 2)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    options = parser.parse_args()
    trainings = options.settings * options.seeds
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(ROOT, "build/release/tests/make_data"), folder, "4000", "1000"], check=True)
        shutil.copy(os.path.join(ROOT, "bench/sweep.mdl"), os.path.join(folder, "model.mdl"))
        for number in range(options.rounds):
            for name, seconds_of in (("mlc", mlc_seconds), ("Optuna and PyTorch", optuna_seconds)):
                seconds = seconds_of(folder, options, number)
                print(f"{name}: {seconds:.1f} s, {60 * trainings / seconds:.0f} trainings a minute", flush=True)


main()
