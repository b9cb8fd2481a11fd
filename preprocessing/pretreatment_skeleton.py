"""Raw recordings of 3-D skeletons -> windows of f frames in the published tree of npy files (SGE).

    python preprocessing/pretreatment_skeleton.py --input_path walkers/skeletons --output_path Datasets \\
        --dataset Mine --length 6 --test "nm-05*" "nm-06*"

reads <input_path>/<person>/... (.npy (F, J, 3), .npz with ``skeletons``, .csv with a row a frame, folders of
*skel.txt as BIWI and IAS have them, KGBD's and KS20's text) and writes Datasets/Mine/6/Mine_train_npy_data/
and Mine_test_npy_data/, from which generate_skeleton_dataset.py goes on. <input_path>/train/<person>/ and
test/<person>/, or test-A and test-B, need no --test. Names of persons that are no numbers are numbered in
their order, in Datasets/Mine/6/names.json.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from keras_gait.commands import CommandParser, report_problems, run
from keras_gait.data.layouts import check_folder
from keras_gait.data.problems import Problem
from keras_gait.data.provenance import note_source, read_source
from keras_gait.data.skeletons.raw import (
    check_persons,
    divide,
    find_recordings,
    load_recordings,
    number_persons,
    parse_tests,
)
from keras_gait.data.skeletons.raw_formats import FORMATS
from keras_gait.data.skeletons.tree_writer import PersonFrames, remove_drafts, write_npy_tree
from keras_gait.data.skeletons.trees import published_name, tree_of
from keras_gait.data.skeletons.windows import frames_needed, published_rules
from keras_gait.data.trees import check_tree_settings
from keras_gait.errors import GaitError
from keras_gait.files import write_whole


def parse(argv):
    parser = CommandParser(prog="pretreatment_skeleton.py", description=__doc__.splitlines()[0])
    parser.add_argument("--input_path", required=True, help="recordings: <person>/..., or train/ and test/")
    parser.add_argument("--output_path", required=True, help="<dataset>/<length>/ is made in here")
    parser.add_argument("--dataset", required=True, help="BIWI, IAS, KGBD, KS20, or a name of your own")
    parser.add_argument("--length", type=int, default=6, help="frames of a window")
    parser.add_argument("--format", default="auto", choices=("auto", *FORMATS), help="of the recordings")
    parser.add_argument(
        "--test",
        nargs="+",
        default=[],
        metavar="PATTERN",
        help="which recordings are for testing, by their path below the person; A=PATTERN B=PATTERN for two "
        "test sets",
    )
    parser.add_argument(
        "--trim", type=int, help="frames cut at each end; left out: 10 (IAS training: at the start, KS20: 0)"
    )
    parser.add_argument(
        "--stride", type=int, help="from training window to window; left out: half the length (KGBD: all)"
    )
    parser.add_argument(
        "--offsets", type=int, help="frames at which training windows start; left out: the length (KGBD: 1)"
    )
    parser.add_argument(
        "--center", default="none", help="none, or the joint that is subtracted from its frame"
    )
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    args.dataset = published_name(args.dataset)
    tree = tree_of(args.dataset)
    check_flags(args)
    root = check_folder(args.input_path, "--input_path")
    recordings, kind, empty = find_recordings(root, args.format)
    splits = divide(recordings, parse_tests(args.test), root)
    check_tests(args.dataset, tree, splits)
    numbers, made_up = number_persons([each.person for each in recordings], kind)
    loaded, damaged = load_recordings(splits, kind, tree.joints)
    rules = {role: rules_of(args, role) for role in ("train", "test")}
    enough, short = long_enough(loaded, rules, damaged)
    sets, strangers = check_persons(enough)
    folder = Path(args.output_path, args.dataset, str(args.length))
    begin(folder, rules, sets, read_source(root), numbers if made_up else {})
    write(folder, args.dataset, sets, rules, numbers)
    report_problems(empty + strangers + damaged + short)


def check_flags(args):
    """`GaitError` for what cannot be; names the flag and what it may be."""
    if args.dataset.upper().startswith("CASIA"):
        raise GaitError("--dataset: CASIA-B's tree has folders of its own; give another name.")
    if args.length < 2:
        raise GaitError(f"--length must be at least 2. Received: {args.length}")
    for flag, least in (("trim", 0), ("stride", 1), ("offsets", 1)):
        value = getattr(args, flag)
        if value is not None and value < least:
            raise GaitError(f"--{flag} must be at least {least}. Received: {value}")
    if args.center != "none" and not (args.center.isascii() and args.center.isdigit()):
        raise GaitError(f"--center must be none or the number of a joint, from 0. Received: {args.center}")


def check_tests(name, tree, splits):
    """`GaitError` where a published data set has other test sets than these."""
    expected = sorted(f"test-{condition}" if condition else "test" for condition in tree.tests)
    found = sorted(split for split in splits if split != "train")
    if expected and found != expected:
        raise GaitError(
            f"--dataset {name} has the sets {', '.join(expected)}, these are {', '.join(found)}: give them "
            "so in --test (A=... is for test-A), or give the data set another name."
        )


def rules_of(args, role):
    center = None if args.center == "none" else int(args.center)
    chosen = {"trim": args.trim, "stride": args.stride, "offsets": args.offsets, "center": center}
    return published_rules(args.dataset, args.length, role, **chosen)


def long_enough(loaded, rules, damaged):
    """The recordings that give windows -> (dict of split and list of them, list of `Problem`)."""
    sets, problems = {}, []
    for split, pairs in loaded.items():
        rule = rules["train" if split == "train" else "test"]
        least = frames_needed(rule)
        what = f"fewer than {least} frames, too few for a window"
        problems += [Problem(each.path, what) for each, frames in pairs if len(frames) < least]
        sets[split] = [(each, frames) for each, frames in pairs if len(frames) >= least]
        if not sets[split]:
            first = (damaged + problems)[0]
            raise GaitError(
                f"{split}: no recording can be used (such as {first.place}: {first.what}); get others, or "
                "give a smaller --length or --trim."
            )
        joints = sets[split][0][1].shape[1]
        if rule.center is not None and rule.center >= joints:
            raise GaitError(f"--center {rule.center}: the skeletons have the joints 0 to {joints - 1}.")
    return sets, problems


def begin(folder, rules, sets, source, numbers):
    """Make the folder of the tree, with what is noted in it: settings, origin, names of the persons."""
    told = {
        "frames": {split: sum(len(frames) for _, frames in pairs) for split, pairs in sets.items()},
        "recordings": {split: digest_of(pairs) for split, pairs in sets.items()},
    }
    check_tree_settings(folder, {role: asdict(rule) for role, rule in rules.items()} | told)
    if source:
        note_source(folder, source)
    if numbers:
        names = {number: name for name, number in numbers.items()}
        write_whole(folder / "names.json", json.dumps(names, indent=1, ensure_ascii=False) + "\n")


def digest_of(pairs):
    """A short hex digest of who walks in the recordings of a split, and how."""
    digest = hashlib.sha256()
    for each, frames in sorted(pairs, key=lambda pair: (pair[0].person, pair[0].name)):
        digest.update(repr((each.person, frames.shape)).encode())
        digest.update(frames.tobytes())
    return digest.hexdigest()[:12]


def write(folder, name, sets, rules, numbers):
    """Write the npy files and tell what was made; recordings person by person, each person's by name."""
    splits = {
        split: [
            PersonFrames(numbers[each.person], frames)
            for each, frames in sorted(pairs, key=lambda pair: (numbers[pair[0].person], pair[0].name))
        ]
        for split, pairs in sets.items()
    }
    remove_drafts(folder)
    for split, count in write_npy_tree(folder, name, splits, rules).items():
        people = len({each.person for each in splits[split]})
        print(f"{name} {split}: {count} windows, {len(splits[split])} recording(s), {people} person(s)")
    print(f"written: {folder}")


if __name__ == "__main__":
    run(main)
