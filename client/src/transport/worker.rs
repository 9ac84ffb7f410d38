//! The transport of a worker: awc, or the script of a user's test.

#[cfg(any(test, feature = "test-util"))]
use futures::future::Either;

#[cfg(any(test, feature = "test-util"))]
use super::scripted::ScriptedTransport;
use super::{AwcTransport, ConnectSettings, Fault, Limits, Reply, Request, Transport};

/// What a worker makes its transport from, on its own thread.
#[derive(Clone, Debug)]
pub(crate) enum TransportSettings {
    Awc(ConnectSettings),
    #[cfg(any(test, feature = "test-util"))]
    Scripted(ScriptedTransport),
}

/// The transport of a worker. It belongs to one thread.
pub(crate) enum WorkerTransport {
    Awc(AwcTransport),
    #[cfg(any(test, feature = "test-util"))]
    Scripted(ScriptedTransport),
}

impl WorkerTransport {
    pub(crate) fn new(settings: TransportSettings) -> Self {
        match settings {
            TransportSettings::Awc(settings) => Self::Awc(AwcTransport::new(settings)),
            #[cfg(any(test, feature = "test-util"))]
            TransportSettings::Scripted(transport) => Self::Scripted(transport),
        }
    }
}

impl Transport for WorkerTransport {
    /// Passes on the future of the transport itself: a client without the feature pays nothing for it.
    fn exchange(&self, request: &Request, limits: Limits) -> impl Future<Output = Result<Reply, Fault>> {
        #[cfg(not(any(test, feature = "test-util")))]
        {
            let Self::Awc(awc) = self;
            awc.exchange(request, limits)
        }
        #[cfg(any(test, feature = "test-util"))]
        match self {
            Self::Awc(awc) => Either::Left(awc.exchange(request, limits)),
            Self::Scripted(script) => Either::Right(script.exchange(request, limits)),
        }
    }
}
