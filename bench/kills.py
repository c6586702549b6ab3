#!/usr/bin/env python3
"""Trainings on several processes, one of which is killed, stopped or told to end at a random time.

    bench/kills.py [--kills 200] [--seed 1] [--launch "mpirun.mpich -n"] [--mlc build/release/mlc]

Every training must end within --limit seconds, with a status and a message as docs/many.md promises them: mlc names the rank, its process and
its machine. The same command with --continue, on another number of processes, must then end with the weights of a training that nothing has
happened to, bit for bit. Prints a line for each training, then one for each kind of end with the longest time from the signal to the end. The
status is 1 if anything was wrong.

Under a launcher, a process that is killed is the launcher's affair: it ends all others at once. Then its status must not be 0; Open MPI names
the rank, and MPICH says that a process was killed. After the end of one process, the status is the launcher's. A process under a launcher may also
get its signal before it takes signals, or before MPI has connected it: then mlc cannot know the rank."""
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

KINDS = ["KILL", "TERM", "STOP"]
# takes_signals, begun: when it got the signal. begun: there was a folder of the run, so all processes had found each other
Victim = collections.namedtuple("Victim", "kind pid rank takes_signals begun")
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


def takes_signals(pid):
    """Whether a process has a handler for SIGTERM, or keeps the signal until it has one. Before, it ends like any other program."""
    fields = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status") if ":" in line)
    return bool((int(fields["SigCgt"], 16) | int(fields["SigBlk"], 16)) >> (signal.SIGTERM - 1) & 1)


def rank_of(pid, position):
    """The rank of a process: its launcher has told it, or else mlc has started it as the one of that position."""
    variables = dict(text.split("=", 1) for text in open(f"/proc/{pid}/environ").read().split("\0") if "=" in text)
    return int(variables.get("PMI_RANK", variables.get("OMPI_COMM_WORLD_RANK", position)))


def wrong_end(launch, victim, status, messages):
    """What is wrong with the end of a training; None: nothing."""
    name = f"rank {victim.rank} (process {victim.pid} on "
    if victim.kind == "TERM" and victim.takes_signals:
        good = status == 143 and "stopped and saved" in messages
    elif launch and victim.kind != "STOP":  # killed, or ended by SIGTERM before it could take it
        good = status != 0 and (name in messages or f"process rank {victim.rank} with" in messages or "BAD TERMINATION" in messages)
    elif launch:
        good = status != 0 and (name in messages or not victim.begun) and "not answered for" in messages
    else:
        text = "has ended without a word" if victim.kind == "KILL" else "not answered for"
        outlasts = f"rank {victim.rank} (process {victim.pid}) has not ended" in messages  # stopped after the last exchange
        good = status == 8 and (name in messages and text in messages or outlasts)
    return None if good else f"status {status} after {victim}: {messages[-400:]}"


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


def end_all(ranks):
    """Ends what is left. A stopped process outlives its launcher's patience with some MPIs."""
    for rank in ranks:
        try:
            os.kill(rank, signal.SIGKILL)
        except ProcessLookupError:
            pass


def one_kill(options, draw, number, right):
    """Kills a process of a training and goes on with it. Returns what was done and what was wrong, and the seconds until the end."""
    kind, processes = draw.choice(KINDS), draw.randint(2, 8)
    run, position, wrong = f"run{number}", draw.randrange(processes), []
    log = open("messages", "w")
    launcher = subprocess.Popen(command(options, processes, run), stdout=log, stderr=log, start_new_session=True)
    ranks = ranks_of(launcher, processes)
    time.sleep(draw.random() * options.seconds * 0.8)
    try:
        pid = ranks[position]
        victim = Victim(kind, pid, rank_of(pid, position), takes_signals(pid), os.path.exists(run))
        os.kill(pid, getattr(signal, "SIG" + kind))
    except (IndexError, KeyError, OSError):
        victim = None
    took, disturbed = watch(launcher, options.limit)
    if launcher.poll() is None:
        os.killpg(launcher.pid, signal.SIGKILL)
        launcher.wait()
        wrong.append(f"it has not ended {options.limit} s after {victim}: {open('messages').read()[-400:]}")
    log.close()
    end_all(ranks)
    if launcher.returncode == 0:
        victim = None  # it had ended, or was in its last step
    elif victim and not wrong:
        wrong += filter(None, [wrong_end(options.launch, victim, launcher.returncode, open("messages").read())])
    after = draw.randint(1, 8)
    done = subprocess.run(command(options, after, run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        wrong.append(f"to go on with {after} processes ended with {done.returncode}: {done.stderr[-300:]}")
    elif weights(options, run) != right:
        wrong.append(f"other weights after {victim} of {processes}, then {after} processes")
    subprocess.run(["rm", "-rf", run], check=True)
    if disturbed:
        return "disturbed", [text for text in wrong if "other weights" in text], 0
    return victim.kind if victim else "late", wrong, took


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
        while sum(counts[kind] for kind in KINDS) < options.kills:
            kind, wrong, took = one_kill(options, draw, number, right)
            number += 1
            counts[kind] += 1
            longest[kind] = max(longest[kind], took)
            bad += bool(wrong)
            print(f"{number}: {kind}, ended after {took:.1f} s" + "".join(f"\nWRONG {number}: {text}" for text in wrong), flush=True)
        os.chdir(ROOT)
    for kind in sorted(counts):
        what = {"late": "had ended before", "disturbed": "this program was stopped itself"}.get(kind, f"SIG{kind}")
        print(f"{what}: {counts[kind]} trainings, ended after {longest[kind]:.1f} s at most")
    print(f"{options.kills} signals, {bad} wrong")
    sys.exit(bad > 0)


main()
