//! The scripts. Each is a file of its own in `scripts/`, and says there what it takes and returns.

use std::sync::LazyLock;

use redis::Script as Lua;

/// A script that the store runs as one step.
pub(crate) struct Script(LazyLock<Lua>);

impl Script {
    pub(super) fn lua(&self) -> &Lua {
        &self.0
    }
}

/// A script that begins with these parts.
macro_rules! script {
    ($($part:literal),+) => {
        Script(LazyLock::new(|| Lua::new(concat!($(include_str!($part), "\n"),+))))
    };
}

/// Scripts of a session, each with the common beginning.
macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {
        $(pub(crate) static $name: Script = script!("scripts/base.lua", "scripts/common.lua", $file);)+
    };
}

pub(super) static RENEW: Script = script!("scripts/base.lua", "scripts/renew.lua");

pub(crate) static PLAN_DECIDE: Script =
    script!("scripts/base.lua", "scripts/common.lua", "scripts/sha256.lua", "scripts/plan_decide.lua");

scripts! {
    FAILURE_PREPARE = "scripts/failure_prepare.lua";
    FAILURE_SET = "scripts/failure_set.lua";
    FAILURE_DECIDE = "scripts/failure_decide.lua";
    FAILURE_GIVE_BACK = "scripts/failure_give_back.lua";
    FAILURE_STATUS = "scripts/failure_status.lua";
    ANSWER_BEGIN = "scripts/answer_begin.lua";
    ANSWER_COMPLETE = "scripts/answer_complete.lua";
    ANSWER_ABANDON = "scripts/answer_abandon.lua";
    ANSWER_STATS = "scripts/answer_stats.lua";
    PLAN_SET = "scripts/plan_set.lua";
    PLAN_STATUS = "scripts/plan_status.lua";
    JOURNAL_APPEND = "scripts/journal_append.lua";
    JOURNAL_FLUSH = "scripts/journal_flush.lua";
    JOURNAL_READ = "scripts/journal_read.lua";
    SESSION_CREATE = "scripts/session_create.lua";
    SESSION_REMOVE = "scripts/session_remove.lua";
    SESSION_RESET = "scripts/session_reset.lua";
    SESSION_TOUCH = "scripts/session_touch.lua";
    SESSION_READ = "scripts/session_read.lua";
}
