//! The thread that writes log lines, and the bounded queue before it.
//!
//! Logging never waits. When the queue is full because standard output is not read, lines are dropped, and the next
//! line reports how many. When standard output is closed, every line is dropped and the server goes on.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The length of the queue in lines: a few megabytes at most.
const QUEUE: usize = 16 * 1024;

/// How long a flush waits for the queued lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The sender's side of the queue; every clone leads to the same queue.
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
            log::warn!(target: "server.log", lines; "Log lines dropped because the output was not read");
        })
    }

    fn start_with(out: impl Write + Send + 'static, report: impl Fn(u64) + Send + 'static) -> Self {
        let (queue, items) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let sink = Self { queue, dropped: Arc::clone(&dropped) };
        // If no thread can be started, every line is dropped; the server does not depend on its log.
        let _ = thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(out, &items, &dropped, &report));
        sink
    }

    /// Waits until every line that was logged before is written, for a second at most.
    pub(super) fn flush(&self) {
        self.flush_within(FLUSH_TIMEOUT);
    }

    fn flush_within(&self, timeout: Duration) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            let _ = written.recv_timeout(timeout);
        }
    }
}

impl Write for Sink {
    /// Queues one whole line, which is what `env_logger` writes at once.
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
        // Writing to a closed standard output fails each time, and there is no place left to report it.
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

    /// An output that is closed, and counts the lines that are written to it.
    #[derive(Clone, Default)]
    struct Closed(Arc<AtomicU64>);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Waits until every queued line is handled, however long that takes; fails when the thread has ended.
    fn settle(sink: &Sink) {
        let (done, handled) = sync_channel(1);
        sink.queue.send(Item::Flush(done)).expect("the writing thread lives");
        handled.recv().expect("the writing thread answers");
    }

    #[test]
    fn a_flush_waits_for_all_lines_before_it() {
        let out = Shared::default();
        let mut sink = Sink::start_with(out.clone(), |_| {});
        for n in 0..1000 {
            sink.write_all(format!("{n}\n").as_bytes()).unwrap();
        }
        sink.flush_within(Duration::from_secs(600));
        assert_eq!(out.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count(), 1000);
    }

    #[test]
    fn the_thread_survives_a_closed_output_and_tries_every_line() {
        let out = Closed::default();
        let mut sink = Sink::start_with(out.clone(), |_| {});
        for lines in 1..=3 {
            sink.write_all(b"lost\n").unwrap();
            settle(&sink);
            assert_eq!(out.0.load(Ordering::Relaxed), lines);
        }
        assert_eq!(sink.dropped.load(Ordering::Relaxed), 0, "every line was queued");
    }

    #[test]
    fn without_its_thread_logging_neither_waits_nor_fails() {
        let (queue, items) = sync_channel(QUEUE);
        drop(items);
        let mut sink = Sink { queue, dropped: Arc::default() };
        for _ in 0..3 {
            sink.write_all(b"lost\n").unwrap();
        }
        sink.flush();
        assert_eq!(sink.dropped.load(Ordering::Relaxed), 3, "every line is counted as dropped");
    }

    #[test]
    fn while_the_output_is_stuck_lines_are_dropped_and_counted() {
        let out = Shared::default();
        let stuck = out.0.lock().unwrap();
        let reported = Arc::new(AtomicU64::new(0));
        let total = Arc::clone(&reported);
        let mut sink = Sink::start_with(out.clone(), move |lines| {
            total.fetch_add(lines, Ordering::Relaxed);
        });
        // One line more than fits into the queue may already be on its way to the output.
        for _ in 0..QUEUE + 11 {
            sink.write_all(b"line\n").unwrap();
        }
        drop(stuck);
        settle(&sink);
        let written = out.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count();
        let reported = reported.load(Ordering::Relaxed);
        assert!(reported >= 10, "{reported} lines are reported as dropped");
        assert_eq!(written as u64 + reported, QUEUE as u64 + 11);
    }
}
