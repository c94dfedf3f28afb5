//! Progress of long work: on a terminal; nothing on a pipe.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line on stderr that says what is being done; gone when it is dropped.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Says what is being done, with the time that has passed.
    pub fn of(text: String) -> Self {
        Self::styled(text, "{spinner} {msg} {elapsed}")
    }

    /// Says what is being written, with how many bytes it is.
    pub fn bytes(text: String) -> Self {
        Self::styled(text, "{spinner} {msg} {binary_bytes}")
    }

    /// Nothing is said: the output itself is on the terminal.
    pub fn none() -> Self {
        Self(None)
    }

    fn styled(text: String, template: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }

    /// A writer whose bytes are counted here.
    pub fn counting<'a, W: Write>(&'a self, out: W) -> Counting<'a, W> {
        Counting { out, written: 0, progress: self }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A writer that tells how many bytes went through it.
pub struct Counting<'a, W> {
    out: W,
    /// How many bytes went through.
    pub written: u64,
    progress: &'a Progress,
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.written += n as u64;
        if let Some(bar) = &self.progress.0 {
            bar.set_position(self.written);
        }
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
