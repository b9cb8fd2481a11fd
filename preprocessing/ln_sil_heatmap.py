"""Trees of skeleton maps and of silhouettes -> one tree of links to both, which SkeletonGait++ reads.

    python preprocessing/ln_sil_heatmap.py --heatmap_data_path Gait3D_sigma_8.0_/pkl \\
        --silhouette_data_path Gait3D-pkl --output_path Gait3D-joined

Run it again after a change: links are set anew where they point elsewhere. Sequences that only one tree
has, or with different numbers of frames, are listed and left out.
"""

from functools import partial
from pathlib import Path

from keras_gait.commands import CommandParser, add_job_flags, report_problems, run
from keras_gait.data.layouts import check_folder
from keras_gait.data.opengait.joined import ENDING, join_sequence
from keras_gait.data.opengait.pickles import sequence_folders
from keras_gait.data.provenance import note_source, read_source
from keras_gait.errors import GaitError
from keras_gait.jobs import run_jobs, share


def parse(argv):
    parser = CommandParser(prog="ln_sil_heatmap.py", description=__doc__.splitlines()[0])
    parser.add_argument("--heatmap_data_path", default="", help="heat-maps: <id>/<type>/<view>/*.pkl")
    parser.add_argument("--silhouette_data_path", default="", help="silhouettes, in the same folders")
    parser.add_argument("--output_path", default="", help="folder of the links, another one than these")
    parser.add_argument(
        "--dataset_pkl_ext_name",
        default=ENDING,
        help="how silhouettes are called: aligned-sils.pkl in CCPG, Camera-Sils_aligned.pkl in SUSTech1K",
    )
    add_job_flags(parser)
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    heatmaps = check_folder(args.heatmap_data_path, "--heatmap_data_path").resolve()
    heatmaps = heatmaps / "pkl" if (heatmaps / "pkl").is_dir() else heatmaps
    silhouettes = check_folder(args.silhouette_data_path, "--silhouette_data_path").resolve()
    if not args.output_path:
        raise GaitError("--output_path is needed: the folder to write the links to.")
    output = Path(args.output_path).resolve()
    if inside := [tree for tree in (heatmaps, silhouettes) if output == tree or tree in output.parents]:
        raise GaitError(
            f"--output_path {output} lies in {inside[0]}: links there would take the data's place."
        )
    sequences = sorted({*sequence_folders(heatmaps), *sequence_folders(silhouettes)})
    output.mkdir(parents=True, exist_ok=True)
    if source := read_source(silhouettes) or read_source(heatmaps):
        note_source(output, source)
    job = partial(join_sequence, (heatmaps, silhouettes), (ENDING, args.dataset_pkl_ext_name), output)
    mine = share(sequences, args.shard)
    problems = [problem for found in run_jobs(job, mine, args.worker_num, "links") for problem in found]
    joined = len(mine) - len({problem.place for problem in problems if problem.mendable})
    print(f"{output}: {joined} of {len(mine)} sequences have both")
    report_problems(sorted(problems))


if __name__ == "__main__":
    run(main)
