//! The journal actor through its handle.

use std::time::Duration;

use super::super::log::tests::Named;
use super::*;
use crate::clock::now;
use crate::lifecycle::Panic;
use tokio::time::{advance, pause};

fn started(max_size: usize, budget: &ByteBudget) -> JournalHandle<Named> {
    let (handle, actor) = prepare(max_size, budget, "test");
    actor.start();
    handle
}

fn ample() -> ByteBudget {
    ByteBudget::new(1 << 30)
}

fn record(journal: &JournalHandle<Named>, count: usize) {
    for _ in 0..count {
        let (open, record) = journal.begin(Named(0, "a"));
        open.end(record, now());
    }
}

async fn kept(journal: &JournalHandle<Named>) -> (Vec<u64>, u64) {
    let page = journal.read(0, usize::MAX, |_| true).await.unwrap();
    (page.records.iter().map(Record::seq).collect(), page.forgotten)
}

#[actix_rt::test]
async fn what_has_ended_is_read_at_once_and_in_order() {
    let journal = started(10, &ample());
    let (first, one) = journal.begin(Named(0, "first"));
    let (second, two) = journal.begin(Named(0, "second"));
    assert_eq!((one.0, two.0, journal.in_flight()), (1, 2, vec![(1, "first"), (2, "second")]));
    second.end(two, now());
    first.end(one, now());
    let page = journal.read(0, 10, |_| true).await.unwrap();
    assert_eq!(page.records, [Named(1, "second"), Named(2, "first")]);
    let first = journal.read(0, 10, |record| record.1 == "first").await.unwrap();
    assert_eq!(first.records, [Named(2, "first")]);
}

#[actix_rt::test]
async fn no_more_than_the_last_records_are_kept_however_many_there_were() {
    for (size, count) in [(1, 1), (3, 2), (3, 10), (100, 5000), (600, 700)] {
        let budget = ample();
        let journal = started(size, &budget);
        record(&journal, count);
        let expected: Vec<u64> = (1..=count as u64).skip(count.saturating_sub(size)).collect();
        let forgotten = count.saturating_sub(size) as u64;
        assert_eq!(kept(&journal).await, (expected.clone(), forgotten));
        assert_eq!(budget.used(), 10 * expected.len() as u64);
    }
}

#[actix_rt::test]
async fn over_the_budget_the_oldest_record_of_all_journals_goes_first() {
    pause();
    let budget = ByteBudget::new(80);
    let (old, new) = (started(100, &budget), started(100, &budget));
    for _ in 0..3 {
        record(&old, 1);
        advance(Duration::from_millis(1)).await;
        record(&new, 1);
        advance(Duration::from_millis(1)).await;
    }
    assert_eq!((kept(&old).await, kept(&new).await), ((vec![1, 2, 3], 0), (vec![1, 2, 3], 0)));
    record(&new, 3);
    // Shedding ends at 70 bytes: the two oldest are gone, one of each journal.
    assert_eq!(kept(&old).await, (vec![2, 3], 1));
    assert_eq!(kept(&new).await, (vec![2, 3, 4, 5, 6], 1));
    assert_eq!(budget.used(), 70);
}

#[actix_rt::test]
async fn a_journal_that_ends_gives_back_its_bytes() {
    let budget = ample();
    let journal = started(100, &budget);
    record(&journal, 5);
    kept(&journal).await;
    record(&journal, 2);
    assert_eq!(budget.used(), 70);
    drop(journal);
    tokio::task::yield_now().await;
    let other = started(100, &budget);
    kept(&other).await;
    assert_eq!(budget.used(), 0);
}

#[actix_rt::test]
async fn a_record_alone_may_be_larger_than_the_budget_and_goes() {
    let budget = ByteBudget::new(5);
    let journal = started(100, &budget);
    record(&journal, 3);
    assert_eq!(kept(&journal).await, (vec![], 3));
    assert_eq!(budget.used(), 0);
    record(&journal, 1);
    assert_eq!(kept(&journal).await, (vec![], 4));
}

#[actix_rt::test]
async fn idle_waits_for_what_is_in_flight() {
    let journal = started(10, &ample());
    journal.idle().await;
    let (first, one) = journal.begin(Named(0, "a"));
    let (second, _) = journal.begin(Named(0, "a"));
    let mut idle = Box::pin(journal.idle());
    assert!(futures::poll!(idle.as_mut()).is_pending());
    first.end(one, now());
    assert!(futures::poll!(idle.as_mut()).is_pending());
    drop(second);
    idle.await;
    assert_eq!(kept(&journal).await.0, [1], "what was dropped leaves no record");
}

#[actix_rt::test]
async fn a_reader_that_lags_is_told_how_much_it_missed() {
    let journal = started(10, &ample());
    let mut reader = journal.follow();
    record(&journal, 1000);
    let missed = match reader.recv().await {
        Err(broadcast::error::RecvError::Lagged(missed)) => missed,
        other => panic!("{other:?}"),
    };
    let mut seen = 0;
    while reader.try_recv().is_ok() {
        seen += 1;
    }
    assert_eq!(missed + seen, 2000, "each began and ended");
}

#[actix_rt::test]
async fn after_a_panic_the_journal_is_empty_and_numbers_go_on() {
    let budget = ample();
    let journal = started(10, &budget);
    record(&journal, 3);
    kept(&journal).await;
    assert!(journal.address().ask(Panic).await.is_err());
    record(&journal, 2);
    assert_eq!(kept(&journal).await, (vec![4, 5], 3));
    assert_eq!((journal.restarts(), budget.used()), (1, 20));
}

#[test]
fn threads_write_without_gaps() {
    const EACH: usize = 12_500;
    actix_rt::System::new().block_on(async {
        let journal = started(60_000, &ample());
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let journal = journal.clone();
                std::thread::spawn(move || record(&journal, EACH))
            })
            .collect();
        while !writers.iter().all(std::thread::JoinHandle::is_finished) {
            kept(&journal).await;
        }
        let (seqs, forgotten) = kept(&journal).await;
        assert!(seqs.iter().copied().eq(1..=4 * EACH as u64), "{} records", seqs.len());
        assert_eq!(forgotten, 0);
    });
}
