"""mains/train.py with the flags of SGE's published train.py."""

import os
from functools import partial

import checks
import pytest

refused = partial(checks.refused, name="train.py")


@pytest.fixture
def recipe_of(command, tmp_path, monkeypatch):
    """``recipe_of("--dataset", "BIWI")`` -> the recipe that would be trained."""
    from keras_gait.training import start

    recipes = []
    monkeypatch.setattr(start, "train", lambda recipe: recipes.append(recipe) or tmp_path)

    def call(*flags):
        result = command("mains/train.py", "--datadir", tmp_path, *flags)
        assert result.code == 0, result.err
        return recipes[-1]

    return call


def test_the_published_line_works(recipe_of, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    line = "--dataset BIWI --model prediction --attention LA --length 6 --t 0.1 --train_flag 1 --gpu 0"
    recipe = recipe_of(*line.split())
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    assert recipe["method"] == "sge"
    assert (recipe["data"]["dataset"], recipe["data"]["length"]) == ("BIWI", 6)
    assert (recipe["model"]["pretext"], recipe["model"]["attention"]) == ("prediction", "LA")
    assert recipe["losses"]["temperature"] == 0.1
    assert recipe["train"]["stage"] == 1


def test_a_data_sets_own_recipe_is_taken_where_there_is_one(recipe_of):
    assert recipe_of("--dataset", "KGBD")["recognition"]["epochs"] == 200
    cve = recipe_of("--dataset", "CASIA_B", "--view", 3)
    assert (cve["data"]["view"], cve["data"]["length"], cve["train"]["epochs"]) == (3, 20, 100)
    assert (cve["model"]["normalise"], cve["recognition"]["batch_size"]) == ("joint", 1280)
    cme = recipe_of("--dataset", "casia_b_match")
    assert (cme["recognition"]["epochs"], cme["data"]["length"], cme["model"]["manner"]) == (0, 50, "sc")
    assert recipe_of("--dataset", "demo")["data"]["length"] is None  # a name, though there is such a recipe
    own = recipe_of("--dataset", "MyKinect", "--length", 8)
    assert (own["method"], own["recognition"]["epochs"], own["data"]["length"]) == ("sge", 300, 8)


@pytest.mark.parametrize(
    ("flags", "section", "key", "value"),
    [
        ("--view 2", "data", "view", 2),
        ("--view None", "data", "view", None),
        ("--manner sc", "model", "manner", "sc"),
        ("--model rev_rec_plus --double_pretext pred+sort", "model", "double_pretext", "pred+sort"),
        ("--transfer KGBD", "train", "transfer", "KGBD"),
        ("--transfer None", "train", "transfer", None),
        ("--train_flag 0", "train", "stage", 0),
        ("--frozen 1", "model", "contrast", "frozen"),
        ("--frozen 1", "model", "features", "projection"),
        ("--frozen 0", "model", "contrast", "joint"),
        ("--c_reid 1", "model", "features", "projection"),
        ("--c_reid 1", "model", "contrast", "joint"),
        ("--norm 0", "model", "normalise", "range"),
        ("--norm 1", "model", "normalise", "joint"),
        ("--norm 1 --model.normalise none", "model", "normalise", "none"),
        ("--model.normalise none --norm 1", "model", "normalise", "joint"),
    ],
)
def test_a_flag_sets_its_key(recipe_of, flags, section, key, value):
    assert recipe_of("--dataset", "KS20", *flags.split())[section][key] == value


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--train_flag 2", "run mains/test.py"),
        ("--train_flag 3", "'train.stage' on the command line must be at most 2"),
        ("--probe_type nm.nm", "--probe_type belongs to the evaluation: give it to mains/test.py"),
        ("--frozen 2", "argument --frozen: invalid choice"),
        ("--gpu x", "expected a GPU's number"),
        ("--view front", "argument --view: invalid"),
        ("--t 0", "'losses.temperature' on the command line must be at least"),
        ("--selection best", "unknown argument '--selection'"),
        ("--train.selection best", "must be one of held-out, published, last"),
        ("--losses.decay all", "must be one of published, kernels"),
        ("--init_net a.keras", "unknown recipe key 'train.init_net'"),
        ("--bs 1", "'sampler.batch_size' on the command line must be at least 2"),
        ("--model.attention MA", "attention must be LA or BA"),
    ],
)
def test_a_wrong_use_is_one_line(command, sets, tmp_path, flags, message):
    flags = ("--datadir", sets, "--experdir", tmp_path, "--dataset", "IAS", "--length", 4, *flags.split())
    assert message in refused(command("mains/train.py", *flags))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    from skeleton_trees import skeleton_sets

    folder = tmp_path_factory.mktemp("skeletons")
    skeleton_sets(folder, folder / "tree", "IAS", 4, windows=12)
    return folder


def test_a_short_training_writes_a_model_and_says_where(command, sets, tmp_path, step_by_step):
    flags = ("--dataset", "IAS", "--length", 4, "--epochs", 1, "--recognition.epochs", 1, "--verbose", 0)
    small = ("--model.units", 4, "--model.hidden", 4, "--train.held_out", 0.3, "--bs", 64)
    result = command("mains/train.py", "--datadir", sets, "--experdir", tmp_path, *flags, *small)
    assert result.code == 0, result.err
    model = tmp_path / "IAS_LA_RN_ap_4_0.1_0pre_rev_rec" / "model-final.keras"
    assert result.out.splitlines()[-1] == f"model: {model}"
    assert model.is_file()


def test_a_tree_of_npy_files_is_told_how_to_go_on(command, tmp_path):
    from skeleton_trees import skeleton_tree

    skeleton_tree(tmp_path, "KGBD", 6)
    message = refused(command("mains/train.py", "--datadir", tmp_path, "--dataset", "KGBD"))
    assert "holds the published .npy files" in message
    assert "preprocessing/generate_skeleton_dataset.py --dataset KGBD --length 6" in message
