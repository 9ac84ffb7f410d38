//! What calls cost the process that makes them, as the kernel counts it. The clients of others are measured by the same
//! code: `benches/others` has this file too.

use std::{fs, time::Duration};

use futures::{StreamExt, stream};

/// Why a measurement failed.
pub type Failure = Box<dyn std::error::Error>;

/// Makes `calls` calls, `concurrency` at once, after a tenth as many as a warm-up. Returns nanoseconds of processor
/// time a call, over all threads of this process.
///
/// # Errors
///
/// That of the first call that fails.
pub async fn processor_time<F>(calls: usize, concurrency: usize, call: impl Fn() -> F) -> Result<f64, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    run(calls / 10, concurrency, &call).await?;
    let before = used()?;
    run(calls, concurrency, &call).await?;
    Ok((used()? - before) as f64 / calls as f64)
}

/// Makes `connections` calls at once, so that each has a connection of its own, and waits until all are idle. Returns
/// the bytes of memory that each of these connections takes from then on.
///
/// # Errors
///
/// That of the first call that fails; or that there are not as many connections.
pub async fn idle_memory<F>(
    connections: usize,
    pause: impl Future<Output = ()>,
    call: impl Fn() -> F,
) -> Result<f64, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    call().await?;
    let (before, one) = (resident()?, sockets()?);
    run(connections, connections, &call).await?;
    pause.await;
    let (after, all) = (resident()?, sockets()?);
    // The first connection is there already.
    let made = all.saturating_sub(one);
    if made + 1 < connections {
        return Err(format!("{made} connections of {connections} are idle").into());
    }
    Ok(after.saturating_sub(before) as f64 / made as f64)
}

/// How long a client is left alone before its idle connections are counted.
pub const SETTLED: Duration = Duration::from_millis(500);

async fn run<F>(calls: usize, concurrency: usize, call: &impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut done = stream::iter(0..calls).map(|_| call()).buffer_unordered(concurrency);
    while let Some(result) = done.next().await {
        result?;
    }
    Ok(())
}

/// Nanoseconds of processor time, over all threads of this process.
fn used() -> Result<u64, Failure> {
    let mut total = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split_whitespace().next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(total)
}

/// Bytes of memory in use.
fn resident() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}

/// Open sockets of this process.
fn sockets() -> Result<usize, Failure> {
    let mut count = 0;
    for file in fs::read_dir("/proc/self/fd")? {
        // The folder itself is open while it is read, and not when it is looked at.
        let target = fs::read_link(file?.path()).unwrap_or_default();
        count += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    Ok(count)
}
