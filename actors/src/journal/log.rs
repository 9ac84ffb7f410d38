//! The records that a journal keeps. \[pure\]
//!
//! Records are numbered without gaps in the order in which they ended, so a record is found by its number at once. The
//! oldest is forgotten first.

use std::collections::VecDeque;
use std::time::Instant;

/// What a journal keeps of one thing that has ended.
pub trait Record: Clone + Send + Sync + Unpin + 'static {
    /// What is known of it while it is in flight: small, and cheap to copy.
    type Begun: Clone + Send + Sync;

    /// Gives the record its id, once it has begun. The first is 1.
    fn set_id(&mut self, id: u64);

    /// Returns what is known of it while it is in flight.
    fn begun(&self) -> Self::Begun;

    /// Gives the record its number, once it has ended. The first is 1.
    fn set_seq(&mut self, seq: u64);

    /// The number of the record.
    fn seq(&self) -> u64;

    /// How many bytes of memory the record takes.
    fn bytes(&self) -> usize;
}

/// The last records, at most so many. Each is in a box, so that handing it on costs the same, however large it is.
#[derive(Debug)]
pub struct Log<R> {
    records: VecDeque<(Instant, Box<R>)>,
    max_size: usize,
    /// The number of the last record that was appended.
    last: u64,
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R> {
    /// The records, oldest first.
    pub records: Vec<R>,
    /// How many records of the journal have been forgotten.
    pub forgotten: u64,
    /// The number behind which the next page begins.
    pub next: u64,
}

impl<R: Record> Log<R> {
    /// An empty log of records behind the number `last`.
    #[must_use]
    pub fn new(max_size: usize, last: u64) -> Self {
        Self { records: VecDeque::new(), max_size, last }
    }

    /// Appends the next record, which ended at `ended`, and forgets what is too much. Behind a gap in the numbers,
    /// everything before the gap is forgotten. Returns how many bytes were forgotten.
    pub fn append(&mut self, ended: Instant, record: Box<R>) -> u64 {
        let mut forgotten = 0;
        if record.seq() != self.last + 1 {
            forgotten += self.clear();
        }
        self.last = record.seq();
        self.records.push_back((ended, record));
        while self.records.len() > self.max_size {
            forgotten += self.forget_oldest();
        }
        forgotten
    }

    /// Forgets the oldest record; how many bytes it took, 0 if there was none.
    pub fn forget_oldest(&mut self) -> u64 {
        self.records.pop_front().map_or(0, |(_, record)| record.bytes() as u64)
    }

    /// Forgets all records; how many bytes they took.
    pub fn clear(&mut self) -> u64 {
        self.records.drain(..).map(|(_, record)| record.bytes() as u64).sum()
    }

    /// When the oldest record ended.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.records.front().map(|(ended, _)| *ended)
    }

    /// The number of the last record that was appended.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Up to `limit` records behind the number `since` that `is_wanted` accepts.
    pub fn page(&self, since: u64, limit: usize, mut is_wanted: impl FnMut(&R) -> bool) -> Page<R> {
        let forgotten = self.last - self.records.len() as u64;
        let skipped = usize::try_from(since.saturating_sub(forgotten)).unwrap_or(usize::MAX);
        let mut page = Page { records: Vec::new(), forgotten, next: self.last };
        for (_, record) in self.records.iter().skip(skipped).filter(|(_, record)| is_wanted(record)) {
            if page.records.len() == limit {
                // What is wanted next is behind the last record of this page.
                page.next = page.records.last().map_or(since, Record::seq);
                break;
            }
            page.records.push(R::clone(record));
        }
        page
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record of 10 bytes with a name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(in crate::journal) struct Named(pub(in crate::journal) u64, pub(in crate::journal) &'static str);

    impl Record for Named {
        type Begun = &'static str;

        fn set_id(&mut self, id: u64) {
            self.0 = id;
        }

        fn begun(&self) -> &'static str {
            self.1
        }

        fn set_seq(&mut self, seq: u64) {
            self.0 = seq;
        }

        fn seq(&self) -> u64 {
            self.0
        }

        fn bytes(&self) -> usize {
            10
        }
    }

    fn log(max_size: usize, numbers: &[u64]) -> (Log<Named>, u64) {
        let mut log = Log::new(max_size, 0);
        let forgotten = numbers.iter().map(|seq| {
            let name = if seq % 2 == 0 { "even" } else { "odd" };
            log.append(Instant::now(), Box::new(Named(*seq, name)))
        });
        let forgotten = forgotten.sum();
        (log, forgotten)
    }

    fn seqs(page: &Page<Named>) -> Vec<u64> {
        page.records.iter().map(Record::seq).collect()
    }

    #[test]
    fn the_last_records_are_kept_and_the_others_are_counted() {
        let (log, forgotten) = log(3, &[1, 2, 3, 4, 5]);
        assert_eq!(forgotten, 20);
        let page = log.page(0, 100, |_| true);
        assert_eq!((seqs(&page), page.forgotten, page.next), (vec![3, 4, 5], 2, 5));
    }

    #[test]
    fn a_page_begins_behind_a_number_and_names_where_the_next_begins() {
        let (log, _) = log(5, &[1, 2, 3, 4, 5, 6, 7]);
        // since, limit, records, next
        let table: [(u64, usize, &[u64], u64); 8] = [
            (0, 2, &[3, 4], 4),
            (1, 2, &[3, 4], 4),
            (2, 2, &[3, 4], 4),
            (3, 2, &[4, 5], 5),
            (5, 2, &[6, 7], 7),
            (6, 2, &[7], 7),
            (7, 2, &[], 7),
            (u64::MAX, 2, &[], 7),
        ];
        for (since, limit, records, next) in table {
            let page = log.page(since, limit, |_| true);
            assert_eq!((seqs(&page), page.next), (records.to_vec(), next), "since {since}");
        }
    }

    #[test]
    fn a_page_of_some_records_loses_none_of_them() {
        let (log, _) = log(100, &[1, 2, 3, 4, 5, 6, 7]);
        let even = |record: &Named| record.1 == "even";
        let first = log.page(0, 2, even);
        assert_eq!((seqs(&first), first.next), (vec![2, 4], 4));
        let second = log.page(first.next, 2, even);
        assert_eq!((seqs(&second), second.next), (vec![6], 7), "it has been read to its end");
    }

    #[test]
    fn behind_a_gap_everything_before_it_is_forgotten() {
        let (log, forgotten) = log(100, &[1, 2, 5, 6]);
        let page = log.page(0, 100, |_| true);
        assert_eq!((seqs(&page), page.forgotten, forgotten), (vec![5, 6], 4, 20));
    }

    #[test]
    fn the_oldest_record_is_forgotten_first() {
        let (mut log, _) = log(100, &[1, 2, 3]);
        assert_eq!(log.forget_oldest(), 10);
        assert_eq!(seqs(&log.page(0, 100, |_| true)), [2, 3]);
        assert_eq!((log.clear(), log.forget_oldest(), log.oldest()), (20, 0, None));
        assert_eq!(log.page(0, 100, |_| true), Page { records: vec![], forgotten: 3, next: 3 });
    }
}
