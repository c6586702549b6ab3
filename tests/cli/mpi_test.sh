#!/usr/bin/env bash
# One training on the processes that mpirun starts: the same bits with every MPI that is installed. Skipped without MPI.
source "$(dirname "$0")/common.sh"
cp "$root"/models/iris.{mdl,csv} .
settings=(--set train.batch=24 --set train.replicas=8 --set train.epochs=4)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 UCX_TLS=tcp,sm,self OMPI_MCA_rmaps_base_oversubscribe=1
expect 0 mlc train iris.mdl -q --out one "${settings[@]}"
tested=0
for mpi in openmpi mpich; do
    command -v mpirun.$mpi >/dev/null && [[ -e $(dirname "$MLC")/mlc-mpi-$mpi.so ]] || continue
    tested=1
    for processes in 2 5; do
        expect 0 mpirun.$mpi -n $processes mlc train iris.mdl -q --out $mpi$processes "${settings[@]}"
        same one/last.safetensors $mpi$processes/last.safetensors
        same one/best.safetensors $mpi$processes/best.safetensors
        [[ $(grep -c "test accuracy" "$scratch/out") == 1 ]] || fail "not one process speaks: $(cat "$scratch/out")"
    done

    # Processes with other models, or fewer than a model has shares.
    cat >other.sh <<'END'
#!/bin/bash
[[ ${PMI_RANK-${OMPI_COMM_WORLD_RANK}} == 2 ]] && other=(--set "$1")
shift
exec mlc train iris.mdl -q "$@" "${other[@]}"
END
    chmod +x other.sh
    expect 8 mpirun.$mpi -n 3 ./other.sh train.seed=9 --out other "${settings[@]}"
    says err "rank 2 differs from rank 0 in the model"
    expect 3 mpirun.$mpi -n 3 ./other.sh train.nothing=9 --out other "${settings[@]}"
    says err "[rank 2] " "unknown key 'nothing'" "rank 2 cannot begin"
    [[ ! -e other ]] || fail "a run folder was made"
    expect 2 mpirun.$mpi -n 3 mlc train iris.mdl --out other
    says err "3 processes share the replicas of a batch, but the model has only 1"
    expect 2 mpirun.$mpi -n 3 mlc train iris.mdl --out other --processes 2
    says err "3 processes have been started, but --processes says 2"

    # A process that does not come, and one that is told to stop before MPI connects it. bash turns into mlc, and keeps its process number;
    # mask 4000 is SIGTERM.
    cat >signalled.sh <<'END'
#!/bin/bash
rank=${PMI_RANK-${OMPI_COMM_WORLD_RANK}}
if [[ $1 == STOP && $rank == 2 ]]; then kill -STOP $$; fi
if [[ $1 == TERM && $rank == 0 ]]; then until [[ -e sent ]]; do sleep 0.01; done; fi
if [[ $1 == TERM && $rank == 1 ]]; then echo $$ >pid; fi
shift
exec mlc train iris.mdl -q "$@"
END
    chmod +x signalled.sh
    got=0
    mpirun.$mpi -n 3 ./signalled.sh STOP --out signalled "${settings[@]}" --rank-timeout 1 >"$scratch/out" 2>"$scratch/err" </dev/null || got=$?
    ((got)) || fail "status 0 although a process did not come"
    says err "other processes have not answered for 1 s at the start: one has not begun, is stopped, or cannot be reached"
    rm -f pid sent
    mpirun.$mpi -n 3 ./signalled.sh TERM --out signalled "${settings[@]}" --set train.epochs=1000000 >"$scratch/out" 2>"$scratch/err" </dev/null &
    launcher=$!
    until [[ -s pid ]] && (($(awk '/SigCgt/ { print "0x" substr($2, 13) }' "/proc/$(cat pid)/status") & 0x4000)); do
        kill -0 $launcher || break
        sleep 0.01
    done
    kill -TERM "$(cat pid)"
    touch sent
    got=0
    wait $launcher || got=$?
    [[ $got == 143 ]] || fail "SIGTERM before the start under $mpi: status $got, $(cat "$scratch/err")"
    says err "stopped and saved; to continue: mlc train --resume signalled"
    rm -rf signalled

    # The processes of a sweep are workers, each by itself.
    sweep=(mlc sweep iris.mdl -q --set 'hidden=4|8' --set train.epochs=3 --seeds 2)
    expect 0 "${sweep[@]}" --out "sweep$mpi" --slurm
    expect 0 mpirun.$mpi -n 3 mlc sweep --join "sweep$mpi" -q --workers 1
    [[ -e local.csv ]] || expect 0 "${sweep[@]}" --out local --csv local.csv
    expect 0 mlc sweep --status "sweep$mpi" --csv -
    same "$scratch/out" local.csv

    # A process that is stopped is named, and mpirun ends it.
    rm -rf held
    mpirun.$mpi -n 3 mlc train iris.mdl -q --out held "${settings[@]}" --set train.epochs=1000000 --rank-timeout 1 >"$scratch/out" 2>"$scratch/err" </dev/null &
    launcher=$!
    until [[ -s held/last.safetensors ]]; do kill -0 $launcher || break; sleep 0.05; done
    for pid in $(pgrep -f "^mlc train iris.mdl -q --out held"); do
        grep -Eqz '^(PMI|OMPI_COMM_WORLD)_RANK=0$' "/proc/$pid/environ" && kill -STOP "$pid" && stopped=$pid
    done
    for _ in {1..600}; do kill -0 $launcher 2>/dev/null || break; sleep 0.1; done
    if kill -0 $launcher 2>/dev/null; then
        kill -KILL "$stopped" $launcher
        fail "$mpi waits for a process that is stopped: $(cat "$scratch/err")"
    fi
    got=0
    wait $launcher || got=$?
    ((got)) || fail "status 0 although a process was stopped"
    says err "rank 0 (process $stopped on" "has not answered for 1 s in"

    # A signal for one process stops all; the run goes on without MPI.
    rm -rf long
    mpirun.$mpi -n 3 mlc train iris.mdl -q --out long "${settings[@]}" --set train.epochs=1000000 >"$scratch/out" 2>"$scratch/err" </dev/null &
    launcher=$!
    until [[ -s long/last.safetensors ]]; do kill -0 $launcher || break; sleep 0.05; done
    kill -TERM "$(pgrep -f "^mlc train iris.mdl -q --out long" | tail -1)"
    got=0
    wait $launcher || got=$?
    [[ $got == 143 ]] || fail "SIGTERM for one process under $mpi: status $got, $(cat "$scratch/err")"
    says err "stopped and saved; to continue: mlc train --resume long"
    epoch=$(($(mlc runs long --csv - | awk -F, 'NR == 2 { print $4 }') + 1))
    expect 0 mlc train -q --resume long --set train.epochs=$epoch --processes 2
    expect 0 mlc train iris.mdl -q --out "right$mpi" "${settings[@]}" --set train.epochs=$epoch
    same long/last.safetensors "right$mpi/last.safetensors"
done

# The mpirun of one MPI and the library of another: every process would be alone.
for variable in PMI_SIZE OMPI_COMM_WORLD_SIZE; do
    mpi=mpich
    [[ $variable == OMPI* ]] && mpi=openmpi
    [[ -e $(dirname "$MLC")/mlc-mpi-$mpi.so ]] || continue
    expect 2 env $variable=3 mlc train iris.mdl --out alone
    says err "has started 3 processes, but they find 1: mpirun and MPI do not fit together"
done
# A program without its plugins.
cp "$MLC" "$scratch/bin/other-mlc"
expect 5 env PMI_SIZE=3 "$scratch/bin/other-mlc" train iris.mdl --out alone
says err "this mlc has no mlc-mpi-mpich.so to connect them" "'mlc train --processes N' needs no MPI"
((tested)) || exit 77
finish
