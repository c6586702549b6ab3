#!/usr/bin/env python3
"""Trainings on several processes, one of which is killed, stopped or told to end at a random time.

    bench/kills.py [--kills 200] [--seed 1] [--launch "mpirun.mpich -n"] [--mlc build/release/mlc]

Every training must end within --limit seconds with the documented status and a message that names the process. The same command with
--continue, on another number of processes, must then end with the weights of a training that nothing has happened to, bit for bit.
Prints a line for each kind of end, and the longest time from the signal to the end. The status is 1 if anything was wrong.

Under a launcher, the status of a killed training is the launcher's, which may also end all others before one of them can say a word."""
import argparse
import collections
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODEL = """mdl 1
data {{
    source = csv("{iris}")
    field x    = source |> columns(["sepal_length", "sepal_width", "petal_length", "petal_width"]) |> standardize
    field kind = source.species
    test = 0.2
    seed = 1
}}
model net(x) -> logits {{ logits = x |> dense(64) |> batch_norm |> relu |> dropout(0.2) |> dense(64) |> relu |> dense(3) }}
train {{
    loss      = cross_entropy(logits, kind)
    optimizer = adamw(lr = cosine(0.01, warmup = 3))
    batch     = 32
    replicas  = 8
    clip_norm = 1.0
    epochs    = {epochs}
    seed      = 3
    metrics   = [accuracy(logits, kind)]
}}
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--patience", type=int, default=2, help="the --rank-timeout of the trainings, in seconds")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--launch", help="a launcher, up to its number of processes; default: mlc starts them")
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    return parser.parse_args()


def command(options, processes, run):
    launch = [*shlex.split(options.launch), str(processes)] if options.launch and processes > 1 else []
    several = [] if launch else ["--processes", str(processes)]
    return [*launch, options.mlc, "train", "net.mdl", "-q", "--continue", "--out", run, "--threads", "1", "--rank-timeout", str(options.patience), *several]


def descendants(pid):
    """The processes below one that run `mlc train`."""
    found = []
    try:
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    except OSError:
        return found
    for child in children:
        try:
            words = open(f"/proc/{child}/cmdline").read().split("\0")
        except OSError:
            continue
        below = descendants(child)
        found += below if below else [int(child)] if len(words) > 1 and words[1] == "train" and "mlc" in words[0] else []
    return found


def ranks_of(launcher, processes):
    """Waits until all processes are there; [] if the training has ended before."""
    while launcher.poll() is None:
        found = descendants(launcher.pid)
        if len(found) == processes:
            return found
        time.sleep(0.002)
    return []


def weights(options, run):
    subprocess.run([options.mlc, "export", run, "--to", "weights.safetensors"], check=True, capture_output=True)
    return open("weights.safetensors", "rb").read()


def expected_end(kind, launch, messages):
    """The statuses that are allowed, and what the messages must have."""
    if kind == "TERM":  # a process that does not yet take signals ends like a killed one
        return ({143, 8}, "before the first step") if "before the first step" in messages else ({143}, "stopped and saved")
    if launch:
        return None, None
    return {8}, "has ended without a word" if kind == "KILL" else "has not answered for"


def watch(launcher, limit):
    """Waits for the end, for `limit` seconds. Returns the seconds, and whether this program itself was stopped meanwhile, by a scheduler for
    instance: then its clock says nothing."""
    last, waited, disturbed = time.monotonic(), 0.0, False
    while launcher.poll() is None and waited < limit:
        time.sleep(0.02)
        now = time.monotonic()
        disturbed |= now - last > 1
        waited += min(now - last, 1)
        last = now
    return waited, disturbed


def one_kill(options, draw, number, right):
    """Kills a process of a training and goes on with it. Returns what was done and what was wrong, and the seconds until the end."""
    kind, processes = draw.choice(["KILL", "TERM", "STOP"]), draw.randint(2, 8)
    run = f"run{number}"
    log = open("messages", "w")
    launcher = subprocess.Popen(command(options, processes, run), stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)
    ranks, wrong = ranks_of(launcher, processes), []
    time.sleep(draw.random() * options.seconds * 0.8)
    victim = draw.randrange(processes)
    try:
        os.kill(ranks[victim], getattr(signal, "SIG" + kind))
    except (IndexError, ProcessLookupError):
        kind = "late"
    took, disturbed = watch(launcher, options.limit)
    if launcher.poll() is None:
        os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()
        wrong.append(f"it has not ended after {options.limit} s")
    log.close()
    messages = open("messages").read()
    for rank in ranks:  # a stopped one outlives its launcher's patience with some MPIs
        try:
            os.kill(rank, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if launcher.returncode == 0:
        kind = "late"  # it had ended, or was in its last step
    elif kind != "late":
        statuses, text = expected_end(kind, options.launch, messages)
        if statuses and launcher.returncode not in statuses:
            # one that gets the signal before it can save anything ends like any other program
            if not (kind == "TERM" and launcher.returncode in (143, -15) and not os.path.exists(run)):
                wrong.append(f"status {launcher.returncode} after {kind}: {messages[-300:]}")
        if text and text not in messages and os.path.exists(os.path.join(run, "last.safetensors")):
            wrong.append(f"no message '{text}' after {kind}: {messages[-300:]}")
    after = draw.randint(1, 8)
    done = subprocess.run(command(options, after, run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        wrong.append(f"to go on with {after} processes ended with {done.returncode}: {done.stderr[-300:]}")
    elif weights(options, run) != right:
        wrong.append(f"other weights after {kind} of rank {victim} of {processes}, then {after} processes")
    subprocess.run(["rm", "-rf", run], check=True)
    if disturbed:
        return "late", [text for text in wrong if "other weights" in text], 0
    return kind, wrong, took


def main():
    options = arguments()
    options.mlc = os.path.abspath(options.mlc)
    draw = random.Random(options.seed)
    counts, longest, bad = collections.Counter(), collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        open("net.mdl", "w").write(MODEL.format(iris=os.path.join(ROOT, "models/iris.csv"), epochs=options.epochs))
        subprocess.run(command(options, 1, "right"), check=True, capture_output=True)
        began = time.monotonic()
        subprocess.run(command(options, 4, "timed"), check=True, capture_output=True)
        options.seconds = time.monotonic() - began
        right = weights(options, "right")
        if weights(options, "timed") != right:
            sys.exit("kills: four processes make other weights than one")
        number = 0
        while sum(counts.values()) - counts["late"] < options.kills:
            kind, wrong, took = one_kill(options, draw, number, right)
            number += 1
            counts[kind] += 1
            longest[kind] = max(longest[kind], took)
            bad += bool(wrong)
            for text in wrong:
                print(f"WRONG {number}: {text}", flush=True)
        os.chdir(ROOT)
    for kind in sorted(counts):
        what = "had ended before" if kind == "late" else f"SIG{kind}"
        print(f"{what}: {counts[kind]} trainings, ended after {longest[kind]:.1f} s at most")
    print(f"{options.kills} signals, {bad} wrong")
    sys.exit(bad > 0)


main()
