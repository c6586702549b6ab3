#!/usr/bin/env bash
# Runs the job script of mlc sweep --slurm as the jobs of an array do.
source "$(dirname "$0")/common.sh"

small_model
sweep=(mlc sweep small.mdl -q --set 'lr=0.003|0.01|0.02|0.03' --seeds 3 --set train.epochs=4)
expect 0 "${sweep[@]}" --out local --workers 1 --csv local.csv
expect 0 "${sweep[@]}" --out "job's folder" --slurm --workers 2
cp "$scratch/out" job.sh
says out "#SBATCH --array=1-6" "#SBATCH --cpus-per-task=2" "#SBATCH --signal=B:TERM@90" "#SBATCH --requeue"
grep -q -- --output job.sh && fail "a path with a blank was given to sbatch"
[[ -z $(ls "job's folder/trials") ]] || fail "--slurm has trained"
bash -n job.sh || fail "the script is not one of bash"

# A job that is told to stop saves and ends with 143; the others continue its trials.
slurm() { env SLURM_JOB_ID=77 SLURM_ARRAY_JOB_ID=77 SLURM_ARRAY_TASK_ID="$1" SLURM_CPUS_PER_TASK=2 bash job.sh >"$scratch/job$1" 2>&1; }
env SLURM_ARRAY_TASK_ID=1 bash job.sh >"$scratch/job1" 2>&1 &
pid=$!
until [[ -n $(find "job's folder/trials" -name '*.json') ]]; do sleep 0.02; done
kill -TERM $pid
wait $pid
status=$?
[[ $status == 143 || $status == 0 ]] || fail "a job that is told to stop: status $status"
for task in 2 3 4; do slurm $task & done
wait
expect 0 mlc sweep --status "job's folder" --csv -
same "$scratch/out" local.csv

# An existing sweep has a script too, with logs in its folder if sbatch accepts the path.
expect 0 mlc sweep --join local --slurm --workers 5 --threads 2
if [[ $PWD =~ ^[a-zA-Z0-9/._+-]*$ ]]; then says out "#SBATCH --output=$PWD/local/slurm-%A_%a.log"; fi
says out "#SBATCH --array=1-3" "#SBATCH --cpus-per-task=10" "--workers 5 --threads 2"

# The picture of a sweep.
expect 0 mlc sweep --status local --png one.png
there one.png
expect 0 mlc sweep small.mdl -q --out many --trials 9 --halving 3 --set 'lr=log(1e-3, 1e-1)' --set 'train.optimizer=adam(lr = 0.01)|sgd(lr = 0.1)' --set train.epochs=3 --png many.png
[[ $("$PNG_PIXELS" many.png d9720f) -gt 100 && $("$PNG_PIXELS" many.png b9cbdc) -gt 100 ]] || fail "the best and the dropped settings are not there"
expect 5 mlc sweep --status local --png no/such/folder.png
expect 2 mlc sweep small.mdl -q --out same --seeds 2 --set train.epochs=1 --png same.png
says err "no value varies"

finish
