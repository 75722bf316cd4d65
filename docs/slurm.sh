#!/bin/bash
#SBATCH --job-name=ablate --cpus-per-task=4 --time=04:00:00 --output=slurm-%A-%a.txt
# As a job array: each job one share of the study. As a single job: what they measured as one run, and what is left.
study=$1 name=$(basename "$1" .toml)
if [ -n "$SLURM_ARRAY_TASK_ID" ]; then
  ablate run "$study" --shard "$SLURM_ARRAY_TASK_ID/8" --quiet
else
  ablate merge "runs/$name"-*-of-8 --out "runs/$name" --quiet
  [ $? -le 1 ] && ablate run "$study" --out "runs/$name" --quiet # 1: a trial failed, which the report names
fi
