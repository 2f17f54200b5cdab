#!/bin/bash
# Pilots of a sweep: sbatch slurm.sh SWEEP.toml -o OUT
#SBATCH --job-name=voxbench
#SBATCH --array=0-7
#SBATCH --time=240
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --requeue
#SBATCH --signal=TERM@120
#SBATCH --open-mode=append
#SBATCH --output=voxbench-%A_%a.log

export VOXBENCH_DATA=/shared/data VOXBENCH_CACHE=/shared/cache
srun voxbench work "$@" --minutes 237
code=$?

# 75: work is left. Unless somebody cancelled this job, it waits for its next turn.
if [ "$code" = 75 ] && [ "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %T)" = RUNNING ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
