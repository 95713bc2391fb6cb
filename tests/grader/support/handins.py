"""Zips and folders as people hand them in, made of pairs of a name and bytes."""

import io
import os
import stat
import warnings
import zipfile

CODE = b"def im2col(x): ...\n"


def zip_bytes(members):
    """Return a zip of `members`: pairs of a name, or a ZipInfo, and bytes."""
    sink = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as writer:
        warnings.simplefilter("ignore", UserWarning)  # duplicate names
        for name, data in members:
            writer.writestr(name, data)
    return sink.getvalue()


def make_zip(path, members):
    path.write_bytes(zip_bytes(members))
    return path


def make_folder(path, members):
    for name, data in members:
        if isinstance(name, zipfile.ZipInfo):
            (path / name.filename).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(data, path / name.filename)
        elif name.endswith("/"):
            (path / name).mkdir(parents=True, exist_ok=True)
        else:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    return path


def with_code(members):
    """Return pairs: a member that is only a name holds CODE."""
    return [member if isinstance(member, tuple) else (member, CODE) for member in members]


def with_mode(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def link(name, target):
    return with_mode(name, stat.S_IFLNK | 0o777), target


def tree(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
