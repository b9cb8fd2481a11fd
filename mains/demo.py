"""The main job in one command: simulate walkers, prepare, train, test, report, in minutes on two cores.

    python mains/demo.py

Every step is one of the package's own commands; each is printed as it could be typed.
"""

import csv
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import demo_selfgait
import numpy as np

from keras_gait.commands import CommandParser, run
from keras_gait.errors import GaitError
from keras_gait.files import FINAL_MODEL

ROOT = Path(__file__).resolve().parent.parent
VIEWS = "--views 036 090 144"
# 17 frames are one more than the clips of 16: the first frame has no flow
PICTURES = "--sequences nm-01 nm-02 nm-03 nm-05 bg-01 cl-01 --frames 17 --size 144"


@dataclass(frozen=True)
class Demo:
    """What a method's demo runs.

    Attributes:
        recipe: what it trains; "" where several recipes are told by a module of its own.
        preparation: ``(script, arguments)`` of each step from raw trees to data sets.
        simulation: further arguments of the simulator.
        train_subjects: people to learn from.
        baseline: what the model is compared with: its name, and a function from the demo's folder, this and
            the model's folder to a dict from the rows of the model's ``rank1.csv`` to their values.
        test_subjects: further people, who are told apart.
        compared: the column of the comparison, by its place.
        told: what the comparison's table shows.
    """

    recipe: str
    preparation: tuple
    simulation: str
    train_subjects: int
    baseline: tuple
    test_subjects: int = 12
    compared: int = -1
    told: str = "Rank-1 in % on simulated walkers, by probe view, identical view excluded"


def energy_images(work, demo, run):
    """Of the nearest raw gait energy image."""
    from keras_gait.evaluation.baseline import energy_image_accuracy

    found = energy_image_accuracy(work / "raw" / "silhouettes", demo.train_subjects + 1)
    return dict(zip(CONDITIONS, found, strict=True))


def raw_poses(work, demo, run):
    """Of the nearest raw pose sequence."""
    from keras_gait.data.opening import find_dataset, open_dataset
    from keras_gait.evaluation.baseline import raw_pose_accuracy
    from keras_gait.training.recipes import load_recipe

    frames = load_recipe(ROOT / demo.recipe)["model"]["frames"]
    found = raw_pose_accuracy(open_dataset(find_dataset(work / "data", "test")), frames)
    return dict(zip(CONDITIONS, found, strict=True))


def raw_skeletons(work, demo, run):
    """Of the same recognition network on the skeletons themselves."""
    from keras_gait.training import raw_skeletons

    found = raw_skeletons.raw_skeletons(run, run / "raw-skeletons")
    return {each.name: [each.found.rank_1, each.found.nauc] for each in found}


CONDITIONS = ("nm", "bg", "cl")
LAYOUT = f"{VIEWS} {PICTURES} --layout casia-b --train_subjects {{train}}"
ENERGY_IMAGES = ("gait energy image", energy_images)
MAPS = (
    "preprocessing/pretreatment_heatmap.py",
    "--pose_data_path {raw}/poses --save_root {work} --dataset_name CASIAB --ext_name maps "
    "--worker_num {workers}",
)
ALIGNED = (
    "preprocessing/pretreatment_silhouettes.py",
    "--input_path {raw}/silhouettes --output_path {work}/silhouettes --dataset CASIAB "
    "--log_file {work}/pretreatment.log --n_workers {workers}",
)
CONVERSION = "--dataset_partition {raw}/CASIA-B.json --output_path {work}/data --worker_num {workers}"

# what SGE's encoders learn from; three tasks in the time of one
PRETEXTS = {
    "rev_rec": "",
    "prediction": "",
    "sorting": "",
    "rev_rec_plus": " --train.epochs 3 --recognition.epochs 10",
}

DEMOS = {
    "attengait": Demo(
        "configs/attengait/demo.yaml",
        (
            (
                "preprocessing/pretreatment_casiab_of.py",
                "--input_path {raw}/silhouettes --input_path_rgb {raw}/rgb --output_path {work}/flow "
                "--log_file {work}/pretreatment.log --worker_num {workers}",
            ),
            (
                "preprocessing/generate_of_dataset_casiab.py",
                "--ofdir {work}/flow --outdir {work}/data --train_subjects {train} --worker_num {workers}",
            ),
            (
                "preprocessing/generate_of_dataset_casiab_test.py",
                "--ofdir {work}/flow --outdir {work}/data --train_subjects {train} --mode ft",
            ),
            (
                "preprocessing/generate_of_dataset_casiab_test.py",
                "--ofdir {work}/flow --outdir {work}/data --train_subjects {train} --mode test",
            ),
        ),
        f"{VIEWS} {PICTURES}",
        24,
        ENERGY_IMAGES,
    ),
    "skeletongait": Demo(
        "configs/skeletongait/demo.yaml",
        (
            MAPS,
            (
                "preprocessing/convert_opengait_dataset.py",
                "--input_path {work}/CASIAB_sigma_8.0_maps/pkl " + CONVERSION,
            ),
        ),
        LAYOUT,
        24,
        ENERGY_IMAGES,
    ),
    "skeletongaitplusplus": Demo(
        "configs/skeletongaitplusplus/demo.yaml",
        (
            MAPS,
            ALIGNED,
            (
                "preprocessing/ln_sil_heatmap.py",
                "--heatmap_data_path {work}/CASIAB_sigma_8.0_maps/pkl "
                "--silhouette_data_path {work}/silhouettes --output_path {work}/joined",
            ),
            (
                "preprocessing/convert_opengait_dataset.py",
                "--input_path {work}/joined " + CONVERSION,
            ),
        ),
        LAYOUT,
        24,
        ENERGY_IMAGES,
    ),
    "gaitgraph2": Demo(
        "configs/gaitgraph2/demo.yaml",
        (
            (
                "preprocessing/generate_pose_dataset_casiab.py",
                "--data_path {raw} --output_path {work}/data --train_subjects {train} --worker_num {workers}",
            ),
        ),
        f"{VIEWS} --frames 40 --layout casia-b-pose",
        88,
        ("poses", raw_poses),
    ),
    "sge": Demo(
        "configs/sge/demo.yaml",
        (
            (
                "preprocessing/pretreatment_skeleton.py",
                "--input_path {raw}/skeletons --output_path {work}/Datasets --dataset Walkers --length 6 "
                "--offsets 3 --test nm=nm-0[56]* bg=bg* cl=cl*",
            ),
            (
                "preprocessing/generate_skeleton_dataset.py",
                "--input_path {work}/Datasets --dataset Walkers --length 6 --output_path {work}/data "
                "--worker_num {workers}",
            ),
        ),
        "--views 090 --frames 100 --layout kinect",
        20,
        ("skeletons", raw_skeletons),
        0,
        0,
        "Recognition network, in % on simulated walkers, by the kind of walk",
    ),
    "selfgait": Demo(
        "",
        (
            (ALIGNED[0], ALIGNED[1] + " --img_size 32"),
            (
                "preprocessing/convert_opengait_dataset.py",
                "--input_path {work}/silhouettes " + CONVERSION,
            ),
        ),
        f"{VIEWS} --sequences nm-01 nm-02 nm-03 nm-05 bg-01 cl-01 --frames 16 --size 72 --layout casia-b "
        "--train_subjects {train}",
        44,
        ENERGY_IMAGES,
        20,
        told="Rank-1 in % on simulated walkers, mean of the probe views, identical view excluded",
    ),
}


def parse(argv):
    parser = CommandParser(prog="demo.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--experdir", type=Path, default=Path("runs/demo"), help="folder for everything it makes"
    )
    parser.add_argument("--method", choices=sorted(DEMOS), default="attengait", help="which system")
    parser.add_argument("--pretext", choices=PRETEXTS, help="what encoders learn from (sge)")
    args = parser.parse_args(argv)
    if args.pretext and args.method != "sge":
        parser.error("--pretext is for --method sge")
    return args


def step(title, script, arguments, **values):
    """Run one command of the package in its own process, and stop if it fails."""
    words = [word.format(**values) for word in arguments.split()]
    print(f"\n== {title}\n$ {shlex.join(['python', script, *words])}", flush=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, str(ROOT / script), *words]).returncode
    if code:
        raise GaitError(f"{script} ended with exit code {code}; its own message is above")
    print(f"({time.monotonic() - started:.0f} s)", flush=True)


def rank1_table(path):
    """``results/rank1.csv`` -> (header, {condition: fractions})."""
    with open(path, encoding="utf-8") as file:
        (_, *header), *rows = csv.reader(file)
    return header, {condition: np.array(values, float) for condition, *values in rows}


def print_comparison(demo, trained, baseline, header):
    """The trained model's table beside the baseline's, and by how much their means differ."""
    from keras_gait.evaluation.tables import text_table

    columns = min(len(header), *map(len, baseline.values()))
    rows = []
    for condition, values in trained.items():
        rows.append((f"{condition.upper()}  trained", values[:columns]))
        rows.append((f"    raw {demo.baseline[0]}", baseline[condition]))
    means = [
        np.mean([table[condition][:columns] for condition in trained], axis=0)
        for table in (trained, baseline)
    ]
    rows += [("mean trained", means[0]), (f"    raw {demo.baseline[0]}", means[1])]
    print(f"\n{demo.told}")
    print(text_table(header[:columns], rows))
    gain = means[0][demo.compared] - means[1][demo.compared]
    print(f"\nmean of {header[demo.compared]}: {100 * gain:+.1f} points against the raw {demo.baseline[0]}")


def main(argv):
    args = parse(argv)
    demo, work = DEMOS[args.method], args.experdir
    values = {
        "raw": work / "raw",
        "work": work,
        "workers": os.cpu_count() or 1,
        "train": demo.train_subjects,
    }
    started = time.monotonic()
    step(
        "simulate walkers",
        "preprocessing/simulate_walkers.py",
        f"--output_path {{raw}} --subjects {demo.train_subjects + demo.test_subjects} "
        f"--worker_num {{workers}} {demo.simulation}",
        **values,
    )
    for script, arguments in demo.preparation:
        step("prepare the data", script, arguments, **values)
    learn = one_model if demo.recipe else several_models
    model, report = learn(demo, work, values, args.pretext)
    print(f"model:  {model}\nreport: {report}\n({(time.monotonic() - started) / 60:.1f} minutes)")


def one_model(demo, work, values, pretext):
    """Train, test and compare a demo's model -> its file, its report."""
    step(
        "train",
        "mains/train.py",
        "--config {recipe} --datadir {work}/data --experdir {work}/runs --verbose 2"
        + (f" --model {pretext}{PRETEXTS[pretext]}" if pretext else ""),
        recipe=ROOT / demo.recipe,
        **values,
    )
    model = newest_model(work / "runs")
    report = work / "report.html"
    step(
        "test", "mains/test.py", "--model {model} --allcameras --report {report}", model=model, report=report
    )

    header, trained = rank1_table(model.parent / "results" / "rank1.csv")
    print_comparison(demo, trained, demo.baseline[1](work, demo, model.parent), header)
    return model, report


def several_models(demo, work, values, pretext):
    """The same for SelfGait's models -> file and report of the best."""
    from keras_gait.evaluation.tables import text_table

    rows, model, report = demo_selfgait.train_and_test(step, work, newest_model, rank1_table)
    name, function = demo.baseline
    means = [values[-1] for values in function(work, demo, model.parent).values()]
    rows[f"raw {name}"] = [*means, np.mean(means)]
    print(f"\n{demo.told}")
    print(text_table(demo_selfgait.COLUMNS, rows.items()))
    print("", *demo_selfgait.gains(rows), sep="\n")
    return model, report


def newest_model(runs):
    """The model of the newest run in a folder."""
    return max(runs.rglob(FINAL_MODEL), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    run(main)
