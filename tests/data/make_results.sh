#!/usr/bin/env bash
# Make results of the lggshape that is installed, to be opened by later versions: make_results.sh FOLDER
# (cases.zip, which lies beside this file, holds the cases: 12 phantoms of version 0.1.)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir "$1" && cd "$1"
unzip -q "$here/cases.zip"
lggshape train cases --out run --network unet --filters 8,16 --size 48 --neighbours 0 --folds 2 --epochs 120 \
    --batch 4 --learning-rate 0.005 --crop 1 --inner 0.3 --inner-every 20 --quiet
lggshape segment cases --networks run --out masks --quiet
lggshape features masks --out features.csv --quiet
lggshape evaluate masks cases --out evaluation --quiet
lggshape associate features.csv --labels cases/labels.csv --hypotheses cases/hypotheses.toml --out results --quiet
zip -q -9 -X -r results.zip run masks features.csv features.run.json evaluation results
