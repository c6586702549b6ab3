#!/usr/bin/env bash
# Trainings and sweeps under Slurm: a controller and a node of its own, which this test starts on this machine. Skipped without Slurm.
source "$(dirname "$0")/common.sh"
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null; then
    echo "skipped: Slurm is missing (Debian: slurm-wlm)"
    exit 77
fi
cp "$root"/models/iris.{mdl,csv} .

mkdir "$scratch/slurm" "$scratch/slurm/state" "$scratch/slurm/spool"
export SLURM_CONF=$scratch/slurm/slurm.conf
port=$((20000 + $$ % 20000))
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/none
CredType=cred/none
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$scratch/slurm/state
SlurmdSpoolDir=$scratch/slurm/spool
SlurmctldPidFile=$scratch/slurm/controller.pid
SlurmdPidFile=$scratch/slurm/node.pid
SlurmctldLogFile=$scratch/slurm/controller.log
SlurmdLogFile=$scratch/slurm/node.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
MailProg=/bin/true
KillWait=30
SlurmdParameters=config_overrides
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
slurmctld -D >"$scratch/slurm/controller.out" 2>&1 &
daemons=$!
slurmd -D >"$scratch/slurm/node.out" 2>&1 &
daemons+=" $!"
# shellcheck disable=SC2086
trap 'scancel --quiet --user="$(id -un)" 2>/dev/null; sleep 1; kill $daemons 2>/dev/null; wait; rm -rf "$scratch"' EXIT
for ((i = 0; i < 300; i++)); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && break
    sleep 0.1
done
if ! sinfo -h -o %t 2>/dev/null | grep -q idle; then
    echo "skipped: Slurm does not start here: $(tail -1 "$scratch/slurm/node.log")"
    exit 77
fi

# One training on the processes of srun: with the PMIx of Open MPI's plugin the same bits, without it a clear error.
settings=(--set train.batch=24 --set train.replicas=8 --set train.epochs=4)
expect 0 mlc train iris.mdl -q --out one "${settings[@]}"
expect 2 srun --mpi=none -n 3 mlc train iris.mdl -q --out none "${settings[@]}"
says err "srun has started 3 processes, but without a way to find each other" "srun --mpi=pmix"
[[ ! -e none ]] || fail "a refused training has a folder"
if srun --mpi=list 2>&1 | grep -q pmix && [[ -e $(dirname "$MLC")/mlc-mpi-openmpi.so ]]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    expect 0 srun --mpi=pmix -n 4 mlc train iris.mdl -q --out four "${settings[@]}"
    same one/last.safetensors four/last.safetensors

    # A job that is put back into the queue saves, and goes on with its own line. The time of its training is that of the signal.
    cat >job.sh <<END
#!/bin/bash
#SBATCH --ntasks=4 --requeue --open-mode=append --output=job.log
srun --mpi=pmix "$MLC" train iris.mdl -q --continue --out job ${settings[*]} --set train.epochs=\$(cat epochs)
END
    echo 1000000 >epochs
    job=$(sbatch --parsable job.sh)
    for ((i = 0; i < 600; i++)); do [[ -s job/last.safetensors ]] && break; sleep 0.1; done
    scancel --signal=TERM "$job" # to the steps of the job, as at a preemption
    for ((i = 0; i < 600; i++)); do grep -q "stopped and saved" job.log && break; sleep 0.1; done
    grep -q "stopped and saved" job.log || fail "a job that gets SIGTERM: $(cat job.log)"
    epochs=$(($(mlc runs job --csv - | awk -F, 'NR == 2 { print $4 }') + 2))
    echo $epochs >epochs
    sbatch --wait job.sh >/dev/null || fail "the job does not go on: $(cat job.log)"
    expect 0 mlc train iris.mdl -q --out right "${settings[@]}" --set train.epochs=$epochs
    expect 0 mlc export job --to job.safetensors
    expect 0 mlc export right --to right.safetensors
    same job.safetensors right.safetensors
else
    echo "skipped in part: srun has no PMIx, or mlc no plugin for Open MPI"
fi

# The job array of mlc sweep --slurm makes the table of one machine, also if jobs are put back into the queue.
sweep=(mlc sweep iris.mdl -q --set 'hidden=4|8|16|32' --set train.epochs=30 --seeds 6)
expect 0 "${sweep[@]}" --out local --csv local.csv
expect 0 "${sweep[@]}" --out cluster --slurm --workers 2
cp "$scratch/out" array.sh
array=$(sbatch --parsable array.sh)
for ((i = 0; i < 600; i++)); do [[ -n $(find cluster/trials -name '*.json') ]] && break; sleep 0.05; done
scontrol requeue "${array}_2" 2>/dev/null
for ((i = 0; i < 900; i++)); do
    [[ -z $(squeue -h -j "$array" 2>/dev/null) ]] && break
    scontrol update jobid="${array}_2" starttime=now 2>/dev/null # else it waits for two minutes
    sleep 0.1
done
sbatch --wait --array=1 array.sh >/dev/null || fail "a further job: $(cat cluster/slurm-*.log)"
expect 0 mlc sweep --status cluster --csv -
same "$scratch/out" local.csv
finish
