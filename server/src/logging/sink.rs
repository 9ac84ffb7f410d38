//! The thread that writes log lines, and the bounded queue before it.
//!
//! Whoever logs never waits. When the queue is full because nobody reads standard output, lines are dropped, and
//! the first line after that says how many. When standard output is closed, lines are dropped for good and the
//! server goes on.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that may wait: a few megabytes at most.
const QUEUE: usize = 16 * 1024;

/// How long the program's end waits for lines to be written.
const FLUSH_PATIENCE: Duration = Duration::from_secs(1);

/// Where lines go; every clone leads to the same queue.
#[derive(Clone)]
pub(super) struct Sink {
    queue: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

enum Item {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

impl Sink {
    pub(super) fn start() -> Self {
        Self::start_with(io::stdout(), |lines| {
            log::warn!(target: "server.log", lines; "Log lines dropped because nobody read them");
        })
    }

    fn start_with(out: impl Write + Send + 'static, report: impl Fn(u64) + Send + 'static) -> Self {
        let (queue, items) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let sink = Self { queue, dropped: Arc::clone(&dropped) };
        // Without the thread, lines pile up and are dropped; the server itself does not depend on them.
        let _ = thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(out, &items, &dropped, &report));
        sink
    }

    /// Waits until all that was logged before is written, for a second at most.
    pub(super) fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_PATIENCE);
        }
    }
}

impl Write for Sink {
    /// Takes one whole line, as `env_logger` hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Item::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(mut out: impl Write, items: &Receiver<Item>, dropped: &AtomicU64, report: &impl Fn(u64)) {
    for item in items {
        // A closed standard output is an error here, each time; there is nobody left to tell.
        match item {
            Item::Line(line) => drop(out.write_all(&line)),
            Item::Flush(done) => {
                let _ = out.flush();
                let _ = done.send(());
            }
        }
        match dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            lines => report(lines),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_flush_waits_for_all_lines_before_it() {
        let out = Shared::default();
        let mut sink = Sink::start_with(out.clone(), |_| {});
        for n in 0..1000 {
            writeln!(sink, "{n}").unwrap();
        }
        sink.flush();
        assert_eq!(out.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count(), 1000);
    }

    #[test]
    fn a_closed_output_is_survived() {
        let mut sink = Sink::start_with(Closed, |_| {});
        sink.write_all(b"lost\n").unwrap();
        sink.flush();
        sink.write_all(b"lost as well\n").unwrap();
        sink.flush();
    }

    #[test]
    fn a_writer_who_is_stuck_costs_lines_and_says_how_many() {
        let out = Shared::default();
        let stuck = out.0.lock().unwrap();
        let reported = Arc::new(AtomicU64::new(0));
        let total = Arc::clone(&reported);
        let mut sink = Sink::start_with(out.clone(), move |lines| {
            total.fetch_add(lines, Ordering::Relaxed);
        });
        // One line more than fits may already be in the writer's hands.
        for _ in 0..QUEUE + 11 {
            sink.write_all(b"line\n").unwrap();
        }
        drop(stuck);
        let (done, written) = sync_channel(1);
        sink.queue.send(Item::Flush(done)).unwrap();
        written.recv().unwrap();
        let written = out.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count();
        let reported = reported.load(Ordering::Relaxed);
        assert!(reported >= 10, "{reported} lines are reported as dropped");
        assert_eq!(written as u64 + reported, QUEUE as u64 + 11);
    }
}
