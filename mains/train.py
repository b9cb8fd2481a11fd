"""Train a gait recognition model: ``python mains/train.py --datadir DATA --pk --p 8 --k 8``."""

import argparse
import os
from pathlib import Path

from keras_gait.commands import CommandParser, run
from keras_gait.data.opening import name_word
from keras_gait.errors import GaitError
from keras_gait.files import FINAL_MODEL
from keras_gait.training.flags import ALWAYS_ON, FLAGS, REFUSED, SGE_CHOICES, SGE_FLAGS, SGE_RECIPES, SWITCHES

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def make_parser():
    parser = CommandParser(
        prog="train.py",
        description=__doc__.splitlines()[0],
        epilog="Any recipe key can be set by its dotted name, such as --sampler.frames 16. "
        "Of two flags for one key the later counts.",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="recipe to start from, such as configs/attengait/casiab.yaml"
    )
    parser.add_argument("--gpu", type=_gpu, metavar="N", help="which GPU is used (CUDA_VISIBLE_DEVICES)")
    for flag, key, kind, meaning in (*FLAGS, *SGE_FLAGS):
        parser.add_argument(flag, dest=key, type=kind, metavar="X", help=f"{meaning} ({key})")
    for flag, key, value, meaning in SWITCHES:
        parser.add_argument(flag, dest=key, action="store_const", const=value, help=f"{meaning} ({key})")
    for flag, words, meaning in SGE_CHOICES:
        parser.add_argument(flag, choices=tuple(words), help=meaning)
    for flag in ALWAYS_ON:
        parser.add_argument(flag, action="store_true", help="always on, as in the original")
    parser.add_argument("--probe_type", help=argparse.SUPPRESS)
    return parser


def _gpu(word):
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a GPU's number, such as 0. Received: {word!r}")
    return word


def parse(argv):
    """The recipe's path, a dict of dotted keys that the command line sets, the GPU's number or None."""
    arguments, rest = make_parser().parse_known_args(argv)
    given = vars(arguments)
    if given["probe_type"]:
        raise GaitError("--probe_type belongs to the evaluation: give it to mains/test.py")
    overrides = {key: value for key, value in given.items() if "." in key and value is not None}
    of_choices = {}
    for flag, words, _ in SGE_CHOICES:
        for key, value in words.get(given[flag[2:]], {}).items():
            overrides[key] = value
            of_choices.setdefault(key, set()).add(flag)
    by_name = dotted(rest)
    for key in overrides.keys() & by_name.keys():  # the later one wins, as between flags of one kind
        flags = {flag for flag, of, *_ in (*FLAGS, *SGE_FLAGS, *SWITCHES) if of == key}
        if _last(flags | of_choices.get(key, set()), argv) > _last({f"--{key}"}, argv):
            del by_name[key]
    overrides |= by_name
    if "data.dataset" in overrides and arguments.config is None and "method" not in overrides:
        name = name_word(overrides["data.dataset"])
        if name in SGE_RECIPES:  # SGE's epochs, rates and temperatures are the data set's
            return CONFIGS / "sge" / f"{SGE_RECIPES[name]}.yaml", overrides, arguments.gpu
        overrides["method"] = "sge"
    return arguments.config, overrides, arguments.gpu


def _last(flags, argv):
    """Where on the command line the last of these flags is."""
    return max(i for i, word in enumerate(argv) if word.split("=")[0] in flags)


def dotted(words):
    """``["--sampler.frames", "16"]`` -> ``{"sampler.frames": 16}``."""
    from keras_gait.training.recipes import parse_override

    pairs = {}
    words = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for flag, value in zip(words[::2], [*words[1::2], None], strict=False):
        if flag in REFUSED:
            raise GaitError(f"{flag} had no effect in the original and has none here: leave it out")
        if not flag.startswith("--") or ("." not in flag and flag != "--method"):
            raise GaitError(f"unknown argument {flag!r} (--help lists the flags)")
        if value is None:
            raise GaitError(f"{flag} needs a value")
        pairs[flag[2:]] = parse_override(value)
    return pairs


def main(argv):
    config, overrides, gpu = parse(argv)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    from keras_gait.training.recipes import load_recipe  # these load Keras, which takes seconds
    from keras_gait.training.start import train

    recipe = load_recipe(config, overrides)
    if recipe["data"]["datadir"] is None:
        raise GaitError("no data set: give --datadir, a data set directory or a folder that holds it")
    folders = train(recipe)
    for folder in folders if isinstance(folders, list) else [folders]:
        print(f"model: {folder / FINAL_MODEL}")


if __name__ == "__main__":
    run(main)
