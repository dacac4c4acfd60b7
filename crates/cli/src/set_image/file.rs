//! A kustomization on disk: finding, reading and replacing it.
//!
//! Nothing here knows what is in the file. It is replaced by renaming another one over it, so that nobody ever reads
//! half of it. Mode and owner stay; extended attributes do not, and other hard links keep the old text.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, fchown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use kustomize::{LARGEST, Refusal, kustomization_file};
use rustix::fs::{Mode, OFlags};
use tempfile::NamedTempFile;

/// Where a kustomization is.
#[derive(Debug)]
pub(super) struct Place {
    /// As a person would name it.
    path: PathBuf,
    /// The file itself, behind all links.
    pub(super) target: PathBuf,
}

/// A kustomization as it was read.
#[derive(Debug)]
pub(super) struct Kustomization {
    /// As a person would name it.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) text: Vec<u8>,
    target: PathBuf,
    state: State,
}

/// A new text that lies beside the kustomization, with its mode and owner; it vanishes unless it is put in place.
#[derive(Debug)]
pub(super) struct Staged<'k> {
    kustomization: &'k Kustomization,
    file: NamedTempFile,
}

/// What tells that a file is still the one that was read. Its last status change covers the mode and the owner.
#[derive(Debug, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    status_changed: (i64, i64),
}

impl Place {
    /// A kustomization by its own path or by that of its directory.
    pub(super) fn named(path: &Path) -> anyhow::Result<Self> {
        let place = Self::at(path.to_owned())?;
        if place.target.is_dir() { Self::in_directory(path) } else { Ok(place) }
    }

    /// The one kustomization of a directory.
    pub(super) fn in_directory(directory: &Path) -> anyhow::Result<Self> {
        let Self { path, target } = Self::at(directory.to_owned())?;
        let name = look_up(&target).with_context(|| path.display().to_string())?;
        let is_here = path == Path::new(".");
        Self::at(if is_here { name.into() } else { path.join(name) })
    }

    fn at(path: PathBuf) -> anyhow::Result<Self> {
        let target = resolve(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path, target })
    }
}

impl Kustomization {
    /// Reads it, if it is an ordinary file.
    pub(super) fn read(place: Place) -> anyhow::Result<Self> {
        let Place { path, target } = place;
        let (text, state) = read(&target).with_context(|| path.display().to_string())?;
        Ok(Self { path, text, target, state })
    }

    /// Refuses if it is not the file any more that was read.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let about = || self.path.display().to_string();
        let (text, state) = read(&self.target).with_context(about)?;
        let is_same = text == self.text && state == self.state;
        ensure!(is_same, "{}: somebody changed it meanwhile; it stays as it is now", about());
        Ok(())
    }

    /// Writes a new text beside it.
    pub(super) fn stage(&self, text: &[u8]) -> anyhow::Result<Staged<'_>> {
        let file = self.write_beside(text).with_context(|| self.path.display().to_string())?;
        Ok(Staged { kustomization: self, file })
    }

    fn write_beside(&self, text: &[u8]) -> anyhow::Result<NamedTempFile> {
        let old = fs::symlink_metadata(&self.target).context("looking at its mode and owner")?;
        let mut file = tempfile::Builder::new()
            .prefix(".tagferry-")
            .tempfile_in(self.directory())
            .context("creating a file beside it")?;
        keep_owner(file.as_file(), &old)?;
        file.write_all(text).context("writing a file beside it")?;
        // The mode comes last, as writing and a change of the owner take bits from it.
        file.as_file().set_permissions(old.permissions()).context("giving its mode to a file beside it")?;
        file.as_file().sync_all().context("writing a file beside it")?;
        Ok(file)
    }

    fn directory(&self) -> &Path {
        self.target.parent().unwrap_or(Path::new("/"))
    }
}

impl Staged<'_> {
    /// The path of the kustomization.
    pub(super) fn path(&self) -> &Path {
        &self.kustomization.path
    }

    /// Puts the new text in the place of the old one, unless somebody changed the kustomization since it was read.
    pub(super) fn put(self) -> anyhow::Result<()> {
        let Self { kustomization, file } = self;
        kustomization.check()?;
        let about = || kustomization.path.display().to_string();
        // Dropping the other half of the error removes the file.
        let renamed = file.persist(&kustomization.target).map_err(|failed| failed.error);
        renamed.context("replacing it").with_context(about)?;
        let synced = File::open(kustomization.directory()).and_then(|directory| directory.sync_all());
        synced.context("it is replaced, but a crash may undo that").with_context(about)
    }
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            status_changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn look_up(directory: &Path) -> anyhow::Result<&'static str> {
    let entries = fs::read_dir(directory).context("looking for a kustomization")?;
    let names: io::Result<Vec<OsString>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let names = names.context("looking for a kustomization")?;
    Ok(kustomization_file(names.iter().filter_map(|name| name.to_str()))?)
}

/// The file or directory behind a path. A link may not lead out of its directory, for whoever can add a link beside an
/// overlay could have any kustomization of this machine edited.
fn resolve(path: &Path) -> anyhow::Result<PathBuf> {
    // Without a slash at the end, which would hide a link.
    let path: PathBuf = path.components().collect();
    let target = fs::canonicalize(&path);
    if !fs::symlink_metadata(&path).context("looking for it")?.is_symlink() {
        return target.context("looking for it");
    }
    let next = fs::read_link(&path).context("reading the symbolic link")?;
    let target = target.with_context(|| format!("following the symbolic link to {}", next.display()))?;
    let holder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let holder = fs::canonicalize(holder).context("looking for its directory")?;
    ensure!(
        target.starts_with(&holder),
        "it is a symbolic link to {}, out of the directory that holds the link; name that place itself",
        target.display()
    );
    Ok(target)
}

fn read(target: &Path) -> anyhow::Result<(Vec<u8>, State)> {
    // Before it is opened, since opening a device may do something, and after it, since it may be another one by then.
    check_ordinary(&fs::symlink_metadata(target).context("looking at it")?)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(target, flags, Mode::empty()).context("opening it")?);
    let metadata = file.metadata().context("looking at it")?;
    check_ordinary(&metadata)?;
    let bytes = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if bytes > LARGEST {
        return Err(Refusal::TooLarge { bytes, limit: LARGEST }.into());
    }
    let mut text = Vec::new();
    // One byte more, so that a file that grows meanwhile is refused by its length.
    file.take(metadata.len() + 1).read_to_end(&mut text).context("reading it")?;
    Ok((text, State::of(&metadata)))
}

fn check_ordinary(metadata: &Metadata) -> anyhow::Result<()> {
    let kind = metadata.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        "a symbolic link by now"
    } else {
        "a device"
    };
    bail!("it is {what}, not an ordinary file")
}

fn keep_owner(file: &File, old: &Metadata) -> anyhow::Result<()> {
    let new = file.metadata().context("looking at the owner of a file beside it")?;
    let user = (new.uid() != old.uid()).then(|| old.uid());
    let group = (new.gid() != old.gid()).then(|| old.gid());
    if user.is_some() || group.is_some() {
        fchown(file, user, group).with_context(|| format!("its owner {}:{} would be lost", old.uid(), old.gid()))?;
    }
    Ok(())
}
