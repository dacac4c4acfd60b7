//! Ends the server and takes the folder away when the process that started them is gone without having done so.

use std::{
    io,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::failed;

/// Waits for the end of its input, which comes when the process ends that holds the other end.
///
/// The first line of `postmaster.pid` is the server's process id
/// (<https://www.postgresql.org/docs/15/storage-file-layout.html>).
const SCRIPT: &str = r#"cat > /dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null &&
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
rm -rf "$0""#;

/// A process that outlives this one for a moment.
#[derive(Debug)]
pub(crate) struct Guardian {
    process: Child,
}

impl Guardian {
    /// Watches over the server whose folder this is.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(directory);
        // A test's output is not held open by it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { process: command.spawn().map_err(|error| failed("starting sh", error))? })
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Whatever it could not do is the folder of a test.
        drop(self.process.wait());
    }
}
