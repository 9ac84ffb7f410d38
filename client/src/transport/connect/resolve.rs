//! Looks up the addresses of a name.
//!
//! The system's resolver blocks, and cannot be interrupted. It runs on threads of its own, a bounded number of them:
//! a runtime waits for its blocking threads when it ends, and a process does not wait for these.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, LazyLock},
};

use tokio::sync::{Semaphore, oneshot};

/// The most look-ups at once in this process.
const MAX_LOOKUPS: usize = 32;

static LOOKUPS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MAX_LOOKUPS)));

/// Looks up the addresses of a name.
pub(in crate::transport) trait Resolve: Clone + 'static {
    /// The addresses of a host, the preferred ones first.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug)]
pub(in crate::transport) struct SystemResolver;

impl Resolve for SystemResolver {
    /// Dropping the future leaves the thread behind, with its place, until the system answers.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        detached(&LOOKUPS, (host.to_owned(), port)).await
    }
}

async fn detached<N>(places: &Arc<Semaphore>, name: N) -> io::Result<Vec<SocketAddr>>
where
    N: ToSocketAddrs + Send + 'static,
{
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (sender, answer) = oneshot::channel();
    let look_up = move || {
        let _place = place;
        // The receiver is gone when the call has ended.
        let _ = sender.send(name.to_socket_addrs().map(Iterator::collect));
    };
    std::thread::Builder::new().name("resilient-lookup".to_owned()).spawn(look_up)?;
    answer.await.map_err(|_| io::Error::other("the look-up ended without an answer"))?
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A name whose look-up ends when the test says so.
    struct Slow(mpsc::Receiver<()>);

    impl ToSocketAddrs for Slow {
        type Iter = std::vec::IntoIter<SocketAddr>;

        fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
            let _ = self.0.recv();
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], 80))].into_iter())
        }
    }

    #[actix_rt::test]
    async fn an_abandoned_look_up_keeps_its_place_until_the_system_answers() {
        let places = Arc::new(Semaphore::new(1));
        let (answer, slow) = mpsc::channel();
        {
            let mut abandoned = Box::pin(detached(&places, Slow(slow)));
            assert!(futures::poll!(&mut abandoned).is_pending());
        }
        assert_eq!(places.available_permits(), 0);
        let (second_answer, slow) = mpsc::channel();
        let mut second = Box::pin(detached(&places, Slow(slow)));
        assert!(futures::poll!(&mut second).is_pending(), "no thread is started beyond the limit");
        answer.send(()).unwrap();
        second_answer.send(()).unwrap();
        assert_eq!(second.await.unwrap(), [SocketAddr::from(([127, 0, 0, 1], 80))]);
        assert_eq!(places.acquire().await.unwrap().num_permits(), 1);
    }

    #[actix_rt::test]
    async fn the_system_knows_the_loopback_address() {
        let addresses = SystemResolver.resolve("127.0.0.1", 80).await.unwrap();
        assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], 80))]);
    }
}
