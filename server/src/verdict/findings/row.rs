//! The rows of the table of findings.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::verdict::judge::Overall;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Harmful under load or in bad luck.
    Warn,
    /// Wrong.
    Fail,
}

impl Severity {
    /// The verdict when this is the worst that was found.
    #[must_use]
    pub fn overall(self) -> Overall {
        match self {
            Self::Note => Overall::Pass,
            Self::Warn => Overall::Warn,
            Self::Fail => Overall::Fail,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

macro_rules! rows {
    ($($name:ident $id:literal $severity:ident $does:literal)*) => {
        /// What a client can do wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Row {
            $(#[doc = concat!("The client ", $does, ".")] $name,)*
        }

        impl Row {
            /// Every row.
            pub const ALL: [Self; [$($id),*].len()] = [$(Self::$name),*];

            /// The name in JSON and in the documents.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// How bad it is, if it does not rest on a guess.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// What the client did: the rest of a sentence that begins with "the client".
            #[must_use]
            pub fn does(self) -> &'static str {
                match self { $(Self::$name => $does),* }
            }
        }
    };
}

rows! {
    NoRetry "no-retry" Warn "never tried again after a failure that passes"
    RetriedPermanent "retried-permanent" Warn "tried again after an answer that does not change"
    RetryAfterIgnored "retry-after-ignored" Fail "came back earlier than Retry-After said"
    NoBackoff "no-backoff" Fail "tried again and again without a pause"
    FlatBackoff "flat-backoff" Warn "waited equally long before each attempt"
    NoJitter "no-jitter" Warn "waited equally long in each call"
    TooManyAttempts "too-many-attempts" Warn "made too many attempts for one call"
    RetryStorm "retry-storm" Fail "multiplied its load while everything failed"
    OutageIgnored "outage-ignored" Warn "sent as much late in an outage as early in it"
    KeyChanged "key-changed" Fail "repeated a request under another key"
    KeyMissing "key-missing" Fail "repeated a request that is not idempotent without a key"
    KeyReused "key-reused" Fail "used one key for different requests"
    ExecutedTwice "executed-twice" Fail "caused two executions of one call"
    BodyLost "body-lost" Fail "repeated a request with another body"
    HeaderLost "header-lost" Fail "repeated a request without one of its headers"
    NoTimeout "no-timeout" Warn "waited for an answer until the server gave up"
    BrokenConnectionReused "broken-connection-reused" Fail "used a connection again after a broken answer"
    SlowRetry "slow-retry" Note "waited longer than it promises"
    OverlappingAttempts "overlapping-attempts" Note "had two attempts of one call in flight at once"
    ConnectionChurn "connection-churn" Note "used a new connection for each request"
}

impl Row {
    /// Whether it cannot be concluded where the beginning of calls may be forgotten.
    pub(super) fn needs_beginning(self) -> bool {
        matches!(
            self,
            Self::NoRetry
                | Self::FlatBackoff
                | Self::NoJitter
                | Self::OutageIgnored
                | Self::KeyReused
                | Self::HeaderLost
                | Self::ConnectionChurn
        )
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
