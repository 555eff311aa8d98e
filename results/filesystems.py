"""Which file systems are another machine's, where SQLite may lose what it acknowledged."""

import os
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = {
    "afs": "AFS",
    "beegfs": "BeeGFS",
    "beegfs_nodev": "BeeGFS",
    "ceph": "CephFS",
    "cifs": "SMB",
    "fuse.ceph": "CephFS",
    "fuse.glusterfs": "GlusterFS",
    "fuse.juicefs": "JuiceFS",
    "fuse.s3fs": "S3",
    "fuse.sshfs": "SSHFS",
    "glusterfs": "GlusterFS",
    "gpfs": "GPFS",
    "lustre": "Lustre",
    "ncpfs": "NCP",
    "nfs": "NFS",
    "nfs4": "NFS",
    "orangefs": "OrangeFS",
    "panfs": "PanFS",
    "pvfs2": "PVFS",
    "smb3": "SMB",
    "smbfs": "SMB",
    "wekafs": "WekaFS",
}


def network_filesystem(path: Path) -> str | None:
    """Name of the network file system that holds ``path``; None for a local one.

    None also where this cannot be told: on anything but Linux.

    Args:
        path: a file or folder, which need not be there yet.
    """
    try:
        lines = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return None
    wanted = os.path.realpath(path)
    deepest, kind = "", ""
    for line in lines:
        # 36 35 98:0 /root /mount/point options ... - type source options
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        mount = fields[4].encode().decode("unicode_escape")  # a blank stands there as \040
        inside = wanted == mount or wanted.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(deepest):  # of two on one point the later one is seen
            deepest, kind = mount, right.split(" ")[0]
    return _NETWORK.get(kind)
