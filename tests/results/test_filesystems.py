"""SQLite is kept off network file systems, told by the kernel's list of mounts."""

from pathlib import Path

import pytest

import results.filesystems
from results.database import open_database
from results.errors import ResultsError
from results.filesystems import network_filesystem

MOUNTS = """\
21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
22 21 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
23 22 254:2 / /home/local rw - xfs /dev/vdb rw
24 21 0:41 / /scratch rw - lustre mds@o2ib:/scratch rw,flock
25 21 0:42 / /mnt/my\\040share rw - cifs //host/share rw
26 21 254:3 / /data rw - ext4 /dev/vdc rw
27 21 0:43 / /data rw - beegfs beegfs_nodev rw
"""


@pytest.fixture
def mounts(monkeypatch, tmp_path):
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    monkeypatch.setattr(results.filesystems, "_MOUNTS", path)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/results.db", "NFS"),
        ("/home", "NFS"),
        ("/homework/results.db", None),
        ("/home/local/results.db", None),
        ("/scratch/me/results.db", "Lustre"),
        ("/mnt/my share/results.db", "SMB"),
        ("/data/results.db", "BeeGFS"),
        ("/tmp/results.db", None),
    ],
)
@pytest.mark.usefixtures("mounts")
def test_the_deepest_mount_counts(path, kind):
    assert network_filesystem(Path(path)) == kind


def test_this_machines_own_folder_is_local(tmp_path):
    assert network_filesystem(tmp_path) is None


def test_sqlite_on_a_network_file_system_is_refused_with_what_to_do(mounts, tmp_path):
    mounts.write_text(MOUNTS + f"28 21 0:44 / {tmp_path} rw - nfs server:/x rw\n")
    with pytest.raises(ResultsError, match=r"is on NFS.*local disk.*postgresql://"):
        open_database(tmp_path / "results.db")
    assert not (tmp_path / "results.db").exists()
