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

/// Scripts of a session, each with the common beginning.
macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {
        $(
            pub(crate) static $name: Script = Script(LazyLock::new(|| {
                Lua::new(concat!(include_str!("scripts/common.lua"), "\n", include_str!($file)))
            }));
        )+
    };
}

pub(super) static RENEW: Script = Script(LazyLock::new(|| Lua::new(include_str!("scripts/renew.lua"))));

scripts! {
    FAILURE_SET = "scripts/failure_set.lua";
    FAILURE_DECIDE = "scripts/failure_decide.lua";
    FAILURE_GIVE_BACK = "scripts/failure_give_back.lua";
    FAILURE_STATUS = "scripts/failure_status.lua";
    ANSWER_BEGIN = "scripts/answer_begin.lua";
    ANSWER_COMPLETE = "scripts/answer_complete.lua";
    ANSWER_ABANDON = "scripts/answer_abandon.lua";
    PLAN_SET = "scripts/plan_set.lua";
    PLAN_STATUS = "scripts/plan_status.lua";
    ANSWER_STATS = "scripts/answer_stats.lua";
}

pub(crate) static PLAN_DECIDE: Script = Script(LazyLock::new(|| {
    Lua::new(concat!(
        include_str!("scripts/common.lua"),
        "\n",
        include_str!("scripts/sha256.lua"),
        "\n",
        include_str!("scripts/plan_decide.lua")
    ))
}));
