"""The profiles file, and the scripts that come of it."""

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.errors import WorkflowError
from workflows.profiles import Profile, find_profile, profiles_file, read_profiles, seconds_of

pytest.importorskip("qtoolkit", reason="qtoolkit is not installed (extra hpc)")

GOOD = """\
gpu:
  scheduler: slurm
  partition: gpu
  account: ab1234
  time: "1-04:30:00"
  gpus: 4
  cpus: 32
  memory: 128G
  shards_per_job: 4
  max_jobs: 20
  modules: [cuda/12.4, gcc]
  environment: {LITHIOPHILE_CACHE: /project/cache, THREADS: 4}
  preamble: source "$HOME/my env/bin/activate"
  options: [--constraint=a100]
  stages: {relax crystals: cpu, label: here}
cpu: {}
"""


def read(tmp_path, text):
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    return read_profiles(path)


def complaint(path):
    """What is wrong with the file; empty where nothing is."""
    try:
        read_profiles(path)
    except WorkflowError as error:
        return str(error)
    return ""


def test_a_whole_profile(tmp_path):
    profiles = read(tmp_path, GOOD)
    gpu = profiles["gpu"]
    assert (gpu.time_s, gpu.device, gpu.environment["THREADS"]) == (102600, "cuda", "4")
    assert profiles["cpu"] == Profile()
    assert profiles["cpu"].device == "cpu"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu: {partitoin: gpu}", r"gpu.partitoin: unknown; did you mean 'partition'"),
        ("gpu: {time: 4h}", r"gpu.time = '4h': write it as \"04:00:00\""),
        ("gpu: {time: 400}", r"gpu.time = 400: should be a valid string"),
        ('gpu: {max_time: "4h"}', r"gpu.max_time = '4h': write it as \"04:00:00\""),
        ('gpu: {max_time: "03:59:59"}', r"gpu.max_time = '03:59:59': should not be under time"),
        ("gpu: {memory: lots}", r"gpu.memory = 'lots': write it as 32G"),
        ("gpu: {gpus: -1}", r"gpu.gpus = -1"),
        (
            "gpu: {scheduler: lsf}",
            r"gpu.scheduler = 'lsf': should be 'slurm', 'pbs' or 'work",
        ),
        ("gpu: {folder: here/there}", r"gpu.folder = .*absolute path"),
        ("gpu: {stages: {label: cup}}\ncpu: {}", r"no such profile; did you mean 'cpu'"),
        ("gpu: {environment: {'A B': x}}", r"'A B' cannot name a variable"),
        ('gpu: {options: ["--a\\nrm -rf"]}', r"gpu.options.0"),
        ("- gpu", r"names no profile"),
        ("", r"names no profile"),
        ("gpu: [", r"line 1"),
        ("'a b': {}", r"'a b' cannot name a profile"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_mend(tmp_path, text, message):
    with pytest.raises(WorkflowError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_no_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("LITHIOPHILE_PROFILES", str(tmp_path / "none.yaml"))
    assert profiles_file() == tmp_path / "none.yaml"
    with pytest.raises(WorkflowError, match=r"none.yaml: no such file.*docs/hpc.md"):
        read_profiles()


def test_which_profile(tmp_path):
    profiles = read(tmp_path, GOOD)
    assert find_profile("cpu", profiles) == "cpu"
    with pytest.raises(WorkflowError, match="name one of gpu, cpu"):
        find_profile(None, profiles)
    with pytest.raises(WorkflowError, match="did you mean 'gpu'"):
        find_profile("gpuu", profiles)


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:30:00", 1800), ("2-01:00:01", 176401), ("x", 0), ("1:2", 0)]
)
def test_times(text, seconds):
    assert seconds_of(text) == seconds


@settings(
    max_examples=150,
    deadline=None,  # machines are busy
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_file_breaks_the_reader(tmp_path, content):
    path = tmp_path / "profiles.yaml"
    path.write_bytes(content)
    assert "\n" not in complaint(path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(
    max_examples=150,
    deadline=None,  # machines are busy
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(st.sampled_from(sorted(Profile.model_fields)), _VALUES, max_size=4))
def test_no_value_breaks_the_reader_or_the_script(tmp_path, fields):
    from ruamel.yaml import YAML

    from workflows.workstation import batch_system

    path = tmp_path / "profiles.yaml"
    with path.open("w", encoding="utf-8", errors="replace") as file:
        YAML(typ="safe", pure=True).dump({"gpu": fields}, file)
    said = complaint(path)
    assert "\n" not in said
    if said:
        return
    profile = read_profiles(path)["gpu"]
    assert batch_system(profile).script(profile, tmp_path, "name", 3)


def script(tmp_path, profile, n=7):
    from workflows.workstation import batch_system

    text = batch_system(profile).script(profile, tmp_path, "lithiophile-abc", n)
    path = tmp_path / "job.sh"
    path.write_text(text)
    subprocess.run(["bash", "-n", str(path)], check=True)
    return text.splitlines()


def test_slurm_script(tmp_path):
    lines = script(tmp_path, read(tmp_path, GOOD)["gpu"])
    for line in (
        "#SBATCH --partition=gpu",
        "#SBATCH --account=ab1234",
        "#SBATCH --job-name=lithiophile-abc",
        "#SBATCH --time=1-4:30:0",
        "#SBATCH --array=1-7%20",
        "#SBATCH --gres=gpu:4",
        "#SBATCH --cpus-per-task=32",
        "#SBATCH --mem=128G",
        "#SBATCH --nodes=1",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --no-requeue",
        "#SBATCH --constraint=a100",
        f"#SBATCH --output={tmp_path}/%a.out",
        "module load cuda/12.4",
        "export OMP_NUM_THREADS=8",
        "export LITHIOPHILE_CACHE=/project/cache",
        'source "$HOME/my env/bin/activate"',
    ):
        assert line in lines
    assert lines[-1].startswith("exec ")
    assert lines[-1].endswith(f"-m workflows.shard {tmp_path} $SLURM_ARRAY_TASK_ID")


def test_pbs_script(tmp_path):
    """Only what qtoolkit writes is tested: there is no PBS server here."""
    profile = read(tmp_path, GOOD.replace("slurm", "pbs"))["gpu"]
    lines = script(tmp_path, profile)
    for line in (
        "#PBS -q gpu",
        "#PBS -A ab1234",
        "#PBS -N lithiophile-abc",
        "#PBS -l walltime=28:30:0",
        "#PBS -l select=1:ncpus=32:ngpus=4:mem=128gb",
        "#PBS -r n",
        "#PBS -J 1-7%20",
        f"#PBS -o {tmp_path}/^array_index^.out",
        "#PBS --constraint=a100",
    ):
        assert line in lines
    assert lines[-1].endswith("${PBS_ARRAY_INDEX:-1}")
    assert not [line for line in script(tmp_path, profile, 1) if line.startswith("#PBS -J")]
